"""Synced tables: Delta rows in Postgres, kept up to date, exactly once, whatever dies."""

import os
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import psycopg
import pyarrow as pa
import pytest
from databricks.sdk.errors import AlreadyExists, BadRequest, InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service import postgres as lakebase
from databricks.sdk.service.pipelines import UpdateInfoState
from databricks.sdk.service.postgres import (
    SyncedTableSyncedTableSpecSyncedTableSchedulingPolicy as Policy,
)
from databricks.sql.exc import Error
from deltalake import DeltaTable, write_deltalake

from tests.support.synced_tables import SyncedPair
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

THREE = "VALUES (1, 'soup', 4.50), (2, 'bread', 2.00), (3, NULL, NULL)"


@pytest.fixture
def pair(workspace: LocalWorkspace) -> Iterator[SyncedPair]:
    """A new source of three rows in a project of its own."""
    made = SyncedPair(workspace).set_up()
    made.run(f"INSERT INTO {made.source} {THREE}")
    yield made
    made.tear_down()


def test_first_copy_brings_all_rows_and_says_it_is_online(pair: SyncedPair) -> None:
    pair.create()
    assert pair.rows("id, name, price") == [
        (1, "soup", Decimal("4.50")),
        (2, "bread", Decimal("2.00")),
        (3, None, None),
    ]
    status = pair.status()
    assert status.last_processed_commit_version == 1
    assert status.last_sync_time is not None
    assert status.project == pair.project


def test_merge_update_and_delete_follow_by_themselves(pair: SyncedPair) -> None:
    pair.create()
    pair.run(
        f"MERGE INTO {pair.source} t USING (SELECT 2 AS id, 'rye' AS name UNION ALL SELECT 4, 'tea') s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)"
    )
    pair.wait_for_rows([(1, "soup"), (2, "rye"), (3, None), (4, "tea")])
    pair.run(f"DELETE FROM {pair.source} WHERE id < 3", f"UPDATE {pair.source} SET name = 'jam' WHERE id = 3")
    pair.wait_for_rows([(3, "jam"), (4, "tea")])


def test_overwritten_and_compacted_sources_leave_the_right_rows(pair: SyncedPair) -> None:
    pair.create()
    pair.run(
        f"INSERT INTO {pair.source} VALUES (5, 'oil', 1)",
        f"OPTIMIZE {pair.source}",
        f"INSERT OVERWRITE {pair.source} SELECT * FROM {pair.source} WHERE id <> 2",
        f"OPTIMIZE {pair.source}",
    )
    pair.wait_for_rows([(1, "soup"), (3, None), (5, "oil")])


def test_new_columns_appear_with_their_values(pair: SyncedPair) -> None:
    pair.create()
    pair.run(
        f"ALTER TABLE {pair.source} ADD COLUMN stock BIGINT",
        f"INSERT INTO {pair.source} VALUES (4, 'tea', 3, 70)",
    )
    wait_for(lambda: pair.status().last_processed_commit_version == 3, what="the new column is in Postgres")
    assert pair.rows("id, stock") == [(1, None), (2, None), (3, None), (4, 70)]


def test_replaced_source_is_copied_afresh_and_keeps_indexes(pair: SyncedPair) -> None:
    pair.create()
    with pair.connect() as owner:
        owner.execute("CREATE INDEX by_name ON kitchen.pg_orders (name)")
    pair.run(
        f"CREATE OR REPLACE TABLE {pair.source} TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
        " AS SELECT 1 AS id, 'cake' AS name"
    )
    pair.wait_for_rows([(1, "cake")])
    assert pair.rows("id, price") == [(1, None)]
    with pair.connect() as owner:
        found = owner.execute("SELECT 1 FROM pg_indexes WHERE indexname = 'by_name'").fetchone()
    assert found is not None


def test_rows_without_a_key_are_left_out_and_nul_characters_too(pair: SyncedPair) -> None:
    pair.run(f"INSERT INTO {pair.source} VALUES (NULL, 'nobody', 1), (4, concat('a', char(0), 'b'), 1)")
    pair.create()
    assert pair.rows() == [(1, "soup"), (2, "bread"), (3, None), (4, "ab")]


def test_two_rows_of_one_key_fail_unless_a_timeseries_key_chooses(pair: SyncedPair) -> None:
    pair.run(f"INSERT INTO {pair.source} VALUES (1, 'old soup', 1.00)")
    pair.ask()
    status = pair.wait_for_state("SYNCED_TABLE_OFFLINE_FAILED")
    assert "timeseries_key" in (status.message or "")
    pair.delete()
    pair.create(timeseries_key="price")
    assert pair.rows()[0] == (1, "soup")
    pair.run(f"INSERT INTO {pair.source} VALUES (1, 'new soup', 9.00), (2, 'old bread', 0.10)")
    pair.wait_for_rows([(1, "new soup"), (2, "bread"), (3, None)])


