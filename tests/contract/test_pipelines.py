"""Pipelines through the SDK: settings, updates, events, continuous running, deletion."""

import io
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    BadRequest,
    DatabricksError,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceConflict,
)
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.pipelines import (
    EventLevel,
    FileLibrary,
    NotebookLibrary,
    PathPattern,
    PipelineLibrary,
    PipelineState,
    UpdateInfoState,
)
from databricks.sdk.service.workspace import ImportFormat

from tests.support.pipelines import ORDER_ITEMS, lines, order
from tests.support.processes import descendants
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

OVER = {UpdateInfoState.COMPLETED, UpdateInfoState.FAILED, UpdateInfoState.CANCELED}


@dataclass(frozen=True)
class Place:
    """A catalog with a volume, and a folder of pipeline source beside it."""

    client: WorkspaceClient
    workspace: LocalWorkspace
    catalog: str

    @property
    def folder(self) -> str:
        return f"/Workspace/Shared/{self.catalog}/transformations"

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "name": f"{self.catalog}-order-items",
            "catalog": self.catalog,
            "schema": "lakeflow",
            "serverless": True,
            "libraries": [PipelineLibrary(glob=PathPattern(include=f"{self.folder}/**"))],
            "configuration": {"caspers.events_path": f"/Volumes/{self.catalog}/default/events"},
        } | more

    def create(self, **more: Any) -> str:
        pipeline_id = self.client.pipelines.create(**self.settings(**more)).pipeline_id
        assert pipeline_id is not None
        return pipeline_id

    def source(self, name: str, text: str) -> None:
        path = f"{self.folder}/{name}"
        self.client.workspace.upload(path, io.BytesIO(text.encode()), format=ImportFormat.RAW, overwrite=True)

    def put(self, name: str, content: bytes) -> None:
        self.client.files.upload(f"/Volumes/{self.catalog}/default/events/{name}", io.BytesIO(content))

    def update(self, pipeline_id: str, **request: Any) -> UpdateInfoState:
        update_id = self.client.pipelines.start_update(pipeline_id, **request).update_id
        return wait_for(lambda: self.ended(pipeline_id, update_id), seconds=60, what="the update has ended")

    def ended(self, pipeline_id: str, update_id: str) -> UpdateInfoState | None:
        update = self.client.pipelines.get_update(pipeline_id, update_id).update
        assert update is not None
        return update.state if update.state in OVER else None

    def count(self, table: str) -> int:
        with self.workspace.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.catalog}.lakeflow.{table}")
            return cursor.fetchone()[0]


@pytest.fixture
def place(workspace: LocalWorkspace, catalog: str) -> Place:
    """The order items pipeline's source in the workspace, and an empty volume."""
    client = workspace.client
    client.volumes.create(catalog, "default", "events", VolumeType.MANAGED)
    place = Place(client, workspace, catalog)
    client.workspace.mkdirs(place.folder)
    for path in ORDER_ITEMS.glob("*.py"):
        place.source(path.name, path.read_text())
    return place


def test_a_triggered_update_fills_all_tables_and_reports_each_flow(place: Place):
    pipeline_id = place.create()
    place.put("1.json", lines(order("a", 0)))
    assert place.update(pipeline_id) is UpdateInfoState.COMPLETED
    assert place.count("all_events") == 8
    assert place.count("gold_order_header") == 1
    events = list(place.client.pipelines.list_pipeline_events(pipeline_id, order_by=["timestamp asc"]))
    flows = [
        event.origin.flow_name for event in events if event.event_type == "flow_progress" and event.origin
    ]
    assert flows[0] == "all_events"
    assert len(flows) == 7
    assert place.client.pipelines.get(pipeline_id).state is PipelineState.IDLE
    place.client.pipelines.delete(pipeline_id)


def test_its_tables_are_listed_with_their_kind_and_pipeline(place: Place):
    pipeline_id = place.create()
    place.update(pipeline_id)
    tables = {table.name: table for table in place.client.tables.list(place.catalog, "lakeflow")}
    assert tables["all_events"].table_type.value == "STREAMING_TABLE"
    assert tables["gold_brand_sales_day"].table_type.value == "MATERIALIZED_VIEW"
    assert tables["all_events"].pipeline_id == pipeline_id
    assert [column.name for column in tables["all_events"].columns][:3] == ["event_id", "event_type", "ts"]
    assert tables["all_events"].comment
    place.client.pipelines.delete(pipeline_id)
    assert not list(place.client.tables.list(place.catalog, "lakeflow"))


