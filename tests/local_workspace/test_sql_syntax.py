"""The SQL grammar: what statements say, which names they use, and where."""

from dataclasses import asdict
from typing import Any

import pytest
from local_workspace.api.sql.failures import SqlFailure
from local_workspace.api.sql.parameters import Bindings, Parameter, literal
from local_workspace.api.sql.syntax import commands as c
from local_workspace.api.sql.syntax.data_types import read_type, spoken
from local_workspace.api.sql.syntax.grammar import parse
from local_workspace.api.sql.syntax.lexer import tokens
from local_workspace.api.sql.syntax.markers import markers
from local_workspace.api.sql.syntax.reader import Reader
from local_workspace.api.sql.syntax.references import references
from local_workspace.api.sql.syntax.shorthands import spelled_out


def _tables(text: str) -> list[str]:
    return sorted(".".join(table.parts) for table in references(text).tables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WITH t AS (SELECT * FROM t), q AS (SELECT * FROM t) SELECT * FROM t, q, r", ["r", "t"]),
        ("SELECT a FROM (WITH t AS (SELECT 1) SELECT * FROM t) JOIN t ON true", ["t"]),
        ("WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT * FROM r) SELECT * FROM r", []),
        ("WITH a AS (SELECT 1) SELECT * FROM b WHERE x IN (SELECT * FROM a)", ["b"]),
        ("MERGE INTO c.s.t USING `x y` ON t.a = a WHEN MATCHED THEN DELETE", ["c.s.t", "x y"]),
        ("SELECT 'FROM x' -- FROM y\n FROM z /* , w */", ["z"]),
    ],
)
def test_tables_are_told_from_common_table_expressions(text: str, expected: list[str]):
    assert _tables(text) == expected


@pytest.mark.parametrize(
    ("text", "behind"),
    [
        ("SELECT * FROM t WHERE a", "t"),
        ("SELECT * FROM t VERSION AS OF 3 WHERE a", "t VERSION AS OF 3"),
        (
            "SELECT * FROM t TIMESTAMP AS OF now() - interval 1 day JOIN u",
            "t TIMESTAMP AS OF now() - interval 1 day",
        ),
        ("SELECT * FROM t TABLESAMPLE (5 PERCENT) LIMIT 1", "t TABLESAMPLE (5 PERCENT)"),
    ],
)
def test_an_alias_goes_behind_all_that_belongs_to_a_table(text: str, behind: str):
    table = next(table for table in references(text).tables if table.parts == ("t",))
    assert table.alias_at is not None
    assert text[: table.alias_at].endswith(behind)


def test_calls_are_found_with_names_and_arguments():
    text = "SELECT c.ai.g(1, f(2, x => 'a,)')), count(*) FROM TABLE(c.ai.h(k => :x)), LATERAL i(q.a) AS z"
    found = {call.parts[-1]: call for call in references(text).functions}
    assert found.keys() == {"g", "f", "h", "i"}
    assert [argument.name for argument in found["f"].arguments] == [None, "x"]
    assert text[found["h"].start : found["h"].end] == "TABLE(c.ai.h(k => :x))"
    assert (found["g"].is_table, found["h"].is_table, found["i"].alias_at) == (False, True, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT :a, b:c.d, f(:x), '?:no', `:no` FROM t WHERE z=:y", ["a", "x", "y"]),
        ("SELECT CAST(a AS STRUCT<x: INT>), c::int, 'a':b -- :d", []),
        ("VALUES (?, ?)", [1, 2]),
    ],
)
def test_markers_are_told_from_paths_types_and_text(text: str, expected: list[Any]):
    assert [marker.name or marker.ordinal for marker in markers(text)] == expected


@pytest.mark.parametrize(
    ("value", "type_text", "expected"),
    [
        ("it's \\ x", "STRING", "'it\\'s \\\\ x'"),
        ("5", "INT", "5"),
        ("-5", "INT", "CAST(-5 AS INT)"),
        ("12.50", "DECIMAL(10,2)", "CAST('12.50' AS DECIMAL(10,2))"),
        ("0.001", "DECIMAL", "CAST('0.001' AS DECIMAL(4,3))"),
        ("TRUE", "BOOLEAN", "TRUE"),
        ("2024-01-02", "DATE", "DATE'2024-01-02'"),
        (None, "INT", "CAST(NULL AS INT)"),
        (None, "VOID", "NULL"),
    ],
)
def test_values_become_literals_of_their_type(value: str | None, type_text: str, expected: str):
    assert literal(value, type_text) == expected


@pytest.mark.parametrize(
    ("value", "type_text"),
    [("1); DROP", "INT"), ("300", "TINYINT"), ("x", "DOUBLE"), ("2024-13-01", "DATE"), ("NaN", "DECIMAL"),
     ("maybe", "BOOLEAN"), ("[1]", "ARRAY<INT>"), ("x'; --", "TIMESTAMP")],
)  # fmt: skip
def test_values_that_do_not_fit_their_type_are_refused(value: str, type_text: str):
    with pytest.raises(SqlFailure):
        literal(value, type_text)


