"""Which calls of the workspace each contract test makes: to write it down, and to see that what was written is true.

Only calls of real clients that succeed count, not those of the workspace's own engine.
"""

import json
from collections import defaultdict
from pathlib import Path

from local_workspace.coverage.calls import exercised, matching
from local_workspace.coverage.declared import ANSWERED

from tests.support.bad_days import Call, Day
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

    def follow(self, workspace: LocalWorkspace) -> None:
        """From here on what clients ask of this workspace is on record."""
        self._days[workspace.url] = Day(workspace)

    def begin(self) -> None:
        """What was asked until now belongs to no test."""
        for day in self._days.values():
            day.mark()

    def note(self, test: str) -> None:
        """Note the calls since the beginning as this test's."""
        calls = [call for day in self._days.values() for call in day.calls(changing=False)]
        known = (matching(call.method, call.path, ANSWERED) for call in calls if _succeeded(call))
        made = {str(call) for call in known if call is not None}
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


def _succeeded(call: Call) -> bool:
    real = any(client in call.agent.lower() for client in REAL_CLIENTS)
    return real and call.status is not None and call.status < 400


def _module(test: str) -> str:
    return test.partition("::")[0]
