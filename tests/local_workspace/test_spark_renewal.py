"""The SQL engine keeps some memory of every statement: it is spared those it has answered, and replaced after many."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from local_workspace.clock import SystemClock
from local_workspace.engines.spark import Spark
from local_workspace.engines.spark_connect import Write
from local_workspace.pipeline_runs.session import PipelineSession

from tests.support.waiting import wait_for

LIFE = 20
PROCESSES, MOST_STATEMENTS = 3, 10_000
_new_number = itertools.count()
"""Numbers nobody has asked for: what was asked before would not reach the engine."""


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    folder = tmp_path_factory.mktemp("spark")
    engine = Spark(folder / "scratch", folder / "spark.log", SystemClock(), statements_of_a_life=LIFE)
    engine.start()
    engine.wait_until_running()
    yield engine
    engine.stop()


def _values(spark: Spark, query: str) -> list[object]:
    tables = [pa.ipc.open_stream(stream).read_all() for stream in spark.query(query)]
    return pa.concat_tables(tables).column(0).to_pylist()


def _use_up(spark: Spark) -> int | None:
    """Ask as much as one process is asked, at least; the process that was there before."""
    before = spark.status.pid
    for number in itertools.islice(_new_number, LIFE):
        assert _values(spark, f"SELECT {number}") == [number]
    return before


def _wait_for_another(spark: Spark, before: int | None) -> None:
    wait_for(
        lambda: spark.status.state == "running" and spark.status.pid != before, what="another process runs"
    )


def test_a_question_about_unchanged_tables_reaches_the_engine_once(spark: Spark, tmp_path: Path):
    spark.write(Write("SELECT 1 AS a", str(tmp_path / "t"), "ERROR_IF_EXISTS"))
    question = f"SELECT sum(a) FROM delta.`{tmp_path}/t`"
    before = spark.statements
    assert [_values(spark, question) for _ in range(3)] == [[1]] * 3
    assert spark.statements == before + 1


def test_a_commit_brings_a_new_answer_to_an_old_question(spark: Spark, tmp_path: Path):
    question = f"SELECT sum(a) FROM delta.`{tmp_path}/t`"
    for number in range(1, 4):
        spark.write(Write("SELECT 1 AS a", str(tmp_path / "t"), "APPEND"))
        assert _values(spark, question) == [number]


def test_after_many_statements_another_process_takes_over(spark: Spark):
    before = _use_up(spark)
    _wait_for_another(spark, before)
    assert _values(spark, "SELECT 42") == [42]
    assert spark.status.restarts == 0
    assert spark.statements < LIFE


def test_statements_asked_side_by_side_survive_many_renewals(spark: Spark):
    pids: set[int | None] = set()
    failures: list[Exception] = []

    def ask() -> None:
        try:
            for number in itertools.islice(_new_number, MOST_STATEMENTS):
                assert _values(spark, f"SELECT {number}") == [number]
                pids.add(spark.status.pid)
                if len(pids - {None}) >= PROCESSES:
                    return
        except Exception as error:  # noqa: BLE001  a thread's failure is told below
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(pids - {None}) >= PROCESSES


def test_a_pipelines_session_goes_on_with_the_next_process(spark: Spark):
    spark.wait_until_running()
    session = PipelineSession(spark.address)
    assert session.range(3).count() == 3
    before = _use_up(spark)
    _wait_for_another(spark, before)
    assert session.range(4).count() == 4
    session.stop()
