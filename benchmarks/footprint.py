"""What the whole demo costs a laptop: target `all`, live at 60×, once the history is worked off.

The process tree of the workspace is looked at every few seconds. CPU is what the kernel has accounted to it, so other
load on the machine matters little; 100 % is one core. Memory is PSS, in which a page that several processes share is
counted once: what would be free if everything stopped. RSS, which counts shared pages for each process, stands beside
it. What grows is told per hour, by the slope of a line through all samples.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.measure import Figure, report
from tests.support.product import Product
from tests.support.waiting import wait_for

EVERY_S = 5.0
SETTLE_S = 60.0
BUSY_WITH_HISTORY = ("refund_recommender", "complaint_agent", "complaint_generator")
PROGRAMS = {
    "spark server": "SQL engine",
    "local_workspace.pipeline_runs": "pipeline",
    "local_workspace": "workspace",
    "admin": "app admin",
    "replayer": "app replayer",
    "refund_manager": "app refunds",
    "complaint_console": "app complaints",
}
"""What stands in a command line, and what we call it; the first that fits counts."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.footprint", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long to look")
    parser.add_argument("--home", type=Path, help="a home in which the demo runs already; it goes on running")
    arguments = parser.parse_args()
    with _running(arguments.home) as product:
        wait_for(lambda: _history_is_done(product), seconds=600, what="the history is worked off", every=5)
        time.sleep(SETTLE_S)
        samples = [Sample.take(product) for _ in _every(EVERY_S, arguments.minutes * 60)]
    _tell(samples)


@contextmanager
def _running(home: Path | None) -> Generator[Product]:
    if home is not None:
        yield Product(home)
        return
    with tempfile.TemporaryDirectory(prefix="bench-footprint-") as folder:
        product = Product(Path(folder) / "home")
        try:
            product.up("--target", "all", "--port", "0")
            yield product
        finally:
            product.down()


def _history_is_done(product: Product) -> bool:
    workers = product.status()["workers"]
    return all(workers[name]["progress"].get("pending_history") == 0 for name in BUSY_WITH_HISTORY)


def _every(seconds: float, limit_s: float) -> Iterator[None]:
    began = time.monotonic()
    for number in range(int(limit_s / seconds) + 1):
        time.sleep(max(0.0, began + number * seconds - time.monotonic()))
        yield


@dataclass(frozen=True)
class Cost:
    """What a program costs at one moment; its CPU seconds are those since it began, children that ended included."""

    cpu_s: float = 0.0
    pss_mb: float = 0.0
    rss_mb: float = 0.0
    descriptors: int = 0
    threads: int = 0
    connections: int = 0
    """Clients of a Postgres cluster."""

    def __add__(self, other: "Cost") -> "Cost":
        mine, others = vars(self), vars(other)
        return Cost(**{name: mine[name] + others[name] for name in mine})


@dataclass(frozen=True)
class Sample:
    """One look: when, what each program costs, how many files and bytes each folder of the home holds."""

    at_s: float
    costs: Mapping[str, Cost]
    files: Mapping[str, int]
    sizes: Mapping[str, int]

    @classmethod
    def take(cls, product: Product) -> "Sample":
        """Look now."""
        costs: dict[str, Cost] = {}
        at_s = time.monotonic()
        workspace = psutil.Process(product.connection["pid"])
        for process in [workspace, *workspace.children(recursive=True)]:
            try:
                name = _program(process)
                costs[name] = costs.get(name, Cost()) + _cost(process)
            except psutil.Error:
                continue  # it ended while we looked
        files, sizes = _files(product.home / "workspace")
        return cls(at_s, costs, files, sizes)

    @property
    def total(self) -> Cost:
        """All programs together."""
        return sum(self.costs.values(), Cost())


def _program(process: psutil.Process) -> str:
    command = process.cmdline()
    if command and command[0].startswith("postgres:"):
        return _program(psutil.Process(process.ppid()))
    if "-D" in command:
        return f"Postgres {Path(command[command.index('-D') + 1]).parent.name}"
    line = " ".join(command)
    return next((name for part, name in PROGRAMS.items() if part in line), command[0] if command else "?")


def _cost(process: psutil.Process) -> Cost:
    with process.oneshot():
        times, memory = process.cpu_times(), process.memory_full_info()
        line = " ".join(process.cmdline())
        return Cost(
            times.user + times.system + times.children_user + times.children_system,
            memory.pss / 1e6,
            memory.rss / 1e6,
            process.num_fds(),
            process.num_threads(),
            int(line.startswith("postgres:") and "127." in line),
        )


