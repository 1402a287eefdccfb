"""Tables that are written a little at a time are looked after, as managed tables are on the platform."""

from tests.support.workspace import LocalWorkspace

COMMITS = 40


def test_many_small_commits_leave_few_files_and_all_rows(workspace: LocalWorkspace, catalog: str):
    with workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {catalog}.s")
        cursor.execute(f"CREATE TABLE {catalog}.s.t (a INT)")
        for number in range(COMMITS):
            cursor.execute(f"INSERT INTO {catalog}.s.t VALUES ({number})")
        cursor.execute(f"SELECT count(DISTINCT a) AS rows FROM {catalog}.s.t")
        assert cursor.fetchall()[0][0] == COMMITS
        cursor.execute(f"DESCRIBE DETAIL {catalog}.s.t")
        files = cursor.fetchall()[0].asDict()["numFiles"]
    assert files < COMMITS / 2