def test_triggered_table_waits_for_an_update_of_its_pipeline(pair: SyncedPair) -> None:
    pair.create(Policy.TRIGGERED)
    pipelines = pair.workspace.client.pipelines
    pipeline_id = pair.status().pipeline_id or ""
    pair.run(f"DELETE FROM {pair.source} WHERE id = 1")
    assert len(pair.rows()) == 3
    update_id = pipelines.start_update(pipeline_id).update_id or ""
    wait_for(lambda: _state(pair, update_id) == UpdateInfoState.COMPLETED, what="the update is over")
    assert pair.rows() == [(2, "bread"), (3, None)]


def test_snapshot_policy_needs_no_change_feed_and_compares_all_rows(workspace: LocalWorkspace) -> None:
    pair = SyncedPair(workspace).set_up(properties="")
    try:
        with pytest.raises(BadRequest, match="enableChangeDataFeed"):
            pair.ask(Policy.CONTINUOUS)
        pair.run(f"INSERT INTO {pair.source} {THREE}")
        pair.create(Policy.SNAPSHOT)
        pair.run(f"DELETE FROM {pair.source} WHERE id = 2")
        update_id = workspace.client.pipelines.start_update(pair.status().pipeline_id or "").update_id or ""
        wait_for(lambda: _state(pair, update_id) == UpdateInfoState.COMPLETED, what="the update is over")
        assert pair.rows() == [(1, "soup"), (3, None)]
    finally:
        pair.tear_down()


