"""Bad days of a local workspace: rules that hold as long as a `with` block, and the calls that came meanwhile."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

SECONDS = 60
EVERY_CALL_REFUSED_ONCE = {
    "fault": "answer",
    "status": 429,
    "error_code": "REQUEST_LIMIT_EXCEEDED",
    "retry_after_s": 0,
    "calls": "all",
    "each": True,
}
"""Each distinct call (method, path, query, body) is answered 429 the first time it comes."""


@dataclass(frozen=True)
class Call:
    """A call that the workspace saw; local_workspace.bad_days.Call says what the fields mean."""

    number: int
    method: str
    path: str
    query: str
    caller: str
    changing: bool
    agent: str
    fault: str | None
    carried_out: bool
    status: int | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Day:
    """The bad day that is on."""

    def __init__(self, workspace: LocalWorkspace, *, since: int | None = None) -> None:
        self._workspace = workspace
        self._since = self._last() if since is None else since

    def mark(self) -> None:
        """Let `calls` begin here."""
        self._since = self._last()

    def calls(self, *, changing: bool = True) -> list[Call]:
        """The calls since the mark, in order of arrival; with `changing=False` also those that change nothing."""
        answer = self._ask("GET", "/calls", since=self._since, changing=str(changing).lower())
        return [Call(**it) for it in answer["calls"]]

    def stands(self, *rules: dict[str, Any]) -> None:
        """Let these rules stand in place of those before; calls that were held are dropped."""
        self._ask("PUT", "/rules", json={"rules": list(rules)})

    def lift(self) -> None:
        """Let all go well again; calls that were held are dropped."""
        self._ask("DELETE", "/rules")

    def fired(self) -> int:
        """How many calls were hit."""
        return sum(it["fired"] for it in self._rules())

    def wait_until_held(self, *, seconds: float = 30) -> None:
        """Return when a call is held: before or after its effect, as the rule says."""
        wait_for(self.holding, seconds=seconds, what="a call is being held")

    def holding(self) -> int:
        """How many calls are held just now."""
        return sum(it["holding"] for it in self._rules())

    def _last(self) -> int:
        return int(self._ask("GET", "/calls", since=2**52)["last"])

    def _rules(self) -> list[dict[str, Any]]:
        return self._ask("GET", "/rules")["rules"]

    def _ask(self, method: str, path: str, json: Any = None, **query: Any) -> dict[str, Any]:
        answer = requests.request(
            method,
            f"{self._workspace.url}/local-workspace/bad-days{path}",
            params=query,
            json=json,
            headers={"Authorization": f"Bearer {self._workspace.token}"},
            timeout=SECONDS,
        )
        assert answer.ok, f"{answer.status_code}: {answer.text}"
        return answer.json()


@contextmanager
def faults(workspace: LocalWorkspace, *rules: dict[str, Any]) -> Generator[Day]:
    """These rules for the calls of the block; local_workspace.bad_day_rules.Rule says what they may hold."""
    day = Day(workspace)
    day.stands(*rules)
    try:
        yield day
    finally:
        day.lift()