def test_deleting_without_cascade_keeps_the_tables(place: Place):
    pipeline_id = place.create()
    place.update(pipeline_id)
    place.client.pipelines.delete(pipeline_id, cascade=False)
    assert place.count("all_events") == 0
    with pytest.raises(NotFound):
        place.client.pipelines.get(pipeline_id)


def test_a_continuous_pipeline_starts_itself_and_follows_the_volume(place: Place):
    pipeline_id = place.create(continuous=True)
    place.put("1.json", lines(order("a", 0)))
    wait_for(
        lambda: _table_count(place, "gold_order_header") == 1, seconds=60, what="the first order is in gold"
    )
    began = time.monotonic()
    place.put("2.json", lines(order("b", 0)))
    wait_for(lambda: place.count("gold_order_header") == 2, what="the second order is in gold")
    assert time.monotonic() - began < 10
    assert place.client.pipelines.get(pipeline_id).state is PipelineState.RUNNING
    place.client.pipelines.stop_and_wait(pipeline_id)
    assert place.client.pipelines.get(pipeline_id).latest_updates[0].state.value == "CANCELED"
    place.client.pipelines.delete(pipeline_id)


def test_a_continuous_pipeline_whose_process_is_killed_goes_on(place: Place):
    pipeline_id = place.create(continuous=True)
    _wait_for_state(place, pipeline_id, PipelineState.RUNNING)
    os.kill(_runner_of(place.workspace), signal.SIGKILL)
    place.put("1.json", lines(order("a", 0)))
    wait_for(lambda: _table_count(place, "gold_order_header") == 1, seconds=60, what="the order is in gold")
    updates = place.client.pipelines.list_updates(pipeline_id).updates or []
    assert [update.state.value for update in updates] == ["RUNNING", "FAILED"]
    assert updates[0].cause.value == "RETRY_ON_FAILURE"
    place.client.pipelines.delete(pipeline_id)


def test_a_restarted_workspace_resumes_continuous_pipelines(tmp_path: Path):
    workspace = LocalWorkspace(tmp_path / "home").start()
    try:
        workspace.client.catalogs.create("c")
        workspace.client.volumes.create("c", "default", "events", VolumeType.MANAGED)
        place = Place(workspace.client, workspace, "c")
        workspace.client.workspace.mkdirs(place.folder)
        for path in ORDER_ITEMS.glob("*.py"):
            place.source(path.name, path.read_text())
        pipeline_id = place.create(continuous=True)
        _wait_for_state(place, pipeline_id, PipelineState.RUNNING)
        workspace.kill()
        workspace.start()
        place = Place(workspace.client, workspace, "c")
        place.put("1.json", lines(order("a", 0)))
        wait_for(
            lambda: _table_count(place, "gold_order_header") == 1, seconds=60, what="the order is in gold"
        )
    finally:
        workspace.stop()


def test_an_error_of_the_source_is_in_the_event_log(place: Place):
    place.source("gold.py", "raise ValueError('no such luck')\n")
    pipeline_id = place.create()
    assert place.update(pipeline_id) is UpdateInfoState.FAILED
    found = place.client.pipelines.list_pipeline_events(pipeline_id, filter="level in ('ERROR')")
    event = next(iter(found))
    assert event.level is EventLevel.ERROR
    assert event.error.exceptions[0].message == "gold.py failed: ValueError: no such luck (line 1)"
    assert place.client.pipelines.get(pipeline_id).state is PipelineState.FAILED
    place.client.pipelines.delete(pipeline_id)


def test_a_second_update_at_the_same_time_is_a_conflict(place: Place):
    pipeline_id = place.create()
    place.client.pipelines.start_update(pipeline_id)
    with pytest.raises(ResourceConflict, match="active update"):
        place.client.pipelines.start_update(pipeline_id)
    place.client.pipelines.stop_and_wait(pipeline_id)
    place.client.pipelines.delete(pipeline_id)


def test_validating_finds_faults_and_changes_nothing(place: Place):
    pipeline_id = place.create()
    assert place.update(pipeline_id, validate_only=True) is UpdateInfoState.COMPLETED
    assert "lakeflow" not in {schema.name for schema in place.client.schemas.list(place.catalog)}
    place.client.pipelines.delete(pipeline_id)


def test_a_full_refresh_of_everything_gives_the_same_rows(place: Place):
    pipeline_id = place.create()
    place.put("1.json", lines(order("a", 0)))
    place.update(pipeline_id)
    assert place.update(pipeline_id, full_refresh=True) is UpdateInfoState.COMPLETED
    assert place.count("all_events") == 8
    place.client.pipelines.delete(pipeline_id)