def test_applications_read_once_granted_and_never_write(pair: SyncedPair) -> None:
    pair.create()
    app = pair.workspace.service_principal()
    role = lakebase.Role(spec=lakebase.RoleRoleSpec(postgres_role=app.client_id))
    pair.workspace.client.postgres.create_role(pair.branch, role, role_id=f"sp-{app.client_id}").wait()
    with pair.connect() as owner, pair.connect(app) as visitor:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            visitor.execute("SELECT * FROM kitchen.pg_orders")
        owner.execute(f'GRANT USAGE ON SCHEMA kitchen TO "{app.client_id}"'.encode())
        owner.execute(f'GRANT SELECT ON kitchen.pg_orders TO "{app.client_id}"'.encode())
        assert visitor.execute("SELECT count(*) FROM kitchen.pg_orders").fetchone() == (3,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            visitor.execute("DELETE FROM kitchen.pg_orders")


def test_deleting_leaves_the_postgres_table_until_its_owner_drops_it(pair: SyncedPair) -> None:
    pair.create()
    pair.delete()
    with pytest.raises(NotFound):
        pair.status()
    with pytest.raises(NotFound):
        pair.workspace.client.tables.get(pair.name)
    with pytest.raises(AlreadyExists, match="drop it"):
        pair.ask()
    with pair.connect() as owner:
        owner.execute("DROP TABLE kitchen.pg_orders")
    pair.create()


def test_dropped_source_is_told_and_a_new_one_taken_up(pair: SyncedPair) -> None:
    pair.create()
    pair.run(f"DROP TABLE {pair.source}")
    status = pair.wait_for_state("SYNCED_TABLE_OFFLINE_FAILED")
    assert "was dropped" in (status.message or "")
    assert len(pair.rows()) == 3
    pair.run(
        f"CREATE TABLE {pair.source} AS SELECT 8 AS id, 'pie' AS name, CAST(1 AS DECIMAL(10,2)) AS price"
    )
    pair.wait_for_rows([(8, "pie")])
    pair.wait_for_state("SYNCED_TABLE_ONLINE")


def test_home_page_and_listings_show_the_synced_table(pair: SyncedPair) -> None:
    pair.create()
    sections = httpx.get(f"{pair.workspace.url}/overview.json").json()["sections"]
    (section,) = [it for it in sections if it["id"] == "synced-tables"]
    (row,) = [row for row in section["rows"] if row[0]["text"] == pair.name]
    assert row[1]["text"] == "online"
    entry = pair.workspace.client.tables.get(pair.name)
    assert entry.pipeline_id == pair.status().pipeline_id
    with pytest.raises(Error, match="query it in Postgres"):
        pair.run(f"SELECT * FROM {pair.name}")


def test_dropping_the_catalog_ends_the_syncing(pair: SyncedPair) -> None:
    pair.create()
    pipeline_id = pair.status().pipeline_id
    pair.workspace.client.catalogs.delete(pair.pg_catalog, force=True)
    with pytest.raises(NotFound):
        pair.status()
    listed = pair.workspace.client.pipelines.list_pipelines
    wait_for(
        lambda: pipeline_id not in [it.pipeline_id for it in listed()], seconds=5, what="its pipeline is gone"
    )
    pair.workspace.client.catalogs.create(pair.pg_catalog)


def test_what_makes_no_sense_is_refused_with_a_reason(pair: SyncedPair) -> None:
    with pytest.raises(InvalidParameterValue, match="primary_key_columns"):
        pair.ask(primary_key_columns=[])
    with pytest.raises(InvalidParameterValue, match="no column 'nothing'"):
        pair.ask(primary_key_columns=["nothing"])
    with pytest.raises(InvalidParameterValue, match="stands for"):
        pair.ask(branch=pair.branch, postgres_database="elsewhere")
    with pytest.raises(NotFound):
        pair.ask(source_table_full_name=f"{pair.catalog}.default.nothing")


def test_stranger_may_neither_read_the_source_nor_see_the_table(pair: SyncedPair) -> None:
    pair.create()
    stranger = pair.workspace.service_principal().client
    with pytest.raises(PermissionDenied):
        stranger.postgres.get_synced_table(f"synced_tables/{pair.name}")
    with pytest.raises(PermissionDenied):
        stranger.postgres.delete_synced_table(f"synced_tables/{pair.name}")


def test_log_that_lost_its_past_is_copied_afresh_without_a_gap_for_readers(tmp_path: Path) -> None:
    workspace = LocalWorkspace(tmp_path / "home").start()
    try:
        pair = SyncedPair(workspace).set_up()
        pair.run(f"INSERT INTO {pair.source} {THREE}")
        pair.create()
        location = Path(
            (workspace.client.tables.get(pair.source).storage_location or "").removeprefix("file://")
        )
        workspace.stop()
        write_deltalake(
            location, pa.table({"id": pa.array([6], pa.int32())}), mode="append", schema_mode="merge"
        )
        write_deltalake(
            location, pa.table({"id": pa.array([7], pa.int32())}), mode="append", schema_mode="merge"
        )
        DeltaTable(location).create_checkpoint()
        (location / "_delta_log" / f"{2:020}.json").unlink()
        workspace.start()
        pair.wait_for_rows([(1, "soup"), (2, "bread"), (3, None), (6, None), (7, None)])
    finally:
        workspace.stop()


def test_killed_workspace_goes_on_where_it_was(tmp_path: Path) -> None:
    workspace = LocalWorkspace(tmp_path / "home").start()
    try:
        pair = SyncedPair(workspace).set_up()
        pair.run(f"INSERT INTO {pair.source} {THREE}")
        pair.create()
        pair.run(f"INSERT INTO {pair.source} SELECT id, 'many', 1 FROM range(100, 5100)")
        workspace.kill()
        workspace.start()
        pair.run(f"DELETE FROM {pair.source} WHERE id = 1")
        wait_for(lambda: len(pair.rows()) == 5002, seconds=20, what="all rows are there once")
        assert len({row[0] for row in pair.rows()}) == 5002
    finally:
        workspace.stop()


def test_kill_in_the_middle_of_the_first_copy_leaves_all_rows_once(tmp_path: Path) -> None:
    workspace = LocalWorkspace(tmp_path / "home").start()
    try:
        pair = SyncedPair(workspace).set_up()
        pair.run(f"INSERT INTO {pair.source} SELECT id, repeat('x', 200), 1 FROM range(300000)")
        pair.ask()
        wait_for(lambda: pair.status().ongoing_sync_progress, every=0.01, what="rows are being copied")
        workspace.kill()
        workspace.start()
        pair.wait_for_state("SYNCED_TABLE_ONLINE")
        assert pair.rows("count(*), count(DISTINCT id)", order="1") == [(300_000, 300_000)]
    finally:
        workspace.stop()


def test_deleted_database_ends_the_syncing_and_the_entry(pair: SyncedPair) -> None:
    api = pair.workspace.client.postgres
    role = next(iter(api.list_roles(pair.branch))).name or ""
    database = lakebase.Database(spec=lakebase.DatabaseDatabaseSpec(role=role, postgres_database="extra"))
    made = api.create_database(pair.branch, database, database_id="extra").wait()
    pair.workspace.client.schemas.create("kitchen", pair.catalog)
    pair.name = f"{pair.catalog}.kitchen.pg_orders"
    pair.create(branch=pair.branch, postgres_database="extra")
    api.delete_database(made.name or "").wait()
    wait_for(lambda: _is_gone(pair), what="the synced table is gone")


def _is_gone(pair: SyncedPair) -> bool:
    try:
        pair.workspace.client.tables.get(pair.name)
    except NotFound:
        return True
    return False


def test_killed_postgres_comes_back_and_catches_up(pair: SyncedPair) -> None:
    pair.create()
    os.kill(_postmaster(pair), signal.SIGKILL)
    pair.run(f"INSERT INTO {pair.source} VALUES (9, 'late', 1)")

    def caught_up() -> bool:
        try:
            return pair.rows()[-1] == (9, "late")
        except psycopg.OperationalError:
            return False

    wait_for(caught_up, seconds=30, what="the replica has caught up")
    pair.wait_for_state("SYNCED_TABLE_ONLINE_CONTINUOUS_UPDATE")


def _postmaster(pair: SyncedPair) -> int:
    data = pair.workspace.home / "lakebase" / pair.project.partition("/")[2] / "data"
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def _state(pair: SyncedPair, update_id: str) -> UpdateInfoState | None:
    pipeline_id = pair.status().pipeline_id or ""
    update = pair.workspace.client.pipelines.get_update(pipeline_id, update_id).update
    return update.state if update else None
