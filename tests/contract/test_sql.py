"""SQL through the real connector and the SDK's statement API: sessions, types, parameters, results, errors."""

import datetime as dt
import threading
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from databricks.sdk.service.sql import (
    Disposition,
    ExecuteStatementRequestOnWaitTimeout,
    Format,
    StatementParameterListItem,
    StatementState,
)
from databricks.sql.exc import Error, ServerOperationError

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

EVERY_TYPE = """
    SELECT 1 AS i, CAST(2 AS BIGINT) AS l, 1.50 AS d, CAST(2.5 AS DOUBLE) AS f, 'x' AS s, X'6162' AS b, true AS t,
           DATE'2024-01-02' AS day, TIMESTAMP'2024-01-02 03:04:05' AS at,
           CAST('2024-01-02 03:04:05' AS TIMESTAMP_NTZ) AS local, array(1, 2) AS a, map('k', 1) AS m,
           named_struct('x', 1, 'y', 'z') AS st, CAST(NULL AS STRING) AS nothing
"""
ENDLESS = "SELECT count(*) FROM range(100000000000) WHERE id % 7 = 3"


@pytest.fixture
def cursor(workspace: LocalWorkspace) -> Iterator[Any]:
    with workspace.connect() as connection, connection.cursor() as cursor:
        yield cursor


@pytest.fixture
def warehouse(workspace: LocalWorkspace) -> str:
    warehouse = next(iter(workspace.client.warehouses.list())).id
    assert warehouse
    return warehouse


