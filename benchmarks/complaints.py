"""The complaint line on a history of 70 days, with the rules model: how fast complaints are written and triaged.

CPU time counts the workers, the workspace and its engine; it hardly depends on what else the machine does.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, report, seconds
from benchmarks.recommender import DAYS, bench_line, cpu_s
from tests.complaint_console.triage_line import TriageLine
from tests.support.workspace import LocalWorkspace


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="benchmarks.complaints", description=__doc__)
    parser.add_argument("--orders", type=int, default=3_000, help="complaints to be written, then triaged")
    parser.add_argument("--days", type=int, default=DAYS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-complaints-") as folder:
        workspace = LocalWorkspace(Path(folder) / "home").start()
        try:
            line = bench_line(workspace, TriageLine, arguments.days)
            figures = [
                *_written(line, arguments.orders, workspace.pid),
                *_triaged(line, workspace.pid),
            ]
            line.close()
        finally:
            workspace.stop()
    report(f"complaints, history of {arguments.days} days", figures)


def _written(line: TriageLine, wanted: int, workspace_pid: int) -> list[Figure]:
    """Complaints a second, from the first look to the last row written."""
    worker, began_s, took_s = line.generator(), cpu_s(workspace_pid), 0.0
    while (written := _count(line, "raw_complaints")) < wanted:
        took_s += seconds(lambda: line.complain(wanted, worker=worker))
    return _figures("written", written, took_s, cpu_s(workspace_pid) - began_s)


def _triaged(line: TriageLine, workspace_pid: int) -> list[Figure]:
    """The same of responses to all that were written."""
    worker, began_s, took_s = line.triager(), cpu_s(workspace_pid), 0.0
    wanted = _count(line, "raw_complaints")
    while (triaged := _count(line, "complaint_responses")) < wanted:
        took_s += seconds(lambda: line.triage(wanted, worker=worker))
    return _figures("triaged", triaged, took_s, cpu_s(workspace_pid) - began_s)


def _figures(done: str, complaints: int, took_s: float, cpu_s_used: float) -> list[Figure]:
    return [
        Figure(f"{complaints} complaints {done}", complaints / took_s, "complaints/s", "≥ 100"),
        Figure(f"CPU time of all processes, {done}", 1000 * cpu_s_used / complaints, "ms/complaint"),
    ]


def _count(line: TriageLine, table: str) -> int:
    return line.rows(f"SELECT count(*) AS n FROM {line.names.table(f'complaints.{table}')}")[0]["n"]


if __name__ == "__main__":
    main()
