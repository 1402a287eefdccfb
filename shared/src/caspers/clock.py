"""Time as a parameter: the only module that asks the machine what time it is.

Pure code takes moments; code that waits or measures takes a `Clock`, so a test can hold time still.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time for people and records, monotonic time for durations."""

    def now(self) -> datetime:
        """The wall-clock moment, always with the UTC zone attached."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back, whatever happens to the wall clock."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251  this is the module that owns the clock

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError(f"a clock starts at a moment with a zone, not at {start.isoformat()}")
        self._start = start.astimezone(UTC)
        self._elapsed_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass; time never goes back."""
        if seconds < 0:
            raise ValueError(f"a clock cannot go back by {-seconds:g} s")
        self._elapsed_s += seconds