def test_a_marker_without_a_value_is_refused():
    bindings = Bindings([Parameter("a", 1, "1", "INT"), Parameter(None, 2, "x", "STRING")])
    assert (bindings.named("A"), bindings.ordinal(2)) == ("1", "'x'")
    with pytest.raises(SqlFailure, match=":b"):
        bindings.named("b")


@pytest.mark.parametrize("text", ["'open", "`open", "SELECT /* open", 'SELECT "open'])
def test_what_is_never_closed_is_refused(text: str):
    with pytest.raises(SqlFailure, match="never closed"):
        tokens(text)


def test_strings_are_read_with_their_escapes():
    assert [token.value for token in tokens(r"""'it''s' "a\"b" r'\n' 'x\ny' `a``b`""")] == [
        *("it's", 'a"b', "\\n", "x\ny", "a`b"),
    ]


def test_types_nest_and_are_told_in_lower_case():
    text = "ARRAY<STRUCT<a: DECIMAL(10, 2) NOT NULL COMMENT 'x', b MAP<STRING, ARRAY<TIMESTAMP_NTZ>>>>"
    assert (
        spoken(read_type(Reader(text))) == "array<struct<a:decimal(10,2),b:map<string,array<timestamp_ntz>>>>"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-- why\n SELECT 1;", c.Query("SELECT 1")),
        ("TABLE c.s.t", c.Query("SELECT * FROM c.s.t")),
        ("insert into t (a) values (1)", c.Insert(("t",), "values (1)", ("a",))),
        ("INSERT INTO t (SELECT 1)", c.Insert(("t",), "(SELECT 1)")),
        ("INSERT OVERWRITE TABLE c.t TABLE u", c.Insert(("c", "t"), "SELECT * FROM u", overwrite=True)),
        ("WITH q AS (SELECT 1) INSERT INTO t SELECT * FROM q", c.Insert(("t",), "WITH q AS (SELECT 1) SELECT * FROM q")),
        ("DROP VIEW IF EXISTS a.b.c", c.Drop("table", ("a", "b", "c"), if_exists=True, view=True)),
        ("DROP SCHEMA c.s CASCADE", c.Drop("schema", ("c", "s"), cascade=True)),
        ("GRANT USE SCHEMA, SELECT ON SCHEMA c.s TO `x-y`", c.Grant(("USE_SCHEMA", "SELECT"), "schema", ("c", "s"), "x-y")),
        ("DESC HISTORY t", c.Describe("table", ("t",), "HISTORY")),
        ("DESCRIBE HISTORY t LIMIT 3", c.Describe("table", ("t",), "HISTORY", 3)),
        ("DESCRIBE TABLE EXTENDED t", c.Describe("table", ("t",), "EXTENDED")),
        ("SHOW COLUMNS IN t IN s", c.Show("COLUMNS", ("s", "t"))),
        ("USE c.s", c.Use("c", "s")),
        ("SET a.b = 'c'", c.SetVariable("a.b", "c")),
        ("OPTIMIZE t ZORDER BY (a, b)", c.Optimize(("t",), ("a", "b"))),
        ("VACUUM t RETAIN 200 HOURS DRY RUN", c.Vacuum(("t",), 200.0, dry_run=True)),
        ("COMMENT ON TABLE t IS NULL", c.Comment("table", ("t",), None)),
    ],
)  # fmt: skip
def test_statements_say_what_they_say(text: str, expected: c.Statement):
    assert asdict(parse(text)) == asdict(expected)


@pytest.mark.parametrize(
    "text",
    ["COPY INTO t FROM 'x'", "CREATE TEMP VIEW v AS SELECT 1", "CREATE TABLE t (a INT) USING parquet",
     "CREATE TABLE t (a INT DEFAULT 1)", "INSERT INTO t PARTITION (a = 1) SELECT 1", "DROP TABLE t oops",
     "CREATE FUNCTION f() RETURNS INT LANGUAGE PYTHON AS $$ return 1 $$", "BEGIN SELECT 1; END", ""],
)  # fmt: skip
def test_what_is_not_supported_is_refused_and_not_ignored(text: str):
    with pytest.raises(SqlFailure):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select a, sum(b) from t group by all order by all", "select a, sum(b) from t group by 1 order by 1, 2"),
        ("select count(*) from t group by all limit 1", "select count(*) from t  limit 1"),
        ("select f(a, b), max(c) from (select x, min(y) from u group by all) GROUP BY ALL",
         "select f(a, b), max(c) from (select x, min(y) from u group by 1) GROUP BY 1"),
        ("select * from t order by all", "select * from t order by all"),
        ("select 'group by all' from t@v3", "select 'group by all' from t VERSION AS OF 3"),
    ],
)  # fmt: skip
def test_shorthands_the_engine_does_not_know_are_spelled_out(text: str, expected: str):
    assert spelled_out(text) == expected
