"""A small demo of quick kinds with the real foundation, and an engine for it that runs in a process of its own.

The processes are forked from a server that has imported everything, so one more costs next to nothing.
"""

import multiprocessing
import os
import secrets
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

from admin.connections import Connections
from admin.declarations import Output, Resource, Stage
from admin.engine.engine import Engine
from admin.engine.table_registry import TableRegistry, registry_columns
from admin.resources.kinds import kinds
from admin.resources.principal import OwnPrincipal
from admin.runs.run import Run, RunOrder
from admin.sources import Sources
from admin.stages import Demo
from admin.stages.foundation import foundation
from admin.stages.specifications import grants
from caspers.clients.workspace import workspace_client
from caspers.clock import SystemClock
from caspers.names import Names
from caspers.settings import Parameters, Settings
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from tests.support.workspace import LocalWorkspace

Act = Literal["provision", "teardown"]
PATIENCE_S = 120
CONTROL = {"endpoint": Output("project", "endpoint"), "database": "control"}


@dataclass(frozen=True)
class SmallDemo:
    """One demo in one workspace."""

    url: str
    token: str
    catalog: str
    sources: str
    """A folder with the files of its bundle, below where `Sources` expects them."""
    with_lakebase: bool = False

    @property
    def names(self) -> Names:
        return Names(self.catalog)

    def start(self, act: Act, *, parallel: int = 8) -> BaseProcess:
        """Begin to bring it about or take it away, in another process; its exit code is 0 when that succeeded."""
        process = _CONTEXT.Process(target=carry_out, args=(self, act, parallel))
        process.start()
        return process

    def run(self, act: Act) -> None:
        """Bring it about or take it away; fails if that fails."""
        process = self.start(act)
        process.join(PATIENCE_S)
        assert process.exitcode == 0, f"{act} ended with {process.exitcode}; its words are on standard error"

    def run_until_it_succeeds(self, act: Act, *, at_most: int) -> None:
        """As people do when a run failed: start it again."""
        for _ in range(at_most):
            process = self.start(act)
            process.join(PATIENCE_S)
            if process.exitcode == 0:
                return
        raise AssertionError(f"{act} failed {at_most} times")

    def left(self, client: WorkspaceClient) -> list[str]:
        """What the platform still has of it, asked by name; empty when it is gone."""
        found = [f"app {it.name}" for it in client.apps.list() if it.name == self.names.replayer_app]
        found += [
            f"pipeline {it.name}" for it in client.pipelines.list_pipelines() if it.name == self.pipeline
        ]
        found += [f"job {it.job_id}" for it in client.jobs.list(name=self.pipeline)]
        found += [f"catalog {it.name}" for it in client.catalogs.list() if it.name == self.catalog]
        project = f"projects/{self.names.control_project}"
        found += [project for it in client.postgres.list_projects() if it.name == project]
        try:
            client.workspace.get_status(self.names.order_items_folder)
        except NotFound:
            return found
        return [*found, f"folder {self.names.order_items_folder}"]

    @property
    def pipeline(self) -> str:
        return self.names.order_items_pipeline

    def stages(self) -> list[Stage]:
        demo = Demo(Parameters(catalog=self.catalog), {})
        parts = (
            *self._data(),
            *self._pipeline(),
            *self._app(),
            *(self._lakebase() if self.with_lakebase else ()),
        )
        return [
            Stage("Foundation", "Foundation", (), foundation(demo)),
            Stage("Parts", "Parts", ("Foundation",), tuple(_after_registry(part) for part in parts)),
        ]

    def _data(self) -> tuple[Resource, ...]:
        schema = f"{self.catalog}.stuff"
        columns = {"columns": [["id", "STRING"]], "key": ["id"], "change_feed": True}
        function = {
            "definition": "CREATE OR REPLACE FUNCTION {function}(n INT) RETURNS TABLE (id STRING) "
            "RETURN SELECT id FROM {stuff}.rows WHERE n > 0",
            "schemas": {"stuff": schema},
        }
        return (
            Resource("schema", "uc_schema", schema, needs=("catalog",)),
            Resource("volume", "volume", f"{schema}.files", needs=("schema",)),
            Resource("table", "delta_table", f"{schema}.rows", columns, ("schema", "warehouse")),
            Resource("function", "sql_function", f"{schema}.some", function, ("table",)),
        )

    def _pipeline(self) -> tuple[Resource, ...]:
        folder = {"source": "order_items", "digest": "1"}
        pipeline = {
            "catalog": self.catalog, "schema": "stuff", "root_path": Output("folder", "path"), "continuous": False,
            "configuration": {},
        }  # fmt: skip
        job = {"pipeline_id": Output("pipeline", "id"), "quartz": "0 0 0 1 1 ? 2099"}
        return (
            Resource("folder", "workspace_folder", self.names.order_items_folder, folder),
            Resource("pipeline", "pipeline", self.pipeline, pipeline, ("schema",)),
            Resource("job", "pipeline_job", self.pipeline, job),
        )

    def _app(self) -> tuple[Resource, ...]:
        right = grants("schema", f"{self.catalog}.stuff", Output("app", "principal"), "USE_SCHEMA")
        return (
            Resource(
                "app", "databricks_app", self.names.replayer_app, {"description": "small", "resources": []}
            ),
            Resource("right", "grants", "app in schema", right, ("schema",)),
        )

    def _lakebase(self) -> tuple[Resource, ...]:
        database = {"branch": Output("project", "branch"), "owner": Output("project", "owner")}
        return (
            Resource("project", "lakebase_project", self.names.control_project),
            Resource("database", "lakebase_database", "control", database),
            Resource("control schema", "control_schema", "control", CONTROL, ("database",)),
            Resource(
                "access", "control_access", "app", {**CONTROL, "role": "pg_monitor"}, ("control schema",)
            ),
        )


def small_demo(workspace: LocalWorkspace, sources: Path, *, with_lakebase: bool = False) -> SmallDemo:
    """A demo in this workspace that does not exist yet, with two files to upload."""
    folder = sources / "pipelines" / "order_items" / "transformations"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text("one = 1")
    (folder / "two.py").write_text("two = 2")
    catalog = f"small_{secrets.token_hex(3)}"
    return SmallDemo(workspace.url, workspace.token, catalog, str(sources), with_lakebase=with_lakebase)


def carry_out(demo: SmallDemo, act: Act, parallel: int) -> None:
    """What a process of `SmallDemo` does: an admin's part, without its web."""
    clock = SystemClock()
    client = workspace_client(host=demo.url, token=demo.token)
    connections = Connections(client, Settings(catalog=demo.catalog, postgres_sslmode="prefer"))
    every_kind = kinds(client, connections.warehouse, connections.database, Sources(Path(demo.sources)))
    registry = TableRegistry(demo.names, connections.warehouse, lambda: registry_columns(client, demo.names))
    engine = Engine(every_kind, registry, clock, OwnPrincipal(client), parallel=parallel)
    run = Run("1", RunOrder(act), clock)
    if act == "provision":
        engine.provision(demo.stages(), run)
    else:
        engine.teardown(list(engine.everything(demo.stages()).values()), run)
    if run.state != "succeeded":
        raise SystemExit(run.error)


def kill(process: BaseProcess) -> None:
    """As a crash would, at once; one that has ended already stays ended."""
    assert process.pid is not None
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.join(PATIENCE_S)


def _after_registry(resource: Resource) -> Resource:
    return Resource(resource.key, resource.kind, resource.name, resource.spec, (*resource.needs, "registry"))


_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.admin.small_demo"])
