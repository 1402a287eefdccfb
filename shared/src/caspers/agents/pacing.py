"""When the next call to a model may go out: a budget per minute, a pause that the model asked for, a circuit.

No I/O: moments are monotonic seconds that are passed in.
"""

from dataclasses import dataclass

#: Calls in a row that failed for good before the circuit opens, and seconds until one call may try again.
FAILURES_TO_OPEN = 3
OPEN_S = 5.0


class CallBudget:
    """A token bucket: `per_minute` calls in a minute, of which `burst` may go out at once."""

    def __init__(self, per_minute: int, burst: int) -> None:
        self._every_s = 60.0 / per_minute
        self._credit_s = self._every_s * max(burst - 1, 0)
        self._next_s = float("-inf")

    def reserve(self, now_s: float) -> float:
        """Take the next place in the line; the seconds to wait for it."""
        self._next_s = max(self._next_s, now_s - self._credit_s) + self._every_s
        return max(0.0, self._next_s - self._every_s - now_s)


class Pause:
    """A time during which nobody may call, as a 429 with Retry-After demands it; the longest demand counts."""

    def __init__(self) -> None:
        self._until_s = float("-inf")

    def demand(self, now_s: float, seconds: float) -> None:
        self._until_s = max(self._until_s, now_s + seconds)

    def left_s(self, now_s: float) -> float:
        return max(0.0, self._until_s - now_s)


@dataclass
class Circuit:
    """Open after some failures in a row: then no call goes out until it is time for a single one to try."""

    failures: int = 0
    opened_at_s: float = float("-inf")

    @property
    def broken(self) -> bool:
        """Whether the last calls failed."""
        return self.failures >= FAILURES_TO_OPEN

    def admits(self, now_s: float) -> bool:
        """Whether a call may go out; while the circuit is open, one every few seconds."""
        if not self.broken:
            return True
        if now_s - self.opened_at_s < OPEN_S:
            return False
        self.opened_at_s = now_s
        return True

    def succeeded(self) -> None:
        self.failures = 0

    def failed(self, now_s: float) -> None:
        self.failures += 1
        self.opened_at_s = now_s
