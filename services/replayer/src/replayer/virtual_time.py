"""Virtual time: where the replay is, and which moment its events carry.

A *position* is a number of virtual seconds since virtual day 0, rising for ever through all loops of the dataset.
The `VirtualClock` turns real seconds into positions and alone owns rate, pause and jumps; the `Anchor`, fixed once when
a replay begins, turns positions into the moments that events carry. Pure: moments come in as arguments.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Self

DAY_S = 86_400


@dataclass(frozen=True)
class Anchor:
    """The day the replay began: virtual day `start_day` is that day, for ever."""

    began_at: datetime
    start_day: int

    @property
    def day_zero(self) -> datetime:
        """The moment of position 0."""
        return datetime.combine(self.began_at.date(), time(), UTC) - timedelta(days=self.start_day)

    @property
    def first_position(self) -> int:
        """Where the first run ends: `start_day` plus the time of day at which the replay began."""
        return int(self.position_of(self.began_at))

    def moment_of(self, position: float) -> datetime:
        """The moment that an event at `position` carries."""
        return self.day_zero + timedelta(seconds=position)

    def position_of(self, moment: datetime) -> float:
        """The position whose events carry `moment`."""
        return (moment - self.day_zero).total_seconds()


@dataclass(frozen=True)
class VirtualClock:
    """A clock that stood at `position` when real time was `since` (seconds of a monotonic clock).

    It gains `rate` virtual seconds a second unless paused, and stops at `until` where one is set. Like a mechanical
    clock it must be wound: it runs for `wound_s` real seconds and then stands still, so virtual time stops with the
    worker that winds it and a long absence never turns into a flood of events.
    """

    position: float
    since: float
    rate: float
    wound_s: float
    paused: bool = False
    until: float | None = None

    def at(self, now: float) -> float:
        """The position at real time `now`; it never goes back, even if `now` does."""
        if self.paused:
            return self.position
        reached = self.position + min(max(0.0, now - self.since), self.wound_s) * self.rate
        return reached if self.until is None else min(reached, max(self.until, self.position))

    def wind(self, now: float, wound_s: float, rate: float) -> Self:
        """Keep it going for `wound_s` seconds from `now`, at `rate`; a change of rate never moves the position.

        A clock that has come to where it was told to stop is paused.
        """
        position = self.at(now)
        here = replace(self, position=position, since=now, wound_s=wound_s, rate=rate)
        return here.pause(now) if self.until is not None and position >= self.until else here

    def pause(self, now: float) -> Self:
        """Stand still."""
        return replace(self, position=self.at(now), since=now, paused=True, until=None)

    def resume(self, now: float) -> Self:
        """Go on from where it stands."""
        return replace(self, position=self.at(now), since=now, paused=False)

    def jump(self, position: float, now: float) -> Self:
        """Stand at `position` at once, unless that lies behind."""
        return replace(self, position=max(position, self.at(now)), since=now, until=None)

    def run_until(self, position: float, now: float) -> Self:
        """Go on, paused or not, and stop at `position`."""
        return replace(self.resume(now), until=position)


def next_position_of(dataset_second: int, position: float, length_s: int) -> int:
    """The first position from `position` on that shows `dataset_second` of a dataset `length_s` long.

    A second that lies ahead in this loop is reached in this loop; one that lies behind, in the next.
    """
    loop = int(position // length_s)
    ahead = loop * length_s + dataset_second
    return ahead if ahead >= position else ahead + length_s
