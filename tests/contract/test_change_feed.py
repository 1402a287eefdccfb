"""table_changes: what happened to the rows of a Delta table, and when."""

from typing import Any

import pytest
from databricks.sql.exc import Error

from tests.support.workspace import LocalWorkspace

FEED = "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
MERGE = (
    "MERGE INTO {0} AS t USING (SELECT 2 AS id, 'rye' AS name UNION ALL SELECT 4, 'tea') AS s ON t.id = s.id"
    " WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT *"
)


@pytest.fixture
def table(workspace: LocalWorkspace, catalog: str) -> str:
    """The name of a table with three rows (version 1) and a change data feed."""
    name = f"{catalog}.default.orders"
    _run(workspace, f"CREATE TABLE {name} (id INT, name STRING) {FEED}")
    _run(workspace, f"INSERT INTO {name} VALUES (1, 'soup'), (2, 'bread'), (3, NULL)")
    return name


def _run(workspace: LocalWorkspace, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return [tuple(row) for row in cursor.fetchall()]


def _changes(workspace: LocalWorkspace, table: str, *bounds: object) -> list[tuple[Any, ...]]:
    arguments = ", ".join(repr(bound) for bound in (table, *bounds))
    return _run(
        workspace,
        f"SELECT id, name, _change_type, _commit_version FROM table_changes({arguments})"
        " ORDER BY _commit_version, id, _change_type DESC",
    )


def test_inserted_and_deleted_rows_are_told_with_their_versions(
    workspace: LocalWorkspace, table: str
) -> None:
    _run(workspace, f"DELETE FROM {table} WHERE id = 1")
    assert _changes(workspace, table, 0) == [
        (1, "soup", "insert", 1),
        (2, "bread", "insert", 1),
        (3, None, "insert", 1),
        (1, "soup", "delete", 2),
    ]
    assert _changes(workspace, table, 2, 2) == [(1, "soup", "delete", 2)]


def test_changed_rows_are_told_as_they_were_and_as_they_are(workspace: LocalWorkspace, table: str) -> None:
    _run(workspace, f"UPDATE {table} SET name = 'stew' WHERE id = 1")
    assert _changes(workspace, table, 2) == [
        (1, "soup", "update_preimage", 2),
        (1, "stew", "update_postimage", 2),
    ]


def test_merge_on_a_key_tells_changes_from_new_rows(workspace: LocalWorkspace, table: str) -> None:
    _run(workspace, MERGE.format(table))
    assert _changes(workspace, table, 2) == [
        (2, "bread", "update_preimage", 2),
        (2, "rye", "update_postimage", 2),
        (4, "tea", "insert", 2),
    ]


def test_merge_on_another_condition_tells_deletions_and_insertions(
    workspace: LocalWorkspace, table: str
) -> None:
    _run(workspace, MERGE.format(table).replace("t.id = s.id", "t.id + 0 = s.id"))
    assert [row[2] for row in _changes(workspace, table, 2)] == ["insert", "delete", "insert"]


def test_compaction_changes_no_rows(workspace: LocalWorkspace, table: str) -> None:
    _run(workspace, f"INSERT INTO {table} VALUES (9, 'oil')")
    _run(workspace, f"OPTIMIZE {table}")
    assert _changes(workspace, table, 2) == [(9, "oil", "insert", 2)]


def test_moments_bound_the_changes_as_versions_do(workspace: LocalWorkspace, table: str) -> None:
    moment = _run(workspace, f"SELECT max(_commit_timestamp) FROM table_changes('{table}', 1)")[0][0]
    _run(workspace, f"INSERT INTO {table} VALUES (9, 'oil')")
    assert [row[0] for row in _changes(workspace, table, "2000-01-01", moment.isoformat())] == [1, 2, 3]
    assert len(_changes(workspace, table, moment.isoformat())) == 4


def test_feed_starts_at_the_version_that_turned_it_on(workspace: LocalWorkspace, catalog: str) -> None:
    name = f"{catalog}.default.late"
    _run(workspace, f"CREATE TABLE {name} AS SELECT 1 AS id, 'a' AS name")
    with pytest.raises(Error, match="DELTA_MISSING_CHANGE_DATA"):
        _changes(workspace, name, 0)
    _run(workspace, f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    _run(workspace, f"INSERT INTO {name} VALUES (2, 'b')")
    with pytest.raises(Error, match="DELTA_MISSING_CHANGE_DATA"):
        _changes(workspace, name, 0)
    assert _changes(workspace, name, 1) == [(2, "b", "insert", 1)]


def test_ranges_that_are_none_are_refused(workspace: LocalWorkspace, table: str) -> None:
    for bounds in ((5,), (1, 0), (0, 9)):
        with pytest.raises(Error, match="DELTA_INVALID_CDC_RANGE"):
            _changes(workspace, table, *bounds)
    with pytest.raises(Error, match="neither a version nor a moment"):
        _changes(workspace, table, "yesterday")


def test_parameters_bound_the_changes_too(workspace: LocalWorkspace, table: str) -> None:
    query = f"SELECT count(*) FROM table_changes('{table}', :start) AS feed"
    assert _run(workspace, query, start=1) == [(3,)]


def test_changes_need_the_privilege_to_read_the_table(workspace: LocalWorkspace, table: str) -> None:
    stranger = workspace.service_principal().client
    warehouse = next(iter(workspace.client.warehouses.list())).id or ""
    workspace.client.permissions.get("warehouses", warehouse)
    done = stranger.statement_execution.execute_statement(
        f"SELECT * FROM table_changes('{table}', 0)", warehouse
    )
    assert done.status is not None
    assert done.status.error is not None
    assert "INSUFFICIENT_PERMISSIONS" in (done.status.error.message or "")
