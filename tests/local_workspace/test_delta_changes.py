"""What commits did to rows, told from the log and the files of real Delta tables."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from local_workspace.engines import change_feed, delta_changes
from local_workspace.engines.delta_changes import LogGap, SchemaChanged, UnreadableTable
from pyarrow import parquet

ROWS = pa.table(
    {"id": [1, 2, 3], "day": ["mon", "mon", "tue"], "tags": [["a"], [], None], "amount": [1.5, None, 2.5]}
)

Row = dict[str, Any]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table partitioned by day, with three rows in version 0."""
    write_deltalake(tmp_path / "table", ROWS, partition_by=["day"])
    return tmp_path / "table"


def _changes(location: Path, after: int = 0) -> tuple[list[Row], list[Row]]:
    """Deleted and inserted rows of the commits after a version, together."""
    schema = delta_changes.snapshot(location).schema
    steps = list(delta_changes.net_changes(location, delta_changes.commits(location, after, 100), schema))
    deleted = [row for step in steps for row in step.deleted.to_pylist()]
    return deleted, [row for step in steps for row in step.inserted.to_pylist()]


def test_snapshot_has_all_rows_with_their_partition_values(table: Path):
    snapshot = delta_changes.snapshot(table)
    assert snapshot.version == 0
    assert sorted(snapshot.rows.to_table().to_pylist(), key=lambda row: row["id"]) == ROWS.to_pylist()


def test_appended_rows_are_inserted(table: Path):
    write_deltalake(table, ROWS.slice(0, 1), mode="append")
    assert _changes(table) == ([], ROWS.slice(0, 1).to_pylist())


def test_rows_that_a_rewrite_copied_cancel_out(table: Path):
    DeltaTable(table).update(predicate="id = 2", updates={"amount": "7.5"})
    assert _changes(table) == (
        [{"id": 2, "day": "mon", "tags": [], "amount": None}],
        [{"id": 2, "day": "mon", "tags": [], "amount": 7.5}],
    )


def test_equal_rows_cancel_out_one_by_one(tmp_path: Path):
    twice = pa.table({"id": [1, 1, 1, 2]})
    write_deltalake(tmp_path / "t", twice)
    write_deltalake(tmp_path / "t", pa.table({"id": [1, 2, 2]}), mode="overwrite")
    assert _changes(tmp_path / "t") == ([{"id": 1}, {"id": 1}], [{"id": 2}])


def test_files_that_came_and_went_in_between_are_never_read(table: Path):
    write_deltalake(table, ROWS.slice(0, 1), mode="append")
    (added,) = delta_changes.read_commit(table, 1).added
    DeltaTable(table).delete()
    write_deltalake(table, ROWS.slice(2, 1), mode="append")
    (table / added).unlink()
    deleted, inserted = _changes(table)
    assert sorted(row["id"] for row in deleted) == [1, 2]
    assert inserted == []


def test_compaction_is_no_change_and_what_follows_it_is(table: Path):
    write_deltalake(table, ROWS.slice(0, 1), mode="append")
    DeltaTable(table).optimize.compact()
    assert delta_changes.read_commit(table, 2).copies_only
    assert _changes(table, after=1) == ([], [])
    DeltaTable(table).delete("id = 3")
    assert _changes(table, after=1) == (ROWS.slice(2, 1).to_pylist(), [])


def test_vacuumed_files_are_a_gap(table: Path):
    DeltaTable(table).delete("id = 1")
    DeltaTable(table).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    with pytest.raises(LogGap, match="vacuumed"):
        _changes(table)


def test_missing_log_entry_is_a_gap(table: Path):
    write_deltalake(table, ROWS, mode="append")
    (table / "_delta_log" / f"{1:020}.json").unlink()
    with pytest.raises(LogGap, match="Version 1"):
        delta_changes.read_commit(table, 1)


def test_other_columns_are_told_and_not_guessed(table: Path):
    schema = delta_changes.snapshot(table).schema
    write_deltalake(table, ROWS.append_column("new", pa.array([1, 2, 3])), mode="append", schema_mode="merge")
    with pytest.raises(SchemaChanged):
        list(delta_changes.net_changes(table, delta_changes.commits(table, 0, 10), schema))


def test_deletion_vectors_are_refused_by_name(table: Path):
    entry = table / "_delta_log" / f"{1:020}.json"
    entry.write_text(
        '{"add": {"path": "x", "partitionValues": {}, "deletionVector": {"storageType": "u"}}}\n'
    )
    with pytest.raises(UnreadableTable, match="enableDeletionVectors"):
        delta_changes.read_commit(table, 1)


def test_change_files_of_the_writer_are_the_feed(tmp_path: Path):
    location = tmp_path / "t"
    write_deltalake(location, ROWS.select(["id"]), configuration={"delta.enableChangeDataFeed": "true"})
    DeltaTable(location).update(predicate="id = 2", updates={"id": "20"})
    commits = delta_changes.commits(location, 0, 10)
    assert commits[0].change_files
    change_feed.write_feed(
        location, commits, delta_changes.snapshot(location).schema, tmp_path / "feed.parquet"
    )
    told = parquet.read_table(tmp_path / "feed.parquet").select(["id", "_change_type", "_commit_version"])
    assert sorted(tuple(row.values()) for row in told.to_pylist()) == [
        (2, "update_preimage", 1),
        (20, "update_postimage", 1),
    ]


def test_a_large_rewrite_is_compared_without_its_rows_in_memory(tmp_path: Path):
    many = pa.table({"id": range(100_000), "text": [f"a longer text of row {n}" for n in range(100_000)]})
    write_deltalake(tmp_path / "t", many)
    DeltaTable(tmp_path / "t").update(predicate="id = 99999", updates={"text": "'short'"})
    deleted, inserted = _changes(tmp_path / "t")
    assert deleted == many.slice(99_999).to_pylist()
    assert inserted == [{"id": 99_999, "text": "short"}]
