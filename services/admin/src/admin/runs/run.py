"""A run: one walk over stages, with a step per resource that anybody may watch while it goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Lock
from typing import Any

from caspers.clock import Clock
from caspers.errors import CaspersError
from pydantic import TypeAdapter

from admin.runs import outcome as run_outcome
from admin.runs.outcome import Ended
from admin.shapes import (
    Action,
    LastRun,
    LogLevel,
    LogLine,
    RunDetail,
    RunState,
    RunSummary,
    StepState,
    StepView,
    Verb,
)

LINES_KEPT = 5_000
"""Lines of information in a run's log; further ones are dropped, and the log says so. Errors are always kept."""

RUN = TypeAdapter(RunDetail)

GOING_ON: frozenset[RunState] = frozenset({"running", "cancelling"})


@dataclass
class Step:
    """What happens to one resource."""

    key: str
    stage: str
    kind: str
    name: str
    needs: tuple[str, ...] = ()
    """Keys of the steps that it waits for."""
    state: StepState = "waiting"
    verb: Verb | None = None
    message: str = ""
    what_now: str = ""
    started: datetime | None = None
    took_s: float | None = None

    def view(self) -> StepView:
        """The step as it is now."""
        return StepView(
            self.key,
            self.stage,
            self.kind,
            self.name,
            self.state,
            self.verb,
            self.message,
            self.what_now,
            self.started,
            self.took_s,
        )


@dataclass(frozen=True)
class RunOrder:
    """What a run is to do, and who asked for it."""

    action: Action
    stages: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    by: str = ""
    target: str | None = None
    repairs: str | None = None
    attempt: int = 1


class Run:
    """One run and its steps. Threads write through the methods; `detail` is a consistent picture."""

    def __init__(self, run_id: str, order: RunOrder, clock: Clock) -> None:
        self.run_id = run_id
        self.order = order
        self.state: RunState = "running"
        self.error = ""
        self.what_now = ""
        self.steps: dict[str, Step] = {}
        self.stop = Event()
        """Set to cancel: nothing new begins and waiting ends."""
        self.ended = Event()
        self.version = 0
        """It grows with every change, so that a watcher knows when to look again."""
        self._clock = clock
        self._lock = Lock()
        self._lines: list[LogLine] = []
        self._cut = False
        self._why_cancelled = ""
        self._begun: dict[str, float] = {}
        self._started_s = clock.monotonic()
        self.started = clock.now()
        self.took_s: float | None = None

    def expect(self, steps: Sequence[Step]) -> None:
        """Announce steps before they begin, in the order in which people should read them."""
        with self._lock:
            self.steps.update({step.key: step for step in steps})
            self.version += 1

    def begin(self, key: str) -> None:
        with self._lock:
            self._begun[key] = self._clock.monotonic()
            self.steps[key].state = "running"
            self.steps[key].started = self._clock.now()
            self.version += 1

    def decide(self, key: str, verb: Verb) -> None:
        """Say what is to be done about a step's resource."""
        with self._lock:
            self.steps[key].verb = verb
            self.version += 1

    def note(self, key: str, message: str) -> None:
        """Say what a running step is doing."""
        with self._lock:
            step = self.steps[key]
            if message != step.message:
                step.message = message
                self._log(step, "info", message)

    def finish(self, key: str, state: StepState, message: str | None = None, what_now: str = "") -> None:
        with self._lock:
            step = self.steps[key]
            step.state, step.what_now = state, what_now
            step.took_s = round(self._clock.monotonic() - self._begun[key], 3) if key in self._begun else None
            if message is not None:
                step.message = message
            self._log(step, "error" if state == "failed" else "info", _said_at_the_end(step))

    def cancel(self, why: str = "") -> None:
        """Begin nothing more and wait no longer; what is under way ends first."""
        with self._lock:
            if self.state == "running":
                self.state, self._why_cancelled = "cancelling", why
                self.version += 1
        self.stop.set()

    def close(self, state: RunState, error: str = "", what_now: str = "") -> None:
        """The run is over; steps that never began are skipped."""
        with self._lock:
            if self.ended.is_set():
                return
            self.state, self.what_now = state, what_now
            self.error = self._why_cancelled or error
            self.took_s = round(self._clock.monotonic() - self._started_s, 3)
            for step in self.steps.values():
                if step.state == "waiting":
                    step.state = "skipped"
                elif step.state == "running":
                    step.state = "cancelled" if state == "cancelled" else "failed"
            self.version += 1
        self.ended.set()

    @property
    def failed_steps(self) -> list[Step]:
        with self._lock:
            return [step for step in self.steps.values() if step.state == "failed"]

    def summary(self) -> RunSummary:
        """The run as lists show it."""
        with self._lock:
            return RunSummary(**self._summary([step.view() for step in self.steps.values()]))

    def detail(self) -> RunDetail:
        """The run with all its steps."""
        with self._lock:
            steps = [step.view() for step in self.steps.values()]
            needs = {step.key: step.needs for step in self.steps.values()}
            path = run_outcome.critical_path(steps, needs)
            return RunDetail(**self._summary(steps), steps=tuple(steps), critical_path=path)

    def last_runs(self) -> dict[str, LastRun]:
        """What this run means to each of its stages."""
        detail = self.detail()
        ended = None if detail.took_s is None else detail.started + timedelta(seconds=detail.took_s)
        run = Ended(self.run_id, detail.action, detail.state, detail.started, ended)
        return run_outcome.last_runs(run, detail.stage_states, detail.steps)

    def as_json(self) -> dict[str, Any]:
        """`detail` as plain JSON."""
        return RUN.dump_python(self.detail(), mode="json")

    def lines(self, after: int = 0) -> list[LogLine]:
        """The log behind line `after`, oldest first."""
        with self._lock:
            return self._lines[after:]

    def _summary(self, steps: list[StepView]) -> dict[str, Any]:
        order = self.order
        return {
            "run_id": self.run_id,
            "action": order.action,
            "target": order.target,
            "stages": order.stages,
            "parameters": order.parameters,
            "by": order.by,
            "state": self.state,
            "error": self.error,
            "what_now": self.what_now,
            "started": self.started,
            "took_s": self.took_s,
            "repairs": order.repairs,
            "attempt": order.attempt,
            "stage_states": run_outcome.stage_states(order.stages, steps, self.state),
            "counts": run_outcome.counts(steps),
        }

    def _log(self, step: Step, level: LogLevel, text: str) -> None:
        self.version += 1
        if level == "info" and len(self._lines) >= LINES_KEPT:
            if self._cut:
                return
            self._cut, level = True, "warning"
            text = f"{LINES_KEPT:,} lines are kept of a run; from here on errors only"
        number = len(self._lines) + 1
        self._lines.append(LogLine(number, self._clock.now(), step.stage, step.key, level, text))


def in_words(error: Exception) -> str:
    """An error as a sentence for a person, with what to do where we know it."""
    if isinstance(error, CaspersError):
        return f"{error.message}. {error.what_now}" if error.what_now else error.message
    return f"{type(error).__name__}: {error}"


def _said_at_the_end(step: Step) -> str:
    took = "" if step.took_s is None else f" after {step.took_s:.1f} s"
    what = run_outcome.word(step.view())
    said = f"{what}{took}"
    return f"{said}: {step.message}" if step.message and step.state == "failed" else said
