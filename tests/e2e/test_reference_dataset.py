"""A dataset that nobody here made, with someone else's brands and prices, replays and lands completely."""

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.pipelines import PathPattern, PipelineLibrary, UpdateInfoState
from databricks.sdk.service.workspace import ImportFormat

from tests.replayer.stage import Stage
from tests.support.datasets import REFERENCE
from tests.support.medallion import ROWS, FreshMedallion, comparable, warehouse_statement
from tests.support.source import ROOT
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

DAYS = 3


@pytest.fixture
def landed(workspace: LocalWorkspace, catalog: str, tmp_path: Path) -> Path:
    """The events that the replay wrote, after a pipeline has taken them in."""
    if not REFERENCE.is_dir():
        pytest.skip(f"there is no {REFERENCE}")
    stage = Stage(tmp_path, REFERENCE, start_day=DAYS)
    stage.run()
    workspace.client.volumes.create(catalog, "default", "events", VolumeType.MANAGED)
    for name in stage.events.names():
        content = io.BytesIO((stage.events.folder / name).read_bytes())
        workspace.client.files.upload(f"/Volumes/{catalog}/default/events/{name}", content)
    _run_pipeline(workspace.client, catalog)
    return stage.events.folder


def _run_pipeline(client: WorkspaceClient, catalog: str) -> None:
    folder = f"/Workspace/Shared/{catalog}/transformations"
    client.workspace.mkdirs(folder)
    for path in sorted((ROOT / "pipelines/order_items/transformations").glob("*.py")):
        content = io.BytesIO(path.read_bytes())
        client.workspace.upload(f"{folder}/{path.name}", content, format=ImportFormat.RAW, overwrite=True)
    made = client.pipelines.create(
        name=catalog,
        catalog=catalog,
        schema="lakeflow",
        serverless=True,
        libraries=[PipelineLibrary(glob=PathPattern(include=f"{folder}/**"))],
        configuration={"caspers.events_path": f"/Volumes/{catalog}/default/events"},
    )
    assert made.pipeline_id
    update = client.pipelines.start_update(made.pipeline_id).update_id

    def completed() -> bool:
        state = client.pipelines.get_update(made.pipeline_id or "", update).update.state  # pyright: ignore[reportOptionalMemberAccess]  it was started
        assert state != UpdateInfoState.FAILED
        return state == UpdateInfoState.COMPLETED

    wait_for(completed, seconds=120, what="the update has completed")


@pytest.mark.slow
def test_a_dataset_nobody_here_made_lands_completely_and_adds_up(
    landed: Path, workspace: LocalWorkspace, catalog: str
):
    fresh = FreshMedallion(landed)
    assert fresh.count() >= pq.read_metadata(REFERENCE / "events.parquet").num_rows
    with workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {catalog}.lakeflow.all_events")
        assert cursor.fetchone()[0] == fresh.count()
        for table in ROWS:
            cursor.execute(warehouse_statement(table, f"{catalog}.lakeflow.{table}"))
            rows = comparable([row.asDict() for row in cursor.fetchall()])
            assert sorted(rows) == sorted(fresh.rows(table)), table
