"""Which calls of the workspace each contract test makes: to write it down, and to see that what was written is true.

Only calls of real clients that succeed count, not those of the workspace's own engine.
"""

import json
from collections import defaultdict
from pathlib import Path

from local_workspace.coverage.calls import exercised, matching
from local_workspace.coverage.declared import ANSWERED

from tests.support.bad_days import Day
from tests.support.workspace import LocalWorkspace

REAL_CLIENTS = ("databricks-sdk-py", "pydatabrickssqlconnector", "python-requests", "python-httpx")


class CallRecord:
    """The calls of one run of tests.

    Args:
        file: where to write a line for each test; nowhere when there is none.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._by_module: defaultdict[str, set[str]] = defaultdict(set)
        self._days: dict[str, Day] = {}

    def note(self, test: str, workspace: LocalWorkspace) -> None:
        """Note the calls that came since the last time, as this test's."""
        made: set[str] = set()
        day = self._days.get(workspace.url)
        if day is None:
            day = self._days[workspace.url] = Day(workspace, since=0)
        calls = day.calls(changing=False)
        day.mark()
        for call in calls:
            if call.status is None or call.status >= 400 or not _is_real(call.agent):
                continue
            known = matching(call.method, call.path, ANSWERED)
            if known is not None:
                made.add(str(known))
        self._by_module[_module(test)] |= made
        self._write(test, made)

    def untrue(self, test: str) -> list[str]:
        """What the workspace's coverage says that this test exercises, and neither it nor its module's fixtures did."""
        return [
            call
            for call, said in exercised().items()
            if said == test and call not in self._by_module[_module(test)]
        ]

    def _write(self, test: str, calls: set[str]) -> None:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a") as lines:
                lines.write(json.dumps({"test": test, "calls": sorted(calls)}) + "\n")


def _is_real(agent: str) -> bool:
    return any(client in agent.lower() for client in REAL_CLIENTS)


def _module(test: str) -> str:
    return test.partition("::")[0]
