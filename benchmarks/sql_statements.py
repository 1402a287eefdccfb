"""SQL statements through the connector, beside the engine alone: point queries, inserts, a million rows, memory.

The engine alone means the same queries over Spark Connect on the same data, without workspace, HTTP and connector.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from local_workspace.clock import SystemClock
from local_workspace.engines.spark import Spark
from local_workspace.engines.spark_connect import Write

from benchmarks.measure import Figure, median_of, report, resident_mb, seconds
from tests.support.workspace import LocalWorkspace

TIMES = 5
QUERIES_A_RUN = 40
ROWS = 100_000
TABLE = "SELECT id, CAST(id AS STRING) AS s FROM range({})"
MILLION = "SELECT id, CAST(id AS STRING) AS s, id * 1.5 AS d FROM range(1000000)"


def _through_the_workspace(workspace: LocalWorkspace) -> list[Figure]:
    with workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE CATALOG bench")
        cursor.execute(f"CREATE TABLE bench.default.t AS {TABLE.format(ROWS)}")
        cursor.execute("CREATE TABLE bench.default.sink (a INT)")

        def point(number: int) -> None:
            cursor.execute("SELECT * FROM bench.default.t WHERE id = :n", {"n": number})
            assert len(cursor.fetchall()) == 1

        def insert(number: int) -> None:
            cursor.execute("INSERT INTO bench.default.sink VALUES (:n)", {"n": number})

        def million() -> None:
            cursor.execute(MILLION)
            assert cursor.fetchall_arrow().num_rows == 1_000_000

        point(0)
        figures = [
            _figure("point query through the connector", "≤ engine + 15 ms", lambda: _each(point)),
            _figure("insert of one row through the connector", "", lambda: _each(insert)),
        ]
        value, runs = median_of(TIMES, lambda: seconds(million))
        figures.append(Figure("a million rows through the connector", value, "s", "", runs))
    return [*figures, Figure("workspace and engine afterwards", resident_mb(workspace.pid), "MB")]


def _by_the_engine_alone(folder: Path) -> list[Figure]:
    spark = Spark(folder / "scratch", folder / "engine.log", SystemClock())
    spark.start()
    spark.wait_until_running()
    try:
        spark.write(Write(TABLE.format(ROWS), str(folder / "t"), "ERROR_IF_EXISTS"))

        def point(number: int) -> None:
            assert _rows(spark.query(f"SELECT * FROM delta.`{folder}/t` WHERE id = {number}")) == 1

        point(0)
        figures = [_figure("point query by the engine alone", "", lambda: _each(point))]
        value, runs = median_of(TIMES, lambda: seconds(lambda: _rows(spark.query(MILLION))))
        return [*figures, Figure("a million rows by the engine alone", value, "s", "", runs)]
    finally:
        spark.stop()


def _figure(name: str, reach: str, measure: Callable[[], float]) -> Figure:
    value, runs = median_of(TIMES, measure)
    return Figure(name, value, "ms", reach, runs)


def _each(work: Callable[[int], None]) -> float:
    """Milliseconds of one of many."""
    return seconds(lambda: [work(number) for number in range(QUERIES_A_RUN)]) / QUERIES_A_RUN * 1000


def _rows(streams: Any) -> int:
    return sum(pa.ipc.open_stream(stream).read_all().num_rows for stream in streams)


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        alone = _by_the_engine_alone(Path(folder))
        workspace = LocalWorkspace(Path(folder) / "home").start()
        try:
            through = _through_the_workspace(workspace)
        finally:
            workspace.stop()
    report("SQL statements", [*through, *alone])


if __name__ == "__main__":
    main()
