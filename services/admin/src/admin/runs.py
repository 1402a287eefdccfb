"""A run: one walk over stages or one teardown, with a step per resource that anybody may watch while it goes on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Any, Literal

from caspers.clock import Clock
from caspers.errors import CaspersError, Conflict, NotFound
from caspers.ids import IdSource

from admin.run_history import RunHistory

Action = Literal["provision", "teardown"]
RunState = Literal["running", "succeeded", "failed", "cancelled", "interrupted"]
StepState = Literal["waiting", "running", "done", "unchanged", "failed", "skipped", "cancelled"]


class AlreadyRunning(Conflict):
    """Two runs at once would work against each other."""

    def __init__(self, run: "Run") -> None:
        super().__init__(
            f"a run goes on already ({run.order.action}, since {run.started:%H:%M:%S} UTC)",
            what_now=f"Wait for it or cancel it: POST /api/runs/{run.run_id}/cancel.",
        )


@dataclass
class Step:
    """What happens to one resource."""

    key: str
    stage: str
    kind: str
    name: str
    state: StepState = "waiting"
    message: str = ""
    """What is being done and why; after a failure what went wrong."""
    started: str | None = None
    took_s: float | None = None


@dataclass(frozen=True)
class RunOrder:
    """What a run is to do, and who asked for it."""

    action: Action
    stages: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    by: str = ""


@dataclass
class Run:
    """One run and its steps. Threads write through the methods; `as_json` is a consistent picture."""

    run_id: str
    order: RunOrder
    clock: Clock
    state: RunState = "running"
    error: str = ""
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    stop: Event = field(default_factory=Event)
    """Set to cancel: nothing new begins and waiting ends."""
    on_change: Callable[[dict[str, Any]], None] = lambda _run: None
    """Told of every finished step, so that a run cut off leaves its traces."""

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._begun: dict[str, float] = {}
        self._started_s = self.clock.monotonic()
        self.started: datetime = self.clock.now()
        self.took_s: float | None = None

    def expect(self, steps: Sequence[Step]) -> None:
        """Announce steps before they begin, in the order in which people should read them."""
        with self._lock:
            self.steps.update({step.key: step for step in steps})

    def begin(self, key: str) -> None:
        with self._lock:
            self._begun[key] = self.clock.monotonic()
            self.steps[key].state = "running"
            self.steps[key].started = self.clock.now().isoformat()

    def note(self, key: str, message: str) -> None:
        """Say what a running step is doing."""
        with self._lock:
            self.steps[key].message = message

    def finish(self, key: str, state: StepState, message: str | None = None) -> None:
        with self._lock:
            step = self.steps[key]
            step.state = state
            step.took_s = round(self.clock.monotonic() - self._begun[key], 3) if key in self._begun else None
            if message is not None:
                step.message = message
        self.on_change(self.as_json())

    def close(self, state: RunState, error: str = "") -> None:
        """The run is over; steps that never began are skipped."""
        with self._lock:
            self.state, self.error = state, error
            self.took_s = round(self.clock.monotonic() - self._started_s, 3)
            for step in self.steps.values():
                if step.state == "waiting":
                    step.state = "skipped"

    @property
    def failed_steps(self) -> list[Step]:
        with self._lock:
            return [step for step in self.steps.values() if step.state == "failed"]

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {
                "run_id": self.run_id,
                **asdict(self.order),
                "state": self.state,
                "error": self.error,
                "started": self.started.isoformat(),
                "took_s": self.took_s,
                "steps": [asdict(step) for step in self.steps.values()],
            }


class Runs:
    """The runs of this admin: one at a time goes on, the past ones can be looked up."""

    def __init__(self, clock: Clock, new_id: IdSource, history: RunHistory) -> None:
        self._clock = clock
        self._new_id = new_id
        self._history = history
        self._lock = Lock()
        self._current: Run | None = None
        self._thread: Thread | None = None
        self._past: dict[str, dict[str, Any]] = {}

    def remember(self) -> None:
        """Load the past; call once, before the first run."""
        self._past = {run["run_id"]: run for run in reversed(self._history.load())}

    def start(self, order: RunOrder, work: Callable[[Run], None]) -> Run:
        """Begin a run in the background. Raises `AlreadyRunning` while another goes on."""
        with self._lock:
            if self._current is not None and self._current.state == "running":
                raise AlreadyRunning(self._current)
            run = Run(self._new_id(), order, self._clock, on_change=self._history.save)
            self._current = run
            self._past[run.run_id] = run.as_json()
            self._thread = Thread(target=self._work, args=(run, work), name=f"run-{run.run_id}")
            self._thread.start()
            return run

    def _work(self, run: Run, work: Callable[[Run], None]) -> None:
        try:
            work(run)
        except Exception as error:  # noqa: BLE001  whatever went wrong belongs into the run, where people look
            run.close("failed", in_words(error))
        self._history.save(run.as_json())

    def get(self, run_id: str) -> dict[str, Any]:
        """Raises `NotFound`."""
        for run in self.all():
            if run["run_id"] == run_id:
                return run
        raise NotFound(f"there is no run {run_id}", what_now="GET /api/runs lists them.")

    def all(self) -> list[dict[str, Any]]:
        """Newest first."""
        with self._lock:
            if self._current is not None:
                self._past[self._current.run_id] = self._current.as_json()
            return list(reversed(self._past.values()))

    def last_success(self) -> dict[str, Any] | None:
        """The newest run that brought something about."""
        done = (run for run in self.all() if (run["action"], run["state"]) == ("provision", "succeeded"))
        return next(done, None)

    def cancel(self, run_id: str) -> dict[str, Any]:
        """Ask a run to stop: what is under way ends soon, nothing new begins. Raises `NotFound`."""
        with self._lock:
            current = self._current
        if current is not None and current.run_id == run_id:
            current.stop.set()
        return self.get(run_id)

    def close(self, *, patience_s: float) -> None:
        """The process ends: stop the run that goes on and leave it to be repeated."""
        if self._current is not None and self._thread is not None:
            self._current.stop.set()
            self._thread.join(patience_s)


def in_words(error: Exception) -> str:
    """An error as a sentence for a person, with what to do where we know it."""
    if isinstance(error, CaspersError):
        return f"{error.message}. {error.what_now}" if error.what_now else error.message
    return f"{type(error).__name__}: {error}"
