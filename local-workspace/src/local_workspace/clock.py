"""The workspace's clock: the one place that asks the machine for the time."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time and a steady time to measure with."""

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251  this is the clock

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""
        return time.monotonic()


def milliseconds(moment: datetime) -> int:
    """Unix time in milliseconds, as most Databricks APIs give it."""
    return int(moment.timestamp() * 1000)
