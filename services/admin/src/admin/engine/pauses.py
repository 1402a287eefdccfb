"""Waiting for the platform inside a run: growing pauses, ended by patience or by a cancelled run."""

from caspers.clock import Clock
from caspers.errors import Conflict, Unavailable

from admin.runs.run import Run

FIRST_POLL_S = 0.05
SLOWEST_POLL_S = 2.0


class Cancelled(Conflict):
    """The run was cancelled while this was under way."""


class DidNotWork(Unavailable):
    """The platform reports that a resource failed, or took too long."""


class Pauses:
    """Growing pauses between two looks at the same thing."""

    def __init__(self, clock: Clock, run: Run, patience_s: float, what: str) -> None:
        self._clock = clock
        self._run = run
        self._deadline = clock.monotonic() + patience_s
        self._too_long = f"{what} after {patience_s:g} s"
        self._pause_s = FIRST_POLL_S

    def wait(self) -> None:
        """Raises `Cancelled` or, out of patience, `DidNotWork`."""
        if self._clock.monotonic() >= self._deadline:
            raise DidNotWork(
                self._too_long, what_now="Look at the platform's own page of it, then run the stage again."
            )
        if self._run.stop.wait(self._pause_s):
            raise Cancelled("the run was cancelled")
        self._pause_s = min(self._pause_s * 1.5, SLOWEST_POLL_S)
