"""kill -9 of the SQL engine while statements run: what ran fails, nothing is wrong, the workspace recovers."""

import threading
from typing import Any

from databricks.sql.exc import Error

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

WRITERS, KILLS, INSERTS = 2, 2, 25


def _insert_until_done(connection: Any, table: str, writer: int, kept: list[tuple[int, int]]) -> None:
    """Insert rows one by one; note those that were confirmed, go on after failures."""
    with connection, connection.cursor() as cursor:
        for n in range(INSERTS):
            try:
                cursor.execute(f"INSERT INTO {table} VALUES (:w, :n)", {"w": writer, "n": n})
                kept.append((writer, n))
            except Error:
                continue


def _rows(workspace: LocalWorkspace, statement: str) -> list[Any]:
    with workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()]


def test_the_engine_is_killed_under_load_and_no_confirmed_row_is_lost(
    workspace: LocalWorkspace, catalog: str
):
    table = f"{catalog}.default.t"
    with workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (writer INT, n INT)")
    kept: list[tuple[int, int]] = []
    writers = [
        threading.Thread(target=_insert_until_done, args=(workspace.connect(), table, number, kept))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for kill in range(KILLS):
        wait_for(lambda mark=kill: len(kept) > 3 * (mark + 1), seconds=60, what="some rows are in")
        workspace.engine().kill()
    for writer in writers:
        writer.join(120)
    found = _rows(workspace, f"SELECT writer, n FROM {table}")
    assert set(kept) <= set(found)
    assert len(found) == len(set(found))
    assert _rows(workspace, "SELECT 1") == [(1,)]