def _rows(cursor: Any, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    cursor.execute(statement, parameters) if parameters else cursor.execute(statement)
    return [tuple(row) for row in cursor.fetchall()]


def test_every_type_arrives_through_the_connector_as_itself(cursor: Any):
    cursor.execute(EVERY_TYPE)
    row = cursor.fetchone()
    assert (row.i, row.l, row.d, row.f, row.s, row.b, row.t) == (1, 2, Decimal("1.50"), 2.5, "x", b"ab", True)
    assert row.day == dt.date(2024, 1, 2)
    assert row.at == dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert row.local == row.at.replace(tzinfo=None)
    assert (list(row.a), list(row.m), dict(row.st), row.nothing) == (
        [1, 2],
        [("k", 1)],
        {"x": 1, "y": "z"},
        None,
    )


def test_every_type_arrives_in_json_as_a_string(workspace: LocalWorkspace, warehouse: str):
    answer = workspace.client.statement_execution.execute_statement(EVERY_TYPE, warehouse)
    assert answer.result
    assert answer.result.data_array
    assert answer.result.data_array[0] == [
        *("1", "2", "1.50", "2.5", "x", "YWI=", "true", "2024-01-02"),
        *("2024-01-02T03:04:05.000Z", "2024-01-02T03:04:05.000", "[1,2]", '{"k":1}', '{"x":1,"y":"z"}'),
        None,
    ]


def test_named_and_ordinal_parameters_keep_their_values(cursor: Any):
    nasty = "it's \\ \n ok; -- /* ünï :x ? \t"
    assert _rows(cursor, "SELECT :s AS s, :n AS n", {"s": nasty, "n": None}) == [(nasty, None)]
    assert _rows(cursor, "SELECT ? + ?, '?'", [1, 2]) == [(3, "?")]
    assert _rows(cursor, "SELECT * FROM range(10) LIMIT :n", {"n": 2}) == [(0,), (1,)]


def test_typed_parameters_of_the_statement_api_are_cast(workspace: LocalWorkspace, warehouse: str):
    answer = workspace.client.statement_execution.execute_statement(
        "SELECT :a + 1, :d, :b",
        warehouse,
        parameters=[
            StatementParameterListItem(name="a", value="41", type="INT"),
            StatementParameterListItem(name="d", value="2024-01-01", type="DATE"),
            StatementParameterListItem(name="b", value="1.5", type="DECIMAL(4,2)"),
        ],
    )
    assert answer.result
    assert answer.result.data_array == [["42", "2024-01-01", "1.50"]]


def test_a_million_rows_come_in_chunks_and_always_all_of_them(cursor: Any):
    for _ in range(8):
        cursor.execute("SELECT id, CAST(id AS STRING) AS s, id * 1.5 AS d FROM range(1000000)")
        table = cursor.fetchall_arrow()
        assert table.num_rows == 1_000_000
        assert pa.compute.sum(table["id"]).as_py() == 999_999 * 1_000_000 // 2


def test_external_links_need_no_token_and_lead_to_the_rows(workspace: LocalWorkspace, warehouse: str):
    answer = workspace.client.statement_execution.execute_statement(
        "SELECT id FROM range(10)",
        warehouse,
        disposition=Disposition.EXTERNAL_LINKS,
        format=Format.ARROW_STREAM,
    )
    assert answer.result
    assert answer.result.external_links
    with urllib.request.urlopen(answer.result.external_links[0].external_link or "") as response:
        assert pa.ipc.open_stream(response.read()).read_all()["id"].to_pylist() == list(range(10))


def test_a_row_limit_cuts_the_result_and_says_so(workspace: LocalWorkspace, warehouse: str):
    answer = workspace.client.statement_execution.execute_statement(
        "SELECT id FROM range(100)", warehouse, row_limit=3
    )
    assert answer.manifest
    assert answer.manifest.truncated
    assert answer.result
    assert answer.result.data_array == [["0"], ["1"], ["2"]]


def test_inline_results_beyond_the_limit_fail_with_advice(workspace: LocalWorkspace, warehouse: str):
    answer = workspace.client.statement_execution.execute_statement(
        "SELECT repeat('x', 1000) FROM range(30000)", warehouse
    )
    assert answer.status
    assert answer.status.state is StatementState.FAILED
    assert answer.status.error
    assert "EXTERNAL_LINKS" in (answer.status.error.message or "")


def test_a_result_without_rows_still_has_its_columns(cursor: Any):
    cursor.execute("SELECT 1 AS a, 'x' AS b WHERE false")
    assert [column[0] for column in cursor.description] == ["a", "b"]
    assert cursor.fetchall() == []


@pytest.mark.parametrize(
    ("statement", "error_class", "state"),
    [
        ("SELECT 1/0", "DIVIDE_BY_ZERO", "22012"),
        ("SELECT CAST('x' AS INT)", "CAST_INVALID_INPUT", "22018"),
        ("SELEC 1", "PARSE_SYNTAX_ERROR", "42601"),
        ("SELECT (1", "PARSE_SYNTAX_ERROR", "42601"),
        ("SELECT * FROM a.b.c", "TABLE_OR_VIEW_NOT_FOUND", "42P01"),
        ("SELECT nope", "UNRESOLVED_COLUMN", "42703"),
        ("SELECT :missing", "UNBOUND_SQL_PARAMETER", "42P02"),
        ("SELECT 1; SELECT 2", "PARSE_SYNTAX_ERROR", "42601"),
        ("CREATE MATERIALIZED VIEW a.b.c AS SELECT 1", "UNSUPPORTED_FEATURE", "0A000"),
        ("SELECT * FROM text.`/etc/passwd`", "INVALID_PARAMETER_VALUE", "22023"),
    ],
)
def test_a_failure_is_raised_with_class_words_and_state(
    cursor: Any, statement: str, error_class: str, state: str
):
    with pytest.raises(ServerOperationError) as failure:
        cursor.execute(statement)
    assert str(failure.value).startswith(f"[{error_class}]")
    assert str(failure.value).endswith(f"SQLSTATE: {state}")


def test_a_statement_runs_on_and_is_polled_and_canceled(workspace: LocalWorkspace, warehouse: str):
    statements = workspace.client.statement_execution
    begun = statements.execute_statement(ENDLESS, warehouse, wait_timeout="0s")
    assert begun.statement_id

    def state() -> StatementState | None:
        status = statements.get_statement(begun.statement_id or "").status
        return status.state if status else None

    wait_for(lambda: state() is StatementState.RUNNING, seconds=30, what="the statement runs")
    statements.cancel_execution(begun.statement_id)
    wait_for(lambda: state() is StatementState.CANCELED, seconds=10, what="the statement is canceled")


def test_a_statement_is_canceled_when_its_wait_is_over(workspace: LocalWorkspace, warehouse: str):
    answer = workspace.client.statement_execution.execute_statement(
        ENDLESS, warehouse, wait_timeout="5s", on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CANCEL
    )
    assert answer.status
    assert answer.status.state is StatementState.CANCELED


def test_a_cursor_is_canceled_from_another_thread(cursor: Any):
    failures: list[Exception] = []

    def run() -> None:
        try:
            cursor.execute(ENDLESS)
        except Error as error:
            failures.append(error)

    running = threading.Thread(target=run)
    running.start()

    def ended() -> bool:
        cursor.cancel()
        running.join(0.5)
        return not running.is_alive()

    wait_for(ended, seconds=30, what="the canceled cursor comes back")
    assert failures


def test_a_session_keeps_its_catalog_and_schema(cursor: Any, catalog: str):
    cursor.execute(f"CREATE SCHEMA {catalog}.s")
    cursor.execute(f"USE {catalog}.s")
    cursor.execute("CREATE TABLE t AS SELECT 7 AS seven")
    assert _rows(cursor, "SELECT seven FROM t") == [(7,)]
    assert _rows(cursor, "SELECT current_catalog(), current_schema()") == [(catalog, "s")]


def test_results_are_private_to_who_asked(workspace: LocalWorkspace, warehouse: str):
    answer = workspace.client.statement_execution.execute_statement("SELECT 1", warehouse)
    stranger = workspace.service_principal().client
    with pytest.raises(Exception, match="was not found"):
        stranger.statement_execution.get_statement(answer.statement_id or "")
