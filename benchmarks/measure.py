"""What the benchmarks share: a figure, medians of repeated runs, memory of a process tree."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import psutil


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: what was measured.
        value: the median.
        unit: of the value.
        reach: what we want, as a sentence ("≤ 25 s").
        runs: the single measurements.
    """

    name: str
    value: float
    unit: str
    reach: str = ""
    runs: tuple[float, ...] = ()


def median_of(times: int, measure: Callable[[], float]) -> tuple[float, tuple[float, ...]]:
    """The median of `times` measurements, and all of them."""
    runs = tuple(measure() for _ in range(times))
    return statistics.median(runs), runs


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def resident_mb(pid: int) -> float:
    """Memory of a process and all its descendants that is really theirs (PSS where the system tells it), in MB."""
    process = psutil.Process(pid)
    total = 0
    for member in [process, *process.children(recursive=True)]:
        try:
            memory = member.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        total += getattr(memory, "pss", 0) or memory.rss
    return total / 1e6


def report(title: str, figures: list[Figure]) -> None:
    """Print a table for people and a line of JSON for programs."""
    print(f"\n{title}")
    for figure in figures:
        spread = f"  ({', '.join(f'{run:.2f}' for run in figure.runs)})" if figure.runs else ""
        print(f"  {figure.name:60} {figure.value:12,.2f} {figure.unit:10} {figure.reach}{spread}")
    print(json.dumps({"benchmark": title, "figures": [asdict(figure) for figure in figures]}))