def _files(workspace: Path) -> tuple[Counter[str], Counter[str]]:
    files, sizes = Counter[str](), Counter[str]()
    for folder, _, names in os.walk(workspace):
        place = _place(Path(folder).relative_to(workspace).parts)
        for name in names:
            try:
                size = Path(folder, name).stat().st_size
            except FileNotFoundError:
                continue
            files[place] += 1
            sizes[place] += size
    return files, sizes


def _place(parts: tuple[str, ...]) -> str:
    """What the files of a folder are to us."""
    if parts[:1] == ("catalogs",) and len(parts) > 2:
        if "volumes" in parts:
            return "volume " + "/".join(parts[parts.index("volumes") + 1 :][:1])
        return f"tables of {parts[2]}, {'log' if '_delta_log' in parts else 'data'}"
    return parts[0] if parts else "."


def _tell(samples: list[Sample]) -> None:
    first, last = samples[0], samples[-1]
    programs = sorted(last.costs, key=lambda name: -last.costs[name].pss_mb)
    print(
        f"\n{'program':34} {'CPU %':>7} {'PSS MB':>15} {'per h':>8} {'RSS MB':>7} {'fds':>11} {'threads':>9}"
    )
    for name in programs:
        _line(name, [sample.costs.get(name, Cost()) for sample in samples], samples)
    _line("all", [sample.total for sample in samples], samples)
    print(f"\n{'files':52} {'start':>7} {'end':>7} {'per h':>8} {'MB':>9} {'MB per h':>9}")
    for place in sorted(last.files, key=lambda place: -_slope(samples, [s.files[place] for s in samples])):
        numbers = [float(sample.files.get(place, 0)) for sample in samples]
        sizes = [sample.sizes.get(place, 0) / 1e6 for sample in samples]
        print(
            f"{place:52} {numbers[0]:7.0f} {numbers[-1]:7.0f} {_slope(samples, numbers):8.0f} "
            f"{sizes[-1]:9.1f} {_slope(samples, sizes):9.1f}"
        )
    totals = [sample.total for sample in samples]
    pss = [cost.pss_mb for cost in totals]
    report(
        f"the whole demo live at 60×, {(last.at_s - first.at_s) / 60:.0f} minutes",
        [
            Figure("CPU, average, of one core", _cpu_percent(totals, samples), "%", "≤ 60 %"),
            Figure("memory (PSS), average", statistics.fmean(pss), "MB", "≤ 2,500 MB"),
            Figure("memory (PSS), highest", max(pss), "MB"),
            Figure("memory (RSS), average", statistics.fmean(cost.rss_mb for cost in totals), "MB"),
            Figure("memory (PSS), growth", _slope(samples, pss), "MB/h", "flat"),
            Figure("descriptors, growth", _slope(samples, [c.descriptors for c in totals]), "/h", "flat"),
            Figure("threads, growth", _slope(samples, [c.threads for c in totals]), "/h", "flat"),
            Figure("Postgres connections, at the end", totals[-1].connections, ""),
            Figure("the same, growth", _slope(samples, [c.connections for c in totals]), "/h", "flat"),
        ],
    )
    print(json.dumps({"programs": {name: vars(cost) for name, cost in last.costs.items()}}))


def _line(name: str, costs: list[Cost], samples: list[Sample]) -> None:
    first, last = costs[0], costs[-1]
    pss = [cost.pss_mb for cost in costs]
    print(
        f"{name:34} {_cpu_percent(costs, samples):7.1f} {first.pss_mb:7.0f} {last.pss_mb:7.0f} "
        f"{_slope(samples, pss):8.0f} {last.rss_mb:7.0f} {first.descriptors:5} {last.descriptors:5} "
        f"{first.threads:4} {last.threads:4}"
    )


def _cpu_percent(costs: list[Cost], samples: list[Sample]) -> float:
    return 100 * (costs[-1].cpu_s - costs[0].cpu_s) / (samples[-1].at_s - samples[0].at_s)


def _slope(samples: list[Sample], numbers: list[float] | list[int]) -> float:
    """Growth an hour."""
    return 3600 * statistics.linear_regression([sample.at_s for sample in samples], numbers).slope


if __name__ == "__main__":
    main()