def test_settings_are_replaced_as_a_whole_and_answered(place: Place):
    pipeline_id = place.create(tags={"team": "a"})
    place.client.pipelines.update(pipeline_id, **place.settings(name="renamed-" + place.catalog))
    got = place.client.pipelines.get(pipeline_id)
    assert got.name == got.spec.name == "renamed-" + place.catalog
    assert got.spec.tags is None
    assert got.spec.libraries[0].glob.include.endswith("/**")
    listed = place.client.pipelines.list_pipelines(filter=f"name LIKE 'renamed-{place.catalog}'")
    assert [status.pipeline_id for status in listed] == [pipeline_id]
    place.client.pipelines.delete(pipeline_id)


def test_a_name_is_taken_once_unless_duplicates_are_allowed(place: Place):
    first = place.create()
    with pytest.raises(ResourceConflict):
        place.create()
    second = place.create(allow_duplicate_names=True)
    for pipeline_id in (first, second):
        place.client.pipelines.delete(pipeline_id)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"catalog": None}, "needs catalog"),
        ({"schema": "a.b"}, "without the catalog"),
        ({"configuration": {"a": 1}}, "values are strings"),
        ({"libraries": [PipelineLibrary(notebook=NotebookLibrary(path="/x"))]}, "not supported"),
        ({"libraries": [PipelineLibrary(glob=PathPattern(include="/a/*/b"))]}, "end it with"),
    ],
)
def test_settings_that_cannot_work_are_refused(place: Place, settings: dict[str, Any], says: str):
    with pytest.raises(DatabricksError, match=says):
        place.create(**settings)


def test_source_files_that_are_missing_fail_the_update_clearly(place: Place):
    missing = PipelineLibrary(file=FileLibrary(path=f"{place.folder}/none.py"))
    pipeline_id = place.create(libraries=[missing])
    assert place.update(pipeline_id) is UpdateInfoState.FAILED
    event = next(iter(place.client.pipelines.list_pipeline_events(pipeline_id, filter="level = 'ERROR'")))
    assert "none.py" in event.error.exceptions[0].message
    place.client.pipelines.delete(pipeline_id)


def test_a_table_of_somebody_else_is_never_written_to(place: Place):
    place.client.schemas.create("lakeflow", place.catalog)
    with place.workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {place.catalog}.lakeflow.all_events (a INT)")
    pipeline_id = place.create()
    assert place.update(pipeline_id) is UpdateInfoState.FAILED
    event = next(iter(place.client.pipelines.list_pipeline_events(pipeline_id, filter="level = 'ERROR'")))
    assert "not managed by this pipeline" in event.error.exceptions[0].message
    place.client.pipelines.delete(pipeline_id)


def test_strangers_may_neither_see_nor_run_a_pipeline(place: Place):
    pipeline_id = place.create()
    stranger = place.workspace.service_principal().client
    for attempt in (stranger.pipelines.get, stranger.pipelines.start_update, stranger.pipelines.delete):
        with pytest.raises(PermissionDenied):
            attempt(pipeline_id)
    assert pipeline_id not in {status.pipeline_id for status in stranger.pipelines.list_pipelines()}
    place.client.pipelines.delete(pipeline_id)


def test_a_pipeline_that_does_not_exist_is_not_found(workspace: LocalWorkspace):
    pipelines = workspace.client.pipelines
    for attempt in (
        pipelines.get,
        pipelines.start_update,
        pipelines.stop,
        pipelines.delete,
        pipelines.list_updates,
    ):
        with pytest.raises(NotFound):
            attempt("0" * 32)


@pytest.mark.parametrize("text", ["level like 'x'", "timestamp > 'soon'", "nonsense"])
def test_a_filter_of_events_that_is_not_understood_is_refused(place: Place, text: str):
    pipeline_id = place.create()
    with pytest.raises((BadRequest, InvalidParameterValue)):
        list(place.client.pipelines.list_pipeline_events(pipeline_id, filter=text))
    place.client.pipelines.delete(pipeline_id)


def _table_count(place: Place, table: str) -> int:
    """The rows of a table, 0 while there is no such table yet."""
    exists = place.client.tables.exists(f"{place.catalog}.lakeflow.{table}").table_exists
    return place.count(table) if exists else 0


def _wait_for_state(place: Place, pipeline_id: str, state: PipelineState) -> None:
    wait_for(
        lambda: place.client.pipelines.get(pipeline_id).state is state,
        seconds=60,
        what=f"the pipeline is {state}",
    )


def _runner_of(workspace: LocalWorkspace) -> int:
    """The process of the update that runs, the youngest of the workspace's runners."""
    runners = descendants(workspace.pid, "local_workspace.pipeline_runs")
    return max(runners, key=lambda child: child.create_time()).pid
