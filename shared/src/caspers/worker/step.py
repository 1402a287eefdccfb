"""What a worker's step is given and what it answers: the contract between the loop and the job it runs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from caspers.clock import Clock


@dataclass(frozen=True)
class StepOutcome:
    """How a step ended, and when the next one is due.

    `again`: at once, there is more to do. `next_in_s`: after that many seconds. Neither: the worker is idle until
    new orders, a wake-up, or the loop's interval. `progress` is shown as it is; it replaces the last one.
    """

    progress: dict[str, Any] = field(default_factory=dict[str, Any])
    again: bool = False
    next_in_s: float | None = None


class StepContext:
    """A step's view of the loop: which orders it follows, whether to come to an end, and where to say how far it is."""

    def __init__(self, generation: int, clock: Clock, tell: Callable[[dict[str, Any]], None]) -> None:
        self.generation = generation
        self.clock = clock
        self._tell = tell
        self._interrupted = threading.Event()

    @property
    def interrupted(self) -> bool:
        """True when the step should return soon: the worker stops, its orders changed, or its lease is lost."""
        return self._interrupted.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait inside a step; returns early, and True, when the step should end."""
        return self._interrupted.wait(seconds)

    def tell(self, progress: dict[str, Any]) -> None:
        """Say how far the step is; it travels with the next heartbeat."""
        self._tell(progress)

    def interrupt(self) -> None:
        """Ask the step to end (for the loop)."""
        self._interrupted.set()


#: One step of a worker: idempotent, killed at any point without harm. Raising `Unavailable` makes the loop back off;
#: any other error is reported and the step tried again at the interval.
Step = Callable[[dict[str, Any], StepContext], StepOutcome]
