"""A run as bars on one axis of time: a bar per stage, its steps below it, those that decided how long it took marked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from admin.shapes import RunDetail, StepState, StepView

TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600, 86_400)
"""The axis is divided by the first of these that leaves at most this many parts."""
MOST_PARTS = 8
LEAST_WIDTH = 0.4
"""A bar is at least this wide, in percent, or nobody sees it."""

WORST_FIRST: tuple[StepState, ...] = (
    "failed",
    "cancelled",
    "running",
    "waiting",
    "skipped",
    "done",
    "unchanged",
)


@dataclass(frozen=True)
class Bar:
    """From where to where something went on, in percent of the axis."""

    left: float
    width: float


@dataclass(frozen=True)
class StepRow:
    """A step, its bar if it has begun, and whether it is on the critical path."""

    step: StepView
    bar: Bar | None
    critical: bool


@dataclass(frozen=True)
class StageRow:
    """A stage of the run: the bar around its steps."""

    stage: str
    state: StepState
    bar: Bar | None
    took_s: float | None
    done: int
    steps: tuple[StepRow, ...]

    @property
    def critical(self) -> tuple[Bar, ...]:
        """The parts of its bar that decided how long the run took."""
        return tuple(row.bar for row in self.steps if row.critical and row.bar)


@dataclass(frozen=True)
class Tick:
    """A mark on the axis, in percent, and what it says."""

    left: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """The rows in the order of the run, and the axis."""

    rows: tuple[StageRow, ...]
    ticks: tuple[Tick, ...]
    seconds: float


def timeline(run: RunDetail, now: datetime) -> Timeline:
    """The picture of a run; what still goes on reaches until `now`."""
    seconds = max(run.took_s if run.took_s is not None else (now - run.started).total_seconds(), 0.1)
    scale = _Scale(run.started, seconds, now)
    critical = set(run.critical_path)
    stages = list(dict.fromkeys(step.stage for step in run.steps))
    rows = tuple(
        _stage_row(stage, [step for step in run.steps if step.stage == stage], scale, critical)
        for stage in stages
    )
    return Timeline(rows, _ticks(seconds), seconds)


def worst(states: Sequence[StepState]) -> StepState:
    """The one state that says most about several."""
    found = set(states)
    for state in WORST_FIRST:
        if state in found:
            return state
    return "waiting"


@dataclass(frozen=True)
class _Scale:
    began: datetime
    seconds: float
    now: datetime

    def ends(self, step: StepView) -> datetime | None:
        if step.started is None:
            return None
        return self.now if step.took_s is None else step.started + timedelta(seconds=step.took_s)

    def bar(self, begin: datetime, end: datetime) -> Bar:
        left = min(max(self._percent(begin), 0.0), 100.0 - LEAST_WIDTH)
        width = min(max(self._percent(end) - left, LEAST_WIDTH), 100.0 - left)
        return Bar(round(left, 2), round(width, 2))

    def _percent(self, moment: datetime) -> float:
        return (moment - self.began).total_seconds() / self.seconds * 100


def _stage_row(stage: str, steps: Sequence[StepView], scale: _Scale, critical: set[str]) -> StageRow:
    begun = [(step.started, scale.ends(step)) for step in steps]
    spans = [(begin, end) for begin, end in begun if begin is not None and end is not None]
    bar, took_s = None, None
    if spans:
        first, last = min(begin for begin, _ in spans), max(end for _, end in spans)
        bar, took_s = scale.bar(first, last), (last - first).total_seconds()
    return StageRow(
        stage,
        worst([step.state for step in steps]),
        bar,
        took_s,
        sum(step.state in {"done", "unchanged"} for step in steps),
        tuple(StepRow(step, _step_bar(step, scale), step.key in critical) for step in steps),
    )


def _step_bar(step: StepView, scale: _Scale) -> Bar | None:
    end = scale.ends(step)
    return None if step.started is None or end is None else scale.bar(step.started, end)


def _ticks(seconds: float) -> tuple[Tick, ...]:
    part = next((tick for tick in TICKS_S if seconds / tick <= MOST_PARTS), TICKS_S[-1])
    return tuple(
        Tick(round(at / seconds * 100, 2), f"{at} s" if part < TICKS_S[6] else f"{at / 60:g} min")
        for at in range(0, int(seconds) + 1, part)
    )
