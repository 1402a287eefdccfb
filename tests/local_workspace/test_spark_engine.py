"""The SQL engine: it answers, is interrupted, is killed and comes back."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from local_workspace.clock import SystemClock
from local_workspace.engines import delta
from local_workspace.engines.spark import Spark
from local_workspace.engines.spark_connect import EngineError, EngineLost, Interrupted, Write

from tests.support.waiting import wait_for

ENDLESS = "SELECT count(*) FROM range(100000000000) WHERE id % 7 = 3"


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    folder = tmp_path_factory.mktemp("spark")
    engine = Spark(folder / "scratch", folder / "spark.log", SystemClock())
    engine.start()
    engine.wait_until_running()
    yield engine
    engine.stop()


def _values(spark: Spark, query: str) -> list[object]:
    tables = [pa.ipc.open_stream(stream).read_all() for stream in spark.query(query)]
    return pa.concat_tables(tables).column(0).to_pylist()


def _failure_of(spark: Spark, operation: str, stop: object) -> Exception:
    failures: list[Exception] = []

    def run() -> None:
        try:
            list(spark.query(ENDLESS, operation))
        except EngineError as error:
            failures.append(error)

    running = threading.Thread(target=run)
    running.start()

    def ended() -> bool:
        stop()  # type: ignore[operator]  a callable
        running.join(0.3)
        return not running.is_alive()

    wait_for(ended, seconds=30, what="the statement ends")
    return failures[0]


def test_rows_of_every_batch_arrive(spark: Spark):
    assert sum(_values(spark, "SELECT id FROM range(50000)")) == 49_999 * 25_000  # type: ignore[arg-type]  integers


def test_an_interrupted_statement_says_so(spark: Spark):
    failure = _failure_of(spark, "endless", lambda: spark.interrupt("endless"))
    assert isinstance(failure, Interrupted)


def test_a_killed_engine_comes_back_and_what_ran_fails(spark: Spark):
    pid = spark.status.pid
    assert pid
    failure = _failure_of(
        spark, "doomed", lambda: os.kill(pid, signal.SIGKILL) if spark.status.pid == pid else None
    )
    assert isinstance(failure, EngineLost)
    wait_for(lambda: spark.status.restarts, what="the loss is noticed")
    assert _values(spark, "SELECT 1") == [1]


def test_a_written_table_is_read_by_both_engines(spark: Spark, tmp_path: Path):
    spark.write(Write("SELECT id AS a, 'x' AS b FROM range(10)", str(tmp_path / "t"), "ERROR_IF_EXISTS"))
    spark.write(Write("SELECT 'y' AS b, 99 AS a", str(tmp_path / "t"), "APPEND"))
    assert delta.row_count(tmp_path / "t") == 11
    assert delta.version(tmp_path / "t") == 1
    assert _values(spark, f"SELECT max(a) FROM delta.`{tmp_path}/t`") == [99]


def test_a_failed_write_leaves_no_commit(spark: Spark, tmp_path: Path):
    delta.create_empty(
        tmp_path / "t",
        '{"type":"struct","fields":[{"name":"a","type":"integer","nullable":false,"metadata":{}}]}',
    )
    with pytest.raises(EngineError, match="NOT NULL"):
        spark.write(Write("SELECT CAST(NULL AS INT) AS a", str(tmp_path / "t"), "APPEND"))
    assert delta.version(tmp_path / "t") == 0


def test_a_directory_that_the_engine_would_misname_is_refused(spark: Spark, tmp_path: Path):
    with pytest.raises(EngineError, match="special characters"):
        spark.write(Write("SELECT 1 AS a", str(tmp_path / "with space"), "ERROR_IF_EXISTS"))


def test_statements_work_after_the_engine_forgot_the_session(tmp_path: Path):
    moment = SystemClock()
    forgetful = Spark(tmp_path / "scratch with space", tmp_path / "log", moment, session_life_s=1)
    forgetful.start()
    try:
        assert _values(forgetful, "SELECT 1") == [1]
        began = moment.monotonic()
        wait_for(lambda: moment.monotonic() - began > 3, what="the session is forgotten")
        assert _values(forgetful, "SELECT 2") == [2]
    finally:
        forgetful.stop()
