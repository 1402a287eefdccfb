"""Whether an agent did what people expect. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from admin.evaluation.labelled_set import Case, Conditions, Expectation

#: Difference in money or minutes that only comes from writing numbers down.
TOLERANCE = 1e-6
UNAVAILABLE = "unavailable"
"""The outcome of a case that nobody answered."""


@dataclass(frozen=True)
class Run:
    """What came back for a case: the app's own words, or why there are none."""

    outcome: str
    answer: dict[str, Any] | None = None
    error: str | None = None
    model: str = ""
    agent_version: str = ""
    took_ms: float = 0.0
    turns: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


def faults(case: Case, run: Run) -> list[str]:
    """Everything that is not as expected, a few words each; empty when the agent was right."""
    if run.outcome != case.outcome:
        why = f": {run.error}" if run.error else ""
        return [f"outcome is {run.outcome}, not {case.outcome}{why}"]
    answer = run.answer or {}
    return [
        f"{name} {what}"
        for name, wanted in case.fields.items()
        for what in _faults_of(answer.get(name), wanted)
    ]


def _faults_of(value: Any, wanted: Expectation) -> Iterator[str]:
    if not isinstance(wanted, Conditions):
        if not _same(value, wanted):
            yield f"is {value!r}, not {wanted!r}"
        return
    yield from _outside(value, wanted)
    if wanted.one_of is not None and not any(_same(value, each) for each in wanted.one_of):
        yield f"is {value!r}, none of {', '.join(map(repr, wanted.one_of))}"
    text = value if isinstance(value, str) else ""
    if wanted.holds is not None and not re.search(wanted.holds, text, re.IGNORECASE):
        yield f"does not say {wanted.holds!r}: {text!r}"
    if wanted.lacks is not None and (found := re.search(wanted.lacks, text, re.IGNORECASE)):
        yield f"says {found.group()!r}: {text!r}"


def _outside(value: Any, wanted: Conditions) -> Iterator[str]:
    if wanted.at_least is None and wanted.at_most is None:
        return
    if not isinstance(value, int | float):
        yield f"is {value!r}, no number"
    elif wanted.at_least is not None and value < wanted.at_least - TOLERANCE:
        yield f"is {value:g}, below {wanted.at_least:g}"
    elif wanted.at_most is not None and value > wanted.at_most + TOLERANCE:
        yield f"is {value:g}, above {wanted.at_most:g}"


def _same(value: Any, wanted: str | float | None) -> bool:
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return abs(value - wanted) <= TOLERANCE
    return value == wanted
