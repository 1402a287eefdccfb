"""What most commands need: the home, the running workspace, and clients for what is deployed there."""

from dataclasses import dataclass
from typing import Any

from caspers.clients.workspace import workspace_client
from caspers.errors import CaspersError, NotFound, Unavailable
from caspers.names import Names
from databricks.sdk import WorkspaceClient
from databricks.sdk import errors as platform

from admin.cli.app_client import TIMEOUT_S, AppClient
from admin.cli.home import Home
from admin.cli.workspace_process import Connection, running


class NotRunning(Unavailable):
    """The command needs a running workspace."""

    def __init__(self, home: Home) -> None:
        super().__init__(f"nothing runs on {home.path}", what_now="Start it with `caspers up`.")


@dataclass(frozen=True)
class Session:
    """A running workspace and the names of one demo in it."""

    connection: Connection
    workspace: WorkspaceClient
    names: Names

    def app(self, name: str, timeout_s: float = TIMEOUT_S) -> AppClient:
        """A client of a deployed app, which waits so long for an answer. Raises `NotFound` while it is not deployed."""
        try:
            url = self.workspace.apps.get(name).url
        except platform.NotFound:
            url = None
        if not url:
            raise NotFound(f"app {name} is not deployed", what_now="Deploy it with `caspers up`.")
        return AppClient(name, url, self.connection.token, timeout_s)

    def admin(self) -> AppClient:
        return self.app(self.names.admin_app)


def connect(home: Home, catalog: str | None) -> Session:
    """Raises `NotRunning`."""
    connection = running(home)
    if connection is None:
        raise NotRunning(home)
    return session(connection, home.catalog(catalog))


def session(connection: Connection, catalog: str) -> Session:
    workspace = workspace_client(host=connection.url, token=connection.token, product="caspers-cli")
    return Session(connection, workspace, Names(catalog))


def status_of(
    home: Home, catalog: str | None, nothing: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The status object from the admin app, and what the workers report in full.

    Without the admin app: what can be said from outside, on top of `nothing`.
    """
    current = connect(home, catalog)
    outside = nothing | {"workspace": {"state": "running", "url": current.connection.url}}
    try:
        admin = current.admin()
        return admin.get("/status"), admin.get("/workers")
    except NotFound:
        return outside, {}
    except CaspersError as error:
        state = f"UNAVAILABLE: {error.message}"
        return outside | {"apps": {current.names.admin_app: {"state": state, "url": None}}}, {}
