"""The pipeline's first load of 70 days, bronze to all golds, beside Apache Spark running the same source.

Ours is measured from the spec to the end of the update, in a process started beforehand, on a running engine; Spark from
the start of `spark-pipelines`, and again without its start-up (what it takes for an empty volume).
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from local_workspace.api.pipelines.update_process import Runner

from benchmarks.measure import Figure, median_of, report, seconds
from tests.support import apache_spark
from tests.support.many_orders import write_days
from tests.support.pipelines import PipelineFolder, running_engine

DAYS = 70


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.pipeline_load", description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--without-spark", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-pipeline-load-") as name:
        folder = Path(name)
        count = write_days(folder / "events", 0, DAYS)
        with running_engine(folder / "engine") as engine:
            ours, our_runs = median_of(arguments.times, lambda: _our_load(folder, engine.address, count))
        figures = [Figure("ours, all seven tables", ours, "s", "≤ 12 s", our_runs)]
        if not arguments.without_spark:
            figures += _beside_spark(folder, ours, arguments.times)
        report(f"first load of {count:,} events", figures)


def _our_load(folder: Path, engine: str, count: int) -> float:
    shutil.rmtree(folder / "ours", ignore_errors=True)
    pipeline = PipelineFolder(folder / "ours", engine)
    pipeline.events = folder / "events"
    runner = Runner()
    runner.wait_until_loaded()
    took = seconds(lambda: pipeline.update_apart(runner))
    assert pipeline.count("all_events") == count
    return took


def _beside_spark(folder: Path, ours: float, times: int) -> list[Figure]:
    (folder / "nothing").mkdir()
    start, _ = median_of(1, lambda: _spark_load(folder, folder / "nothing"))
    theirs, their_runs = median_of(times, lambda: _spark_load(folder, folder / "events"))
    return [
        Figure("Apache Spark, start-up included", theirs, "s", "", their_runs),
        Figure("Apache Spark, start-up taken off", theirs - start, "s"),
        Figure("Apache Spark over ours", theirs / ours, "", "≥ 3"),
        Figure("Apache Spark without start-up over ours", (theirs - start) / ours, ""),
    ]


def _spark_load(folder: Path, events: Path) -> float:
    shutil.rmtree(folder / "spark", ignore_errors=True)
    apache_spark.install()
    return seconds(lambda: apache_spark.run_order_items(folder / "spark", events))


if __name__ == "__main__":
    main()
