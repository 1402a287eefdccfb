"""The complaint line on a history of 70 days, with the rules model: how fast complaints are written.

CPU time counts the worker, the workspace and its engine; it hardly depends on what else the machine does.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, report, seconds
from benchmarks.recommender import DAYS, bench_line, cpu_s
from tests.complaint_console.complaint_line import ComplaintLine
from tests.support.workspace import LocalWorkspace


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="benchmarks.complaints", description=__doc__)
    parser.add_argument("--orders", type=int, default=3_000, help="complaints to be written")
    parser.add_argument("--days", type=int, default=DAYS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-complaints-") as folder:
        workspace = LocalWorkspace(Path(folder) / "home").start()
        try:
            line = bench_line(workspace, ComplaintLine, arguments.days)
            figures = _written(line, arguments.orders, workspace.pid)
            line.close()
        finally:
            workspace.stop()
    report(f"complaints, history of {arguments.days} days", figures)


def _written(line: ComplaintLine, wanted: int, workspace_pid: int) -> list[Figure]:
    """Complaints a second, from the first look to the last row written."""
    worker, began_s, took_s = line.generator(), cpu_s(workspace_pid), 0.0
    while (written := _count(line)) < wanted:
        took_s += seconds(lambda: line.complain(wanted, worker=worker))
    cpu_ms = 1000 * (cpu_s(workspace_pid) - began_s) / written
    return [
        Figure(f"{written} complaints written", written / took_s, "complaints/s", "≥ 100"),
        Figure("CPU time of all processes", cpu_ms, "ms/complaint"),
    ]


def _count(line: ComplaintLine) -> int:
    return line.rows(f"SELECT count(*) AS n FROM {line.names.table('complaints.raw_complaints')}")[0]["n"]


if __name__ == "__main__":
    main()
