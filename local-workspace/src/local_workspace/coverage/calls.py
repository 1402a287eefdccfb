"""What the workspace says of itself: each call of the REST API, how far it is like the platform's, what shows it."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

EXERCISED = Path(__file__).with_name("exercised.json")
"""Which contract test exercises which call; written from a run of those tests."""

FULL, PARTIAL, REFUSED, OWN = "full", "partial", "refused", "own"


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        path: as the route has it: {name} is one segment, {name:path} any number.
        sdk: the SDK's method, below its WorkspaceClient; empty for what other clients call.
        missing: what the platform does and the workspace does not.
        likeness: full; partial; refused, with 501; own, for what the platform does not have.
    """

    method: str
    path: str
    sdk: str = ""
    missing: str = ""
    likeness: str = FULL

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Family:
    """Calls that belong together."""

    name: str
    calls: tuple[Call, ...]


@dataclass
class Tally:
    """How many calls are like the platform's, and how many a contract test exercises."""

    calls: int = 0
    by_likeness: dict[str, int] = field(default_factory=dict)
    exercised: int = 0


def like(method: str, path: str, sdk: str = "") -> Call:
    """A call that behaves as the platform's."""
    return Call(method, path, sdk)


def partly(method: str, path: str, sdk: str, missing: str) -> Call:
    """A call that does part of what the platform's does; what it does not do it refuses, unless the text says otherwise."""
    return Call(method, path, sdk, missing, PARTIAL)


def refused(method: str, path: str, sdk: str, instead: str) -> Call:
    """A call that is answered 501."""
    return Call(method, path, sdk, instead, REFUSED)


def own(method: str, path: str, what_for: str) -> Call:
    """A call that the platform does not have."""
    return Call(method, path, "", what_for, OWN)


def matching(method: str, path: str, calls: Iterable[Call]) -> Call | None:
    """The first of these calls that a request is."""
    return next(
        (call for call in calls if call.method == method and _pattern(call.path).fullmatch(path)), None
    )


def exercised() -> dict[str, str]:
    """For each call the contract test that shows it, as file::name."""
    return json.loads(EXERCISED.read_text())


def tally(calls: Iterable[Call], shown: dict[str, str]) -> Tally:
    """Count calls."""
    result = Tally()
    for call in calls:
        result.calls += 1
        result.by_likeness[call.likeness] = result.by_likeness.get(call.likeness, 0) + 1
        result.exercised += str(call) in shown
    return result


@cache
def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+(:path)?\}", path)
    literals, kinds = parts[::2], parts[1::2]
    wild = [".+" if kind else "[^/]+" for kind in kinds]
    pieces = [re.escape(literal) + rest for literal, rest in zip(literals, [*wild, ""], strict=True)]
    return re.compile("".join(pieces))
