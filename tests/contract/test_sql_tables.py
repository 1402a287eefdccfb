"""Tables by SQL: definitions, changes of rows, views, functions, time travel, upkeep, privileges."""

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from databricks import sql
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from databricks.sql.exc import ServerOperationError

from tests.support.workspace import LocalWorkspace, ServicePrincipal

WRITERS, INSERTS = 4, 5


class Sql:
    """A cursor that answers with plain rows."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    def __call__(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        self.cursor.execute(statement, parameters) if parameters else self.cursor.execute(statement)
        return [tuple(row) for row in self.cursor.fetchall()] if self.cursor.description else []

    def refused(self, statement: str) -> str:
        with pytest.raises(ServerOperationError) as failure:
            self(statement)
        return str(failure.value)


@pytest.fixture
def run(workspace: LocalWorkspace, catalog: str) -> Iterator[Sql]:
    """SQL in the schema `s` of a new catalog."""
    with workspace.connect() as connection, connection.cursor() as cursor:
        run = Sql(cursor)
        run(f"CREATE SCHEMA {catalog}.s")
        run(f"USE {catalog}.s")
        yield run


def _as(workspace: LocalWorkspace, principal: ServicePrincipal) -> Any:
    warehouse = next(iter(workspace.client.warehouses.list())).id
    return sql.connect(
        server_hostname=workspace.url,
        http_path=f"/sql/1.0/warehouses/{warehouse}",
        oauth_client_id=principal.client_id,
        oauth_client_secret=principal.client_secret,
        auth_type="oauth-m2m",
        use_kernel=True,
    )


def test_a_table_keeps_types_comments_and_properties(run: Sql):
    run(
        "CREATE TABLE t (a INT NOT NULL COMMENT 'the key', d DECIMAL(10,2), l ARRAY<STRUCT<x: INT, y: MAP<STRING, DATE>>>)"
        " PARTITIONED BY (a) COMMENT 'words' TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
    )
    assert run("DESCRIBE t") == [
        ("a", "int", "the key"),
        ("d", "decimal(10,2)", None),
        ("l", "array<struct<x:int,y:map<string,date>>>", None),
    ]
    assert run("SHOW TBLPROPERTIES t") == [("delta.enableChangeDataFeed", "true")]
    assert "NOT NULL" in run.refused("INSERT INTO t (d) VALUES (1)")


def test_inserts_take_column_lists_queries_and_overwrites(run: Sql):
    run("CREATE TABLE t (a INT, b STRING)")
    assert run("INSERT INTO t (b) VALUES ('x'), ('y')") == [(2, 2)]
    run("INSERT INTO t WITH q AS (SELECT 3 AS a) SELECT a, 'q' FROM q")
    run("WITH q AS (SELECT 4 AS a) INSERT INTO t (a) SELECT a FROM q")
    assert run("SELECT * FROM t ORDER BY a, b") == [(None, "x"), (None, "y"), (3, "q"), (4, None)]
    run("INSERT INTO t REPLACE WHERE a = 4 SELECT 4, 'again'")
    assert run("SELECT b FROM t WHERE a = 4") == [("again",)]
    run("INSERT OVERWRITE t VALUES (9, 'only')")
    assert run("SELECT * FROM t") == [(9, "only")]


def test_changes_of_rows_tell_how_many_they_touched(run: Sql):
    run("CREATE TABLE t AS SELECT CAST(id AS INT) AS a, 'x' AS b FROM range(5)")
    assert run("UPDATE t SET b = 'y' WHERE a < 2") == [(2,)]
    assert run.cursor.rowcount == 2
    assert run("DELETE FROM t WHERE t.a = 4") == [(1,)]
    assert run("DELETE FROM t WHERE a = 99") == [(0,)]
    merged = run(
        "MERGE INTO t USING (SELECT 0 AS a, 'm' AS b UNION ALL SELECT 7, 'n') AS s ON t.a = s.a"
        " WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT *"
    )
    assert merged == [(2, 1, 0, 1)]
    assert run("SELECT a, b FROM t ORDER BY a") == [(0, "m"), (1, "y"), (2, "x"), (3, "x"), (7, "n")]


def test_names_keep_their_meaning_when_tables_become_directories(run: Sql, catalog: str):
    run("CREATE TABLE t AS SELECT 1 AS a, named_struct('f', 5) AS st")
    run("CREATE TABLE `odd-name-1` AS SELECT 1 AS a, 2 AS b")
    assert run(f"SELECT t.a, s.t.a, {catalog}.s.t.st.f, x.b FROM t JOIN `odd-name-1` x ON x.a = t.a") == [
        (1, 1, 5, 2)
    ]
    assert run("WITH t AS (SELECT a + 10 AS a FROM t), u AS (SELECT * FROM t) SELECT a FROM u") == [(11,)]
    assert run(
        "SELECT (SELECT max(t.a) FROM t), a FROM (SELECT a FROM s.t) q WHERE EXISTS (SELECT 1 FROM t)"
    ) == [(1, 1)]


def test_old_versions_can_be_read(run: Sql):
    run("CREATE TABLE t (a INT)")
    run("INSERT INTO t VALUES (1)")
    run("INSERT INTO t VALUES (2)")
    assert run("SELECT count(*) FROM t VERSION AS OF 1") == [(1,)]
    assert run("SELECT count(*) FROM t@v0") == [(0,)]
    assert run("SELECT count(t.a) FROM t TIMESTAMP AS OF current_timestamp() WHERE t.a > 0") == [(2,)]
    assert [row[0] for row in run("DESCRIBE HISTORY t")] == [2, 1, 0]


def test_views_mean_the_same_from_everywhere(run: Sql, catalog: str):
    run("CREATE TABLE t AS SELECT id AS a FROM range(3)")
    run("CREATE VIEW v (x COMMENT 'renamed') AS SELECT t.a FROM t WHERE a > 0")
    run("CREATE VIEW w AS SELECT * FROM v")
    run("USE default")
    assert run(f"SELECT v.x FROM {catalog}.s.v ORDER BY x") == [(1,), (2,)]
    assert run(f"SELECT count(*) FROM {catalog}.s.w AS q JOIN {catalog}.s.v USING (x)") == [(2,)]
    assert "is a view" in run.refused(f"INSERT INTO {catalog}.s.v VALUES (1)")


def test_functions_are_called_by_position_name_and_default(run: Sql, catalog: str):
    run("CREATE TABLE t AS SELECT CAST(id AS INT) AS a, id * 10 AS b FROM range(5)")
    run("CREATE FUNCTION above(low INT, high INT DEFAULT 100) RETURNS TABLE (a INT, b BIGINT)"
        " RETURN SELECT a, b FROM t WHERE a > above.low AND a < high")  # fmt: skip
    run("CREATE FUNCTION plus(x INT, y INT DEFAULT 1) RETURNS INT RETURN x + y")
    assert run("SELECT sum(b) FROM above(2)") == [(70,)]
    assert run(f"SELECT q.a FROM {catalog}.s.above(high => 2, low => :n) AS q", {"n": 0}) == [(1,)]
    assert run("SELECT a FROM TABLE(s.above(3)) AS q") == [(4,)]
    assert run("SELECT plus(plus(1), y => 5), plus(a) FROM t WHERE a = 3") == [(7, 4)]
    assert "called with 0 arguments" in run.refused("SELECT * FROM above()")


def test_arguments_that_a_function_would_misread_are_refused(run: Sql):
    run("CREATE TABLE t AS SELECT 1 AS a")
    run("CREATE FUNCTION same(k INT) RETURNS BIGINT RETURN SELECT count(*) FROM t WHERE a = k")
    assert "would mean something else" in run.refused("SELECT same(a) FROM t")


def test_tables_are_altered_renamed_and_replaced(run: Sql):
    run("CREATE TABLE t AS SELECT 1 AS a")
    run("ALTER TABLE t ADD COLUMNS (b STRING COMMENT 'new', c DOUBLE)")
    run("INSERT INTO t VALUES (2, 'x', 1.5)")
    run("ALTER TABLE t RENAME TO u")
    assert run("SELECT * FROM u ORDER BY a") == [(1, None, None), (2, "x", 1.5)]
    run("CREATE OR REPLACE TABLE u AS SELECT a, b FROM u WHERE a = 2")
    assert run("SELECT * FROM u") == [(2, "x")]
    run("TRUNCATE TABLE u")
    assert run("SELECT count(*) FROM u") == [(0,)]


def test_files_of_a_volume_are_read_as_tables(run: Sql, workspace: LocalWorkspace, catalog: str):
    run("CREATE VOLUME v")
    workspace.client.files.upload(f"/Volumes/{catalog}/s/v/in/a.json", io.BytesIO(b'{"a": 1}\n{"a": 2}\n'))
    run(f"CREATE TABLE t AS SELECT * FROM read_files('/Volumes/{catalog}/s/v/in')")
    assert run("SELECT sum(a) FROM t") == [(3,)]
    assert run(f"SELECT count(*) FROM json.`/Volumes/{catalog}/s/v/in/a.json`") == [(2,)]
    assert "not allowed" in run.refused(f"SELECT * FROM text.`/Volumes/{catalog}/s/v/../../x`")


def test_upkeep_changes_no_rows(run: Sql):
    run("CREATE TABLE t (a INT)")
    for value in range(3):
        run(f"INSERT INTO t VALUES ({value})")
    run("OPTIMIZE t")
    run("VACUUM t")
    assert run("SELECT a FROM t ORDER BY a") == [(0,), (1,), (2,)]
    detail = run("DESCRIBE DETAIL t")
    assert detail[0][9] == 1


def test_what_there_is_can_be_shown(run: Sql, catalog: str):
    run("CREATE TABLE orders (a INT)")
    run("CREATE VIEW seen AS SELECT * FROM orders")
    assert run("SHOW TABLES LIKE 'ord*'") == [("s", "orders", False)]
    assert run("SHOW VIEWS") == [("s", "seen", False)]
    assert ("s",) in run(f"SHOW SCHEMAS IN {catalog}")
    assert run("SHOW CREATE TABLE orders")[0][0].startswith(f"CREATE TABLE `{catalog}`.`s`.`orders`")


def test_concurrent_writers_lose_no_rows(run: Sql, workspace: LocalWorkspace, catalog: str):
    run("CREATE TABLE t (writer INT, n INT)")

    def write(writer: int, connection: Any) -> None:
        with connection, connection.cursor() as cursor:
            for n in range(INSERTS):
                cursor.execute(f"INSERT INTO {catalog}.s.t VALUES (:w, :n)", {"w": writer, "n": n})

    writers = [
        threading.Thread(target=write, args=(number, workspace.connect())) for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert run("SELECT count(*), count(DISTINCT writer, n) FROM t") == [
        (WRITERS * INSERTS, WRITERS * INSERTS)
    ]


def test_a_service_principal_reads_only_what_was_granted(run: Sql, workspace: LocalWorkspace, catalog: str):
    run("CREATE TABLE t AS SELECT 1 AS a")
    run("CREATE VIEW v AS SELECT a FROM t")
    principal = workspace.service_principal()
    with _as(workspace, principal) as connection, connection.cursor() as cursor:
        theirs = Sql(cursor)
        assert "INSUFFICIENT_PERMISSIONS" in theirs.refused(f"SELECT * FROM {catalog}.s.t")
        for kind, name, privilege in (
            ("catalog", catalog, Privilege.USE_CATALOG),
            ("schema", f"{catalog}.s", Privilege.USE_SCHEMA),
            ("table", f"{catalog}.s.v", Privilege.SELECT),
        ):
            change = PermissionsChange(principal=principal.client_id, add=[privilege])
            workspace.client.grants.update(kind, name, changes=[change])
        assert theirs(f"SELECT * FROM {catalog}.s.v") == [(1,)]
        assert "INSUFFICIENT_PERMISSIONS" in theirs.refused(f"SELECT * FROM {catalog}.s.t")
        assert "INSUFFICIENT_PERMISSIONS" in theirs.refused(f"DELETE FROM {catalog}.s.t")
        run(f"GRANT SELECT ON TABLE t TO `{principal.client_id}`")
        assert theirs(f"SELECT * FROM {catalog}.s.t") == [(1,)]


def test_two_catalogs_do_not_touch_each_other(run: Sql, catalog: str):
    other = f"{catalog}_other"
    run(f"CREATE CATALOG {other}")
    run(f"CREATE SCHEMA {other}.s")
    run("CREATE TABLE t AS SELECT 1 AS a")
    run(f"CREATE TABLE {other}.s.t AS SELECT 2 AS a")
    assert run(f"SELECT x.a, y.a FROM t x, {other}.s.t y") == [(1, 2)]
    run(f"DROP CATALOG {other} CASCADE")
    assert run("SELECT a FROM t") == [(1,)]
