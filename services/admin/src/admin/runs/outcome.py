"""What the steps of a run say together: how each stage fared, how much was done, what decided how long it took. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from admin.shapes import Action, LastRun, RunDetail, RunState, RunSummary, StepState, StepView, Verb

WORST_FIRST: tuple[StepState, ...] = (
    "failed",
    "cancelled",
    "skipped",
    "running",
    "waiting",
    "done",
    "unchanged",
)
DONE_WORDS: Mapping[Verb, str] = {
    "create": "created",
    "update": "updated",
    "keep": "unchanged",
    "replace": "replaced",
    "delete": "deleted",
    "stop": "stopped",
    "leave": "left alone",
}


@dataclass(frozen=True)
class Ended:
    """How a run stands: its state, and when it began and ended."""

    run_id: str
    action: Action
    state: RunState
    started: datetime
    ended: datetime | None


def summary_of(run: RunDetail) -> RunSummary:
    """A run as lists show it."""
    return RunSummary(**{each.name: getattr(run, each.name) for each in fields(RunSummary)})


def stage_states(stages: Sequence[str], steps: Iterable[StepView], state: RunState) -> dict[str, StepState]:
    """The worst state of each stage's steps; a stage all of whose resources belong to others fares as the run does."""
    found: dict[str, set[StepState]] = {stage: set() for stage in stages}
    for step in steps:
        found.setdefault(step.stage, set()).add(step.state)
    return {stage: _worst(states) if states else _without_steps(state) for stage, states in found.items()}


def counts(steps: Iterable[StepView]) -> dict[str, int]:
    """Steps by what was done, or by their state where nothing was."""
    return dict(sorted(Counter(map(word, steps)).items()))


def critical_path(steps: Sequence[StepView], needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """From the step that ended last back to the one that each waited for longest; first to last."""
    ends = {step.key: _end(step) for step in steps}
    ended = {key: end for key, end in ends.items() if end is not None}
    path: list[str] = []
    key = max(ended, key=lambda key: ended[key], default=None)
    while key is not None:
        path.append(key)
        key = max(
            (need for need in needs.get(key, ()) if need in ended), key=lambda n: ended[n], default=None
        )
    return tuple(reversed(path))


def last_runs(run: Ended, stages: Mapping[str, StepState], steps: Sequence[StepView]) -> dict[str, LastRun]:
    """What this run means to each of its stages."""
    by_stage: dict[str, list[StepView]] = {stage: [] for stage in stages}
    for step in steps:
        by_stage[step.stage].append(step)
    return {stage: _last_run(run, state, by_stage[stage]) for stage, state in stages.items()}


def word(step: StepView) -> str:
    """What was done, in a word; its state where nothing was."""
    if step.state in {"done", "unchanged"} and step.verb is not None:
        return DONE_WORDS[step.verb]
    return step.state


def _last_run(run: Ended, state: StepState, steps: Sequence[StepView]) -> LastRun:
    said = next((step.message for step in steps if step.state == "failed"), "")
    begins = [step.started for step in steps if step.started is not None]
    ends = [end for step in steps if (end := _end(step)) is not None]
    took_s = round((max(ends) - min(begins)).total_seconds(), 3) if begins and ends else None
    ended = None if run.ended is None else max(ends, default=run.ended)
    return LastRun(run.run_id, run.action, state, said, ended, took_s)


def _worst(states: set[StepState]) -> StepState:
    if "waiting" in states and states <= {"waiting", "done", "unchanged"} and len(states) > 1:
        return "running"
    return next(state for state in WORST_FIRST if state in states)


def _without_steps(state: RunState) -> StepState:
    if state in {"running", "cancelling"}:
        return "waiting"
    return "unchanged" if state == "succeeded" else "skipped"


def _end(step: StepView) -> datetime | None:
    if step.started is None or step.took_s is None:
        return None
    return step.started + timedelta(seconds=step.took_s)
