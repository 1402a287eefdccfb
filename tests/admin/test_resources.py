"""Every kind of resource keeps the same promises, against a real workspace."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from admin.connections import Connections
from admin.declarations import Output, Resource, Stage
from admin.engine.engine import Engine
from admin.engine.registry import FileRegistry
from admin.resources.kind import Declared, Kind
from admin.resources.kinds import kinds
from admin.resources.principal import OwnPrincipal
from admin.runs.run import Run, RunOrder
from admin.sources import Sources
from admin.stages.specifications import CONTROL_DATABASE, grants
from caspers.clients.workspace import workspace_client
from caspers.clock import SystemClock
from caspers.errors import NotFound
from caspers.names import quoted
from caspers.settings import Settings

from tests.support.workspace import LocalWorkspace

REPOSITORY = Path(__file__).parents[2]
CLOCK = SystemClock()
CONTROL = {"endpoint": Output("project", "endpoint"), "database": CONTROL_DATABASE}


def project(suffix: str) -> Resource:
    return Resource("project", "lakebase_project", f"test-{suffix}")


def database() -> Resource:
    spec = {"branch": Output("project", "branch"), "owner": Output("project", "owner")}
    return Resource("database", "lakebase_database", CONTROL_DATABASE, spec)


def schema(catalog: str) -> Resource:
    return Resource("schema", "uc_schema", f"{catalog}.stuff")


def control_schema() -> Resource:
    return Resource("control schema", "control_schema", CONTROL_DATABASE, CONTROL, ("database",))


def orders() -> Resource:
    # A worker that nobody runs can only be told to stop; that it obeys is the business of the whole product's tests.
    spec = {**CONTROL, "desired": "stopped", "parameters": {"speed": 2.0}, "until": "anything", "offers": []}
    return Resource("orders", "worker_orders", "nobody", spec, ("control schema",))


POSTGRES = {"endpoint": Output("project", "endpoint"), "database": "caspers"}
FOUNDATION_MODEL = "databricks-meta-llama-3-3-70b-instruct"


def followed_table(catalog: str) -> Resource:
    spec = {"columns": [["id", "STRING"], ["ts", "TIMESTAMP"]], "key": ["id"], "change_feed": True}
    return Resource("table", "delta_table", f"{catalog}.stuff.rows", spec, ("schema",))


def caspers_database() -> Resource:
    spec = {"branch": Output("project", "branch"), "owner": Output("project", "owner")}
    return Resource("database", "lakebase_database", "caspers", spec)


def synced(catalog: str, suffix: str) -> list[Resource]:
    spec = {
        **POSTGRES,
        "branch": Output("project", "branch"),
        "source": f"{catalog}.stuff.rows",
        "key": ["id"],
        "pipeline_storage": {"catalog": catalog, "schema": "stuff"},
    }
    table = Resource("synced", "synced_table", f"{catalog}.stuff.pg_rows", spec, ("table", "database"))
    return [schema(catalog), followed_table(catalog), project(suffix), caspers_database(), table]


def index() -> Resource:
    spec = {**POSTGRES, "schema": "stuff", "table": "pg_rows", "column": "ts"}
    return Resource("index", "postgres_index", "pg_rows_ts", spec, ("synced",))


def access() -> Resource:
    # A role that every cluster has and that may read no table by itself.
    spec = {**POSTGRES, "schema": "stuff", "table": "pg_rows", "role": "pg_monitor"}
    return Resource("access", "synced_access", "monitor", spec, ("synced",))


def function(catalog: str) -> Resource:
    spec = {
        "definition": "CREATE OR REPLACE FUNCTION {function}(n INT) RETURNS TABLE (id STRING) "
        "RETURN SELECT id FROM {stuff}.rows WHERE n > 0",
        "schemas": {"stuff": f"{catalog}.stuff"},
    }
    return Resource("function", "sql_function", f"{catalog}.stuff.some", spec, ("table",))


CASES: dict[str, Callable[[str, str], list[Resource]]] = {
    "catalog": lambda _catalog, suffix: [Resource("catalog", "catalog", f"test_{suffix}")],
    "control_schema": lambda _catalog, suffix: [project(suffix), database(), control_schema()],
    "delta_table": lambda catalog, _suffix: [schema(catalog), followed_table(catalog)],
    "grants": lambda catalog, _suffix: [
        schema(catalog),
        Resource(
            "grant",
            "grants",
            "everyone in schema",
            {
                **grants("schema", f"{catalog}.stuff", Output("", ""), "USE_SCHEMA"),
                "principal": "account users",
            },
            ("schema",),
        ),
    ],
    "lakebase_catalog": lambda _catalog, suffix: [
        project(suffix),
        caspers_database(),
        Resource(
            "registration",
            "lakebase_catalog",
            f"test_{suffix}_pg",
            {"branch": Output("project", "branch"), "database": "caspers"},
            ("database",),
        ),
    ],
    "lakebase_database": lambda _catalog, suffix: [project(suffix), database()],
    "lakebase_project": lambda _catalog, suffix: [project(suffix)],
    "model_endpoint": lambda _catalog, _suffix: [Resource("model", "model_endpoint", FOUNDATION_MODEL)],
    "pipeline_table": lambda catalog, _suffix: [
        schema(catalog),
        followed_table(catalog),
        Resource("awaited", "pipeline_table", f"{catalog}.stuff.rows", needs=("table",)),
    ],
    "postgres_index": lambda catalog, suffix: [*synced(catalog, suffix), index()],
    "sql_function": lambda catalog, _suffix: [schema(catalog), followed_table(catalog), function(catalog)],
    "synced_access": lambda catalog, suffix: [*synced(catalog, suffix), access()],
    "synced_table": synced,
    "text_table": lambda catalog, _suffix: [
        schema(catalog),
        Resource("table", "text_table", f"{catalog}.stuff.rows", {"columns": ["key", "name"]}, ("schema",)),
    ],
    "uc_schema": lambda catalog, _suffix: [schema(catalog)],
    "volume": lambda catalog, _suffix: [
        schema(catalog),
        Resource("volume", "volume", f"{catalog}.stuff.files", needs=("schema",)),
    ],
    "warehouse": lambda _catalog, _suffix: [Resource("warehouse", "warehouse", "caspers", {"id": ""})],
    "workspace_folder": lambda _catalog, suffix: [
        Resource(
            "folder",
            "workspace_folder",
            f"/Workspace/Shared/test_{suffix}",
            {"source": "replayer", "digest": "1"},
        )
    ],
}
"""The resources that show one kind at work; what it needs comes first."""

DRIVEN_ELSEWHERE = {
    "app_compute": "tests/e2e",
    "app_release": "tests/e2e",
    "control_access": "tests/e2e",
    "databricks_app": "tests/e2e",
    "parquet_table": "tests/e2e",
    "pipeline": "tests/e2e",
    "pipeline_job": "tests/e2e",
    "pipeline_update": "tests/e2e",
    "worker_orders": "tests/e2e",
}
"""Kinds that only show anything with an app or a pipeline behind them. This list may only shrink."""

STAYS = {"model_endpoint", "warehouse"}
"""Kinds that are shared: what was there before us stays after a teardown."""


class Bench:
    """An engine over real kinds, with a registry in a file."""

    def __init__(self, workspace: LocalWorkspace, path: Path) -> None:
        client = workspace_client(host=workspace.url, token=workspace.token)
        self.connections = Connections(client, Settings(postgres_sslmode="prefer"))
        self.kinds = kinds(client, self.connections.warehouse, self.connections.database, Sources(REPOSITORY))
        self.registry = FileRegistry(path / "registry.json")
        self.engine = Engine(self.kinds, self.registry, CLOCK, OwnPrincipal(client))

    def provision(self, resources: list[Resource]) -> dict[str, str]:
        run = Run("1", RunOrder("provision"), CLOCK)
        self.engine.provision([Stage("Stage", "Stage", (), tuple(resources))], run)
        assert run.state == "succeeded", run.error
        return {key: step.state for key, step in run.steps.items()}

    def teardown(self) -> None:
        run = Run("1", RunOrder("teardown"), CLOCK)
        self.engine.teardown(list(self.registry.entries().values()), run)
        assert run.state == "succeeded", run.error

    def found(self, resource: Resource) -> Any:
        kind: Kind = self.kinds[resource.kind]
        entry = self.registry.entries().get(resource.key)
        return kind.read(Declared(resource.name, entry.spec if entry else {}, entry.id if entry else ""))


@pytest.fixture
def bench(workspace: LocalWorkspace, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(workspace, tmp_path)
    yield made
    made.teardown()
    made.connections.close()


def test_every_kind_is_held_to_the_promises_or_driven_elsewhere(bench: Bench):
    assert CASES.keys() | DRIVEN_ELSEWHERE.keys() == bench.kinds.keys()
    assert not CASES.keys() & DRIVEN_ELSEWHERE.keys()


@pytest.mark.parametrize("kind", CASES)
def test_ensured_twice_changes_nothing_and_deleted_twice_succeeds(kind: str, bench: Bench, catalog: str):
    resources = CASES[kind](catalog, secrets.token_hex(4))
    bench.provision(resources)
    assert set(bench.provision(resources).values()) == {"unchanged"}
    last = resources[-1]
    assert bench.found(last) is not None
    bench.teardown()
    assert bench.kinds[kind].parents or (bench.found(last) is None) != (kind in STAYS)
    bench.teardown()


@pytest.mark.parametrize("kind", CASES)
def test_what_exists_but_is_not_recorded_is_adopted(kind: str, bench: Bench, catalog: str):
    resources = CASES[kind](catalog, secrets.token_hex(4))
    bench.provision(resources)
    bench.registry.forget(*(resource.key for resource in resources))
    bench.provision(resources)
    assert {entry.state for entry in bench.registry.entries().values()} == {"ready"}


def test_a_catalog_that_was_there_before_us_is_used_and_left(
    bench: Bench, catalog: str, workspace: LocalWorkspace
):
    bench.provision([Resource("catalog", "catalog", catalog)])
    bench.teardown()
    assert workspace.client.catalogs.get(catalog).name == catalog


def test_orders_are_written_once_and_read_back(bench: Bench):
    bench.provision([project(secrets.token_hex(4)), database(), control_schema()])
    kind = bench.kinds["worker_orders"]
    endpoint = bench.registry.entries()["project"].outputs["endpoint"]
    wanted = Declared("nobody", {**orders().spec, "endpoint": endpoint})
    assert kind.read(wanted) is None
    kind.create(wanted)
    found = kind.read(wanted)
    assert found is not None
    assert (found.state, found.settings) == ("working", {"desired": "stopped"})


def test_a_changed_source_replaces_the_whole_folder(bench: Bench, workspace: LocalWorkspace):
    path = f"/Workspace/Shared/test_{secrets.token_hex(4)}"
    bench.provision([Resource("folder", "workspace_folder", path, {"source": "replayer", "digest": "1"})])
    workspace.client.workspace.mkdirs(f"{path}/left_behind")
    bench.provision([Resource("folder", "workspace_folder", path, {"source": "replayer", "digest": "2"})])
    there = {Path(each.path or "").name for each in workspace.client.workspace.list(path)}
    assert "app.yaml" in there
    assert "left_behind" not in there


def test_a_synced_table_made_anew_gets_its_index_and_its_readers_back(
    bench: Bench, workspace: LocalWorkspace, catalog: str
):
    resources = [*synced(catalog, secrets.token_hex(4)), index(), access()]
    bench.provision(resources)
    workspace.client.postgres.delete_synced_table(f"synced_tables/{catalog}.stuff.pg_rows").wait()
    states = bench.provision(resources)
    assert {key for key, state in states.items() if state == "done"} == {"synced", "index", "access"}
    assert set(bench.provision(resources).values()) == {"unchanged"}


def test_the_copy_that_a_deleted_synced_table_left_goes_at_teardown(
    bench: Bench, workspace: LocalWorkspace, catalog: str
):
    suffix = secrets.token_hex(4)
    bench.provision(synced(catalog, suffix))
    workspace.client.postgres.delete_synced_table(f"synced_tables/{catalog}.stuff.pg_rows").wait()
    project = f"projects/{bench.registry.entries()['project'].name}"
    found = bench.found(synced(catalog, suffix)[-1])
    assert (found.state, found.message) == ("failed", "its copy in Postgres was left behind")
    entry = bench.registry.entries()["synced"]
    bench.kinds["synced_table"].delete(Declared(entry.name, entry.spec, entry.id))
    assert bench.found(synced(catalog, suffix)[-1]) is None
    assert workspace.client.postgres.get_project(project).name == project


def test_a_model_that_is_not_there_is_answered_with_those_that_are(bench: Bench):
    with pytest.raises(NotFound, match="no serving endpoint nobodys-model") as refusal:
        bench.kinds["model_endpoint"].create(Declared("nobodys-model", {}))
    assert FOUNDATION_MODEL in refusal.value.what_now


def test_a_function_answers_with_the_rows_of_its_demo(bench: Bench, catalog: str):
    bench.provision([schema(catalog), followed_table(catalog), function(catalog)])
    table, some = quoted(f"{catalog}.stuff.rows"), quoted(f"{catalog}.stuff.some")
    bench.connections.warehouse().execute("INSERT INTO " + table + " (id) VALUES ('one')")
    rows = bench.connections.warehouse().query("SELECT id FROM " + some + "(:n)", {"n": 1})
    assert rows.to_pylist() == [{"id": "one"}]
