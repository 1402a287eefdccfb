"""A pipeline update with 10,000 new events when one million and when four million are there.

Each update runs in a process of its own, started beforehand as the workspace does; the time is from the spec to the end.
Updates on the small and the large pipeline take turns, so that both meet the same machine.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from local_workspace.api.pipelines.update_process import Runner

from benchmarks.measure import Figure, report, seconds
from tests.support.many_orders import EVENTS_AN_ORDER, ORDERS_A_DAY, write_days
from tests.support.pipelines import PipelineFolder, running_engine

MILLION = 1_000_000
SIZES = (1, 4)
DAY = ORDERS_A_DAY * EVENTS_AN_ORDER  # 11,200 events: one day of orders is one update


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.pipeline_update", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    took: dict[int, list[float]] = {size: [] for size in SIZES}
    with (
        tempfile.TemporaryDirectory(prefix="bench-pipeline-update-") as folder,
        running_engine(Path(folder) / "engine") as engine,
    ):
        pipelines = {size: _loaded(Path(folder) / f"{size}m", engine.address, size) for size in SIZES}
        turns = [(number, size) for number in range(times + 1) for size in SIZES]
        for number, size in turns:
            pipeline, next_day = pipelines[size]
            took[size].append(_update(pipeline, next_day + number))
    warm = {size: tuple(runs[1:]) for size, runs in took.items()}
    small, large = (statistics.median(warm[size]) for size in SIZES)
    report(
        f"pipeline update with {DAY:,} new events",
        [
            Figure("with 1 million events there", small, "s", "≤ 2 s", warm[1]),
            Figure("with 4 million events there", large, "s", "≤ 2 s", warm[4]),
            Figure("4 million over 1 million", large / small, "", "≤ 1.3"),
        ],
    )


def _loaded(folder: Path, engine: str, millions: int) -> tuple[PipelineFolder, int]:
    """A pipeline with that many events in all its tables, and the next day to come."""
    pipeline = PipelineFolder(folder, engine)
    days = -(-millions * MILLION // DAY)
    write_days(pipeline.events, 0, days)
    assert pipeline.update().code == 0
    return pipeline, days


def _update(pipeline: PipelineFolder, day: int) -> float:
    write_days(pipeline.events, day, 1)
    runner = Runner()
    runner.wait_until_loaded()
    return seconds(lambda: _checked(pipeline, runner))


def _checked(pipeline: PipelineFolder, runner: Runner) -> None:
    outcome = pipeline.update_apart(runner)
    assert outcome.code == 0, runner.last_words
    assert outcome.flow("all_events")["rows"] == DAY


if __name__ == "__main__":
    main()
