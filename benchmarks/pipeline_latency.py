"""From a file closed in the volume to its rows in gold, live at 60×; and what remains to do after 90 days in 90 seconds.

The update runs continuously in its own process. At 60× a minute's worth of a day's events arrives every second; at
86,400× a day every second, as fast as the replay would write it.
"""

import argparse
import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable
from local_workspace.api.pipelines.update_process import Runner

from benchmarks.measure import Figure, report
from tests.support.many_orders import EVENTS_AN_ORDER, ORDERS_A_DAY, write_days
from tests.support.pipelines import PipelineFolder, lines, order, running_engine
from tests.support.waiting import wait_for

LOADED_DAYS = 30
FAST_DAYS = 90


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.pipeline_latency", description=__doc__)
    parser.add_argument("--files", type=int, default=60, help="files measured at 60×, one a second")
    parser.add_argument("--days", type=int, default=FAST_DAYS, help="days replayed at 86,400×")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-pipeline-latency-") as name,
        running_engine(Path(name) / "engine") as engine,
    ):
        live = _live(Path(name) / "live", engine.address, arguments.files)
        lag, missing = _fast(Path(name) / "fast", engine.address, arguments.days)
    report(
        "live pipeline",
        [
            Figure("file closed to rows in gold at 60×, median", statistics.median(live), "s"),
            Figure("the same, 95th percentile", sorted(live)[int(0.95 * len(live))], "s", "≤ 3 s"),
            Figure("lag at the end of 86,400×", lag, "s", "≤ 10 s"),
            Figure("events lost", missing, "", "0"),
        ],
    )


@dataclass
class _Continuous:
    """A pipeline that runs until it is stopped."""

    pipeline: PipelineFolder
    runner: Runner
    thread: threading.Thread

    @classmethod
    def start(cls, pipeline: PipelineFolder) -> "_Continuous":
        runner = Runner()
        thread = threading.Thread(target=lambda: pipeline.update_apart(runner, continuous=True))
        thread.start()
        return cls(pipeline, runner, thread)

    def orders_in_gold(self) -> int:
        """The rows of gold_order_header, 0 while there is no table."""
        location = self.pipeline.location("gold_order_header")
        return DeltaTable(location).count() if DeltaTable.is_deltatable(str(location)) else 0

    def wait(self, orders: int, seconds: float = 300) -> None:
        """Return when that many orders are in gold."""
        wait_for(
            lambda: self.orders_in_gold() >= orders,
            seconds=seconds,
            what="all orders are in gold",
            every=0.02,
        )

    def stop(self) -> None:
        """End it."""
        os.kill(self.runner.pid, signal.SIGTERM)
        self.thread.join()


def _live(folder: Path, engine: str, files: int) -> list[float]:
    pipeline = PipelineFolder(folder, engine)
    write_days(pipeline.events, 0, LOADED_DAYS)
    running = _Continuous.start(pipeline)
    known = LOADED_DAYS * ORDERS_A_DAY
    running.wait(known)
    took: list[float] = []
    for number in range(files):
        began = time.perf_counter()
        pipeline.put(
            f"live-{number}.json", lines(order(f"live-{number}", LOADED_DAYS * 86_400 + 60 * number))
        )
        running.wait(known + number + 1)
        took.append(time.perf_counter() - began)
        _pause_until(began + 1)
    running.stop()
    return took


def _fast(folder: Path, engine: str, days: int) -> tuple[float, float]:
    pipeline = PipelineFolder(folder, engine)
    running = _Continuous.start(pipeline)
    began = time.perf_counter()
    for day in range(days):
        write_days(pipeline.events, day, 1)
        _pause_until(began + day + 1)
    ended = time.perf_counter()
    running.wait(days * ORDERS_A_DAY)
    lag = time.perf_counter() - ended
    running.stop()
    expected = days * ORDERS_A_DAY * EVENTS_AN_ORDER
    return lag, expected - DeltaTable(pipeline.location("all_events")).count()


def _pause_until(moment: float, now: Callable[[], float] = time.perf_counter) -> None:
    time.sleep(max(0.0, moment - now()))


if __name__ == "__main__":
    main()
