"""The admin for tests: the real control plane and app, over directories instead of a whole demo.

    with admin_cluster() as cluster:                       # once per session: a real Postgres
        control = cluster.open(cluster.new_database())     # the control database, with the workers' tables
        admin = Admin(tmp_path, None, control)             # stages of directories below tmp_path
        admin.kind.fails.add("Canonical_Data b")           # the next run fails there
        with admin.serve() as served:                      # the real app on a free port, in this process
            served.client.post("/api/v1/runs", json={"target": "free"}, headers=person("ada"))

Two of them over one database and one directory are two admins of one catalog. `control=None`: no control database yet;
`admin.control = …` brings it into being.
"""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from admin import api, pages
from admin.assembly import Ground, assemble
from admin.connections import Connections
from admin.control_tables import ControlTables
from admin.declarations import Resource, Stage
from admin.demo_stages import DemoStages
from admin.engine.registry import FileRegistry
from admin.roles import Actor
from admin.shapes import RunDetail
from admin.sources import Sources
from admin.stages import targets
from admin.undertaking import Wish
from caspers.clients.postgres import Postgres
from caspers.clock import SystemClock
from caspers.ids import new_id
from caspers.settings import Parameters, Settings
from caspers.web.app import base_app
from caspers.web.turns import share_few_threads
from caspers.worker.orders import SCHEMA, write_orders
from caspers.worker.reports import write_report
from caspers.worker.states import Observed, WorkerReport
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from fastapi import FastAPI

from tests.admin.directories import US, Directory
from tests.caspers.serving import Served, free_port, serving
from tests.support.postgres import Cluster
from tests.support.source import ROOT
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

CLOCK = SystemClock()
NOBODY = "http://127.0.0.1:9"
"""An address where no workspace answers."""

OWNER = "ada@example.com"
ADA = Actor(OWNER, "owner")

STAGES: Mapping[str, tuple[str, ...]] = {
    targets.FOUNDATION: (),
    targets.CANONICAL_DATA: (targets.FOUNDATION,),
    targets.PIPELINE: (targets.CANONICAL_DATA,),
    targets.REFUND_AGENT: (targets.PIPELINE,),
    targets.REFUND_STREAM: (targets.PIPELINE,),
    targets.REVERSE_ETL: (targets.REFUND_STREAM,),
    targets.REFUND_MANAGER: (targets.REVERSE_ETL, targets.REFUND_AGENT),
    targets.COMPLAINT_AGENT: (targets.PIPELINE,),
    targets.COMPLAINT_GENERATOR_STREAM: (targets.PIPELINE,),
    targets.COMPLAINT_AGENT_STREAM: (targets.COMPLAINT_GENERATOR_STREAM, targets.COMPLAINT_AGENT),
    targets.COMPLAINT_LAKEBASE: (targets.COMPLAINT_AGENT_STREAM,),
    targets.COMPLAINT_CONSOLE: (targets.COMPLAINT_LAKEBASE,),
}
"""The stages of the demo with their needs; here each is two directories, `NAME a` and then `NAME b`."""


class StagesOfDirectories(DemoStages):
    """The demo's stages, made of directories; START_DAY is a setting of each."""

    def _declare(self, parameters: Parameters) -> list[Stage]:
        return [_stage(name, needs, parameters) for name, needs in STAGES.items()]


class Admin:
    """One admin of one catalog."""

    def __init__(
        self,
        root: Path,
        workspace: LocalWorkspace | None,
        control: Postgres | None,
        *,
        catalog: str = "test_demo",
    ) -> None:
        """Without a workspace only what asks the platform itself (status, replay) is unavailable."""
        self.control = control
        self.settings = Settings.model_validate(
            {
                "app_name": "admin",
                "app_port": free_port(),
                "catalog": catalog,
                "admin_owner": OWNER,
                "log_level": "WARNING",
            }
        )
        (root / "platform").mkdir(exist_ok=True)
        self.kind = Directory(root / "platform")
        client = workspace.client if workspace else _nobodys_client()
        self.connections = Connections(client, self.settings)
        self.desk = assemble(
            Ground(
                settings=self.settings,
                workspace=client,
                connections=self.connections,
                tables=ControlTables(lambda: self.control, CLOCK),
                registry=FileRegistry(root / "registry.json"),
                kinds={"directory": self.kind},
                whoami=lambda: US,
                stages=StagesOfDirectories(self.settings, Sources(ROOT)),
                clock=CLOCK,
                new_id=new_id,
            )
        )

    def run(self, target: str = "free", **wish: Any) -> RunDetail:
        """Start a run as the owner, and wait for its end."""
        run, _ = self.desk.plane.start(Wish(target=target, **wish), ADA)
        return self.ended(run.run_id)

    def ended(self, run_id: str) -> RunDetail:
        """A run once it is over."""
        wait_for(
            lambda: self.desk.runs.detail(run_id).state not in {"running", "cancelling"},
            what="the run is over",
        )
        return self.desk.runs.detail(run_id)

    def close(self) -> None:
        """End as a process does that is asked to."""
        self.desk.runs.close(patience_s=10)
        self.desk.replay.close()
        self.connections.close()

    def app(self) -> FastAPI:
        """Its web app."""

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
            share_few_threads()
            yield

        app = base_app("Casper's admin", self.settings, look=pages.LOOK, lifespan=lifespan)
        api.install(app, self.desk)
        pages.install(app, self.desk, CLOCK)
        return app

    @contextmanager
    def serve(self) -> Generator[Served]:
        """Its web app, serving on a free port until the end of the block."""
        with serving(self.app()) as served:
            yield served


@contextmanager
def admin_cluster() -> Generator[Cluster]:
    """A running Postgres whose new databases hold the workers' tables, as the stage Canonical_Data makes them."""
    cluster = Cluster().start(SCHEMA)
    try:
        yield cluster
    finally:
        cluster.remove()


def person(name: str) -> dict[str, str]:
    """The headers that the platform's proxy sets for this person."""
    email = f"{name}@example.com"
    return {"X-Forwarded-User": name, "X-Forwarded-Email": email, "X-Forwarded-Preferred-Username": name}


def give_orders(control: Postgres, worker: str, **parameters: Any) -> None:
    """Tell a worker to run."""
    with control.transaction() as writer:
        write_orders(writer, worker, desired="running", parameters=parameters)


def report(control: Postgres, worker: str, observed: Observed, generation: int = 1, **progress: Any) -> None:
    """What a worker would say of itself now."""
    now = CLOCK.now()
    with control.transaction() as writer:
        write_report(writer, WorkerReport(worker, generation, observed, now, now, now, progress))


def rows(control: Postgres, statement: Any, **values: Any) -> list[Any]:
    """The rows of a statement on the control database."""
    with control.reading() as reader:
        return [tuple(row) for row in reader.rows(statement, **values)]


@cache
def _nobodys_client() -> WorkspaceClient:
    """A client that soon finds that nobody answers; making one already takes a look."""
    return WorkspaceClient(config=Config(host=NOBODY, token="none", auth_type="pat", retry_timeout_seconds=1))


def _stage(name: str, needs: tuple[str, ...], parameters: Parameters) -> Stage:
    spec = {"start_day": parameters.start_day}
    first = Resource(f"{name} a", "directory", f"{name} a", spec, tuple(f"{need} b" for need in needs))
    second = Resource(f"{name} b", "directory", f"{name} b", spec, (f"{name} a",))
    return Stage(name, name.replace("_", " "), needs, (first, second))
