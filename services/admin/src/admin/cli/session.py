"""What most commands need: the home, the running workspace, and clients for what is deployed there."""

from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
from caspers.errors import CaspersError, NotFound, Unavailable
from caspers.names import Names

from admin.cli.app_client import ADMIN_API, APP_API, TIMEOUT_S, AppClient
from admin.cli.home import Home
from admin.cli.workspace_process import Connection, running

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


class NotRunning(Unavailable):
    """The command needs a running workspace."""

    def __init__(self, home: Home) -> None:
        super().__init__(f"nothing runs on {home.path}", what_now="Start it with `caspers up`.")


@dataclass(frozen=True)
class Session:
    """A running workspace and the names of one demo in it."""

    connection: Connection
    names: Names

    @cached_property
    def workspace(self) -> "WorkspaceClient":
        """The platform's own client."""
        # It takes a second or two to import, and most commands do without.
        from caspers.clients.workspace import workspace_client  # noqa: PLC0415  see above

        return workspace_client(host=self.connection.url, token=self.connection.token, product="caspers-cli")

    def app(self, name: str, timeout_s: float = TIMEOUT_S, api: str = APP_API) -> AppClient:
        """A client of a deployed app, which waits so long for an answer. Raises `NotFound` while it is not deployed."""
        return AppClient(name, self.address_of(name, timeout_s), self.connection.token, timeout_s, api)

    def admin(self, timeout_s: float = TIMEOUT_S) -> AppClient:
        """A client of the control plane."""
        return self.app(self.names.admin_app, timeout_s, ADMIN_API)

    def address_of(self, app: str, timeout_s: float = TIMEOUT_S) -> str:
        """Where a deployed app answers. Raises `NotFound`, or `Unavailable` when the workspace does not answer."""
        # Asked by hand: to import the platform's SDK takes longer than all else that most commands do.
        try:
            answer = httpx.get(
                f"{self.connection.url}/api/2.0/apps/{app}",
                headers={"Authorization": f"Bearer {self.connection.token}"},
                timeout=timeout_s,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise Unavailable(f"the workspace does not answer: {error}") from error
        if answer.status_code not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
            raise Unavailable(f"the workspace does not answer as itself (HTTP {answer.status_code})")
        url: str | None = answer.json().get("url")
        if not url:
            raise NotFound(f"app {app} is not deployed", what_now="Deploy it with `caspers up`.")
        return url


def connect(home: Home, catalog: str | None) -> Session:
    """Raises `NotRunning`."""
    connection = running(home)
    if connection is None:
        raise NotRunning(home)
    return session(connection, home.catalog(catalog))


def session(connection: Connection, catalog: str) -> Session:
    return Session(connection, Names(catalog))


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
        return admin.get("/status"), {worker["name"]: worker for worker in admin.get("/workers")}
    except NotFound:
        return outside, {}
    except CaspersError as error:
        state = f"UNAVAILABLE: {error.message}"
        return outside | {"apps": {current.names.admin_app: {"state": state, "url": None}}}, {}
