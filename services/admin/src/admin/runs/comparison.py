"""Two runs side by side: what differs between them. Pure."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from admin.runs.outcome import summary_of
from admin.shapes import Difference, RunComparison, RunDetail

NOTICEABLE_S = 0.5
"""Two steps of the same outcome differ when one took so much longer."""


def compare(one: RunDetail, other: RunDetail) -> RunComparison:
    """Parameters, stages and steps that are not the same."""
    return RunComparison(
        one=summary_of(one),
        other=summary_of(other),
        parameters=_differences(one.parameters, other.parameters),
        stages=_differences(one.stage_states, other.stage_states),
        steps=_differences(_steps(one), _steps(other), _steps_differ),
    )


def _steps(run: RunDetail) -> dict[str, Mapping[str, Any]]:
    return {step.key: {"state": step.state, "verb": step.verb, "took_s": step.took_s} for step in run.steps}


def _differences(
    one: Mapping[str, Any],
    other: Mapping[str, Any],
    differ: Callable[[Any, Any], bool] = operator.ne,
) -> tuple[Difference, ...]:
    names = [*one, *(name for name in other if name not in one)]
    pairs = ((name, one.get(name), other.get(name)) for name in names)
    return tuple(Difference(name, left, right) for name, left, right in pairs if differ(left, right))


def _steps_differ(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    if one is None or other is None:
        return one is not other
    if (one["state"], one["verb"]) != (other["state"], other["verb"]):
        return True
    return abs((one["took_s"] or 0) - (other["took_s"] or 0)) >= NOTICEABLE_S
