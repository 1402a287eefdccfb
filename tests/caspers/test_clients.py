"""The clients against a running workspace: files, statements, databases, and what they say when something is wrong."""

import ast
import gc
import inspect
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from caspers.clients.lakebase import Lakebase, split_host
from caspers.clients.volume import Volume
from caspers.clients.warehouse import Warehouse
from caspers.clients.workspace import workspace_client
from caspers.errors import CaspersError, Conflict, Invalid, NotFound, Refused, Unavailable
from caspers.names import endpoint_path, quoted
from caspers.worker.orders import SCHEMA, read_orders, write_orders
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.postgres import Project, ProjectSpec

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

ENDLESS = (
    "SELECT count(*) AS n FROM range(1000000) AS a CROSS JOIN range(1000000) AS b WHERE a.id * b.id % 7 = 3"
)


@pytest.fixture
def client(workspace: LocalWorkspace) -> WorkspaceClient:
    return workspace_client(host=workspace.url, token=workspace.token)


@pytest.fixture
def volume(client: WorkspaceClient, catalog: str) -> Volume:
    client.schemas.create("simulator", catalog)
    client.volumes.create(catalog, "simulator", "misc", VolumeType.MANAGED)
    return Volume(client, f"/Volumes/{catalog}/simulator/misc")


@pytest.fixture
def warehouse(client: WorkspaceClient) -> Iterator[Warehouse]:
    first = next(iter(client.warehouses.list()))
    opened = Warehouse(client, first.id or "")
    yield opened
    opened.close()


@pytest.fixture
def endpoint(client: WorkspaceClient) -> Iterator[str]:
    project = f"test{secrets.token_hex(4)}"
    client.postgres.create_project(Project(spec=ProjectSpec(display_name=project)), project_id=project).wait()
    yield endpoint_path(project)
    client.postgres.delete_project(f"projects/{project}", purge=True).wait()


@contextmanager
def parsers_are_interrupted() -> Iterator[None]:
    """Whenever Python collects garbage while it parses, which it now does every few objects, other threads go on meanwhile."""

    def let_others_go_on(_phase: str, _info: dict[str, int]) -> None:
        own = inspect.currentframe()
        if own is not None and own.f_back is not None and own.f_back.f_code is ast.parse.__code__:
            threading.Event().wait(0.005)

    before = gc.get_threshold()
    gc.callbacks.append(let_others_go_on)
    gc.set_threshold(50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(let_others_go_on)


def test_a_file_written_whole_is_read_whole(volume: Volume):
    volume.write("state/_watermark", b"\x00day 70\xff")
    assert volume.read("state/_watermark") == b"\x00day 70\xff"
    assert [(file.name, file.size) for file in volume.list("state")] == [("_watermark", 8)]
    assert volume.exists("state/_watermark")


def test_files_that_are_not_there_are_said_not_to_be(volume: Volume):
    assert not volume.exists("nothing")
    assert volume.read_if_there("nothing") is None
    assert volume.list("nowhere") == []
    volume.delete("nothing")
    with pytest.raises(NotFound):
        volume.read("nothing")


def test_a_file_is_replaced_only_where_that_is_meant(volume: Volume):
    volume.write("a", b"1")
    volume.write("a", b"2")
    with pytest.raises(Conflict):
        volume.write("a", b"3", overwrite=False)
    assert volume.read("a") == b"2"


@pytest.mark.parametrize("name", ["../other/x", "a/../../x", ".."])
def test_a_name_cannot_leave_the_volume(volume: Volume, name: str):
    with pytest.raises(Invalid):
        volume.write(name, b"")


def test_many_threads_open_sessions_at_once(client: WorkspaceClient):
    warehouse_id = next(iter(client.warehouses.list())).id or ""

    def ask(calls_above: int) -> int:
        if calls_above:
            return ask(calls_above - 1)
        opened = Warehouse(client, warehouse_id)
        try:
            return opened.query("SELECT 1 AS one").num_rows
        finally:
            opened.close()

    with parsers_are_interrupted(), ThreadPoolExecutor(6) as threads:
        assert list(threads.map(ask, range(6))) == [1] * 6


def test_statements_take_values_and_give_arrow(warehouse: Warehouse):
    table = warehouse.query("SELECT :n + 1 AS n, :s AS s", {"n": 41, "s": "it's; --"})
    assert table.to_pylist() == [{"n": 42, "s": "it's; --"}]


@pytest.mark.usefixtures("volume")
def test_a_table_is_made_changed_and_read_by_its_quoted_name(warehouse: Warehouse, catalog: str):
    table = quoted(f"{catalog}.simulator.counts")
    warehouse.execute(f"CREATE TABLE {table} (n INT)")
    warehouse.execute(f"INSERT INTO {table} VALUES (1), (2), (3)")
    assert warehouse.query(f"SELECT sum(n) AS total FROM {table}").to_pylist() == [{"total": 6}]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [("SELEC 1", Invalid), ("SELECT * FROM no.such.place", NotFound), ("SELECT 1/0", Invalid)],
)
def test_bad_statements_are_refused_with_the_engines_words(
    warehouse: Warehouse, statement: str, kind: type[CaspersError]
):
    with pytest.raises(kind) as refused:
        warehouse.query_text(statement)
    assert len(refused.value.message) > 10
    assert warehouse.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_statement_whose_engine_is_lost_may_work_later(workspace: LocalWorkspace, warehouse: Warehouse):
    assert warehouse.query("SELECT 1 AS one").num_rows == 1
    engine = workspace.engine()
    worked_s = engine.cpu_times().user
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(warehouse.query, ENDLESS)
        wait_for(lambda: engine.cpu_times().user > worked_s + 0.5, what="the statement is under way")
        engine.kill()
    assert isinstance(asked.exception(), Unavailable)
    assert warehouse.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_wrong_token_is_refused_and_not_retried(workspace: LocalWorkspace):
    stranger = workspace_client(host=workspace.url, token="not-a-token")
    with pytest.raises(Refused):
        Volume(stranger, "/Volumes/main/default/misc").read("x")


def test_orders_travel_through_lakebase_with_a_rotating_token(client: WorkspaceClient, endpoint: str):
    database = Lakebase(client, endpoint, "databricks_postgres", sslmode="prefer")
    with database.transaction() as writer:
        writer.execute(SCHEMA)
        given = write_orders(writer, "replay", desired="running", parameters={"speed": 60})
    with database.reading() as reader:
        assert read_orders(reader, "replay") == given
    database.close()


def test_a_reader_cannot_write(client: WorkspaceClient, endpoint: str):
    database = Lakebase(client, endpoint, "databricks_postgres", sslmode="prefer")
    with pytest.raises(Refused), database.reading() as reader:
        reader.row("CREATE TABLE t (n int)")
    database.close()


def test_a_missing_endpoint_or_database_is_named(client: WorkspaceClient, endpoint: str):
    with pytest.raises(NotFound, match="nowhere"), Lakebase(client, endpoint_path("nowhere"), "x").reading():
        pass
    with (
        pytest.raises((NotFound, Unavailable)),
        Lakebase(client, endpoint, "absent", sslmode="prefer").reading(),
    ):
        pass


def test_a_port_that_the_host_carries_decides():
    assert split_host("db.example.com", None) == ("db.example.com", 5432)
    assert split_host("127.0.0.1", 6000) == ("127.0.0.1", 6000)
    assert split_host("127.0.0.1:7000", 6000) == ("127.0.0.1", 7000)
