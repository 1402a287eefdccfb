"""Deploy the admin app: the one thing that a person's own credentials do. From there on the admin works by itself."""

from collections.abc import Callable
from threading import Event, Thread

from caspers.clock import Clock
from caspers.errors import CaspersError, Unavailable
from caspers.ids import new_id

from admin.bootstrap import admin_stage
from admin.cli import show
from admin.cli.home import Home
from admin.cli.options import REPOSITORY
from admin.cli.session import Session
from admin.engine.engine import Engine
from admin.engine.registry import FileRegistry
from admin.resources.databricks_app import AppCompute, AppRelease, DatabricksApp
from admin.resources.grants import Grants
from admin.resources.kind import Kind
from admin.resources.principal import OwnPrincipal
from admin.resources.workspace_folder import WorkspaceFolder
from admin.runs.run import Run, RunOrder
from admin.sources import ADMIN, Sources

LOCAL_ENVIRONMENT = {"PGSSLMODE": "prefer"}
"""The local Lakebase listens on the loopback interface, without TLS."""

PATIENCE_S = 60.0
POLL_S = 0.1


def deploy_admin(current: Session, home: Home, clock: Clock) -> None:
    """See to it that the admin app of this checkout runs and answers. Raises `Unavailable`."""
    sources = Sources(REPOSITORY)
    workspace = current.workspace
    whoami = OwnPrincipal(workspace)
    metastore = workspace.metastores.current().metastore_id or ""
    environment = {**LOCAL_ENVIRONMENT, "ADMIN_OWNER": whoami()}
    stage = admin_stage(current.names, sources.digest(ADMIN), metastore, environment)
    kinds: dict[str, Kind] = {
        "workspace_folder": WorkspaceFolder(workspace, sources),
        "databricks_app": DatabricksApp(workspace),
        "grants": Grants(workspace),
        "app_compute": AppCompute(workspace),
        "app_release": AppRelease(workspace),
    }
    registry = FileRegistry(home.bootstrap_registry(current.names.catalog))
    run = Run(new_id(), RunOrder("provision", (stage.name,)), clock)
    engine = Engine(kinds, registry, clock, whoami)
    _in_background(run, lambda: engine.provision([stage], run))
    _wait_for_admin(current, clock)


def _in_background(run: Run, work: Callable[[], None]) -> None:
    """Do the work in a thread while this one shows its steps."""
    thread = Thread(target=work, name="bootstrap")
    thread.start()
    try:
        outcome = show.follow(run.as_json)
    finally:
        run.stop.set()
        thread.join()
    if outcome["state"] != "succeeded":
        raise Unavailable(
            outcome["error"], what_now="Put it right, then call `caspers up` again: it goes on from here."
        )


def _wait_for_admin(current: Session, clock: Clock) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    pause = Event()
    while True:
        try:
            current.admin().get("/targets")
        except CaspersError as error:
            if clock.monotonic() > deadline:
                raise Unavailable(
                    f"the admin app does not answer: {error.message}", what_now="Its log tells why."
                ) from error
        else:
            return
        pause.wait(POLL_S)
