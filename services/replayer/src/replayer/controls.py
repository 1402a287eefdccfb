"""What people do to a running replay: pause, resume, one step, a seek, a run to a moment.

Each control moves the virtual clock and wakes the worker, whose next step brings the volume up to it. Where a moment
is asked for, it is a day of the dataset, a time of day, or the moment that events carry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Literal

from caspers.errors import Conflict, Invalid

from replayer.replay import Replay
from replayer.virtual_time import DAY_S, VirtualClock, next_position_of

StepKind = Literal["event", "order", "minutes"]


@dataclass(frozen=True)
class Place:
    """Somewhere in virtual time: a dataset day (fractions allowed) with or without a time of day, the next time that
    the clock shows a time of day, or a moment as events carry it.
    """

    day: float | None = None
    time_of_day: time | None = None
    moment: datetime | None = None


class Controls:
    """The controls of one replay; `wake` makes its worker step now. All raise `NotBegun` before there is a clock."""

    def __init__(self, replay: Replay, wake: Callable[[], None]) -> None:
        self._replay = replay
        self._wake = wake

    def pause(self) -> None:
        """Stop virtual time where it is; what lies before it is still written."""
        self._change(lambda clock, now: clock.pause(now))

    def resume(self) -> None:
        """Let virtual time go on."""
        self._change(lambda clock, now: clock.resume(now))

    def step(self, kind: StepKind, minutes: float = 0) -> int:
        """Pause, and go just past the next second that holds an event or an order, or `minutes` on."""
        timeline = self._replay.scene.dataset.timeline

        def forward(clock: VirtualClock, now: float) -> VirtualClock:
            here = int(clock.at(now))
            match kind:
                case "event":
                    there = timeline.next_event(here) + 1
                case "order":
                    there = timeline.next_order(here) + 1
                case "minutes":
                    there = here + round(minutes * 60)
            return clock.pause(now).jump(there, now)

        return self._change(forward)

    def seek(self, place: Place) -> int:
        """Go there at once; what lies between is written at once, too. What lies behind is gone to in the next loop."""
        return self._change(lambda clock, now: clock.jump(self._position_of(place, clock.at(now)), now))

    def run_until(self, place: Place) -> int:
        """Go on at the clock's speed and pause there. Raises `Conflict` for a moment that has passed."""
        here = self._replay.position
        there = self._position_of(place, here)
        if place.moment and there != self._replay.scene.anchor.position_of(place.moment):
            raise Conflict(
                f"{place.moment.isoformat()} has passed; virtual time is {self._moment(here)}",
                what_now="Name a later moment, or seek: a day that has passed comes again in the next loop.",
            )
        self._change(lambda clock, now: clock.run_until(there, now))
        return there

    def tick(self) -> None:
        """Write what is due now."""
        self._wake()

    def _change(self, change: Callable[[VirtualClock, float], VirtualClock]) -> int:
        position = self._replay.change_clock(change).position
        self._wake()
        return int(position)

    def _position_of(self, place: Place, here: float) -> int:
        scene = self._replay.scene
        length_s = scene.dataset.timeline.length_s
        if place.moment:
            there = int(scene.anchor.position_of(place.moment))
            if there < 0:
                raise Invalid(
                    f"{place.moment.isoformat()} lies before the replay's first day, {self._moment(0)}",
                    what_now="Name a moment as events carry it.",
                )
            return there if there >= here else next_position_of(there % length_s, here, length_s)
        if place.day is None:
            today = int(here) // DAY_S * DAY_S + _seconds(place.time_of_day)
            return today if today >= here else today + DAY_S
        second = round(place.day * DAY_S) + _seconds(place.time_of_day)
        if not 0 <= second < length_s:
            raise Invalid(
                f"day {place.day:g} is not in the dataset, which has the days 0 to {scene.dataset.days - 1}",
                what_now="Name one of its days; after the last one it begins again.",
            )
        return next_position_of(second, here, length_s)

    def _moment(self, position: float) -> str:
        return self._replay.scene.anchor.moment_of(int(position)).isoformat()


def read_place(day: float | None, at: str | None) -> Place:
    """A place as people name it: a day, "HH:MM[:SS]", or an ISO moment (UTC unless it says otherwise)."""
    if day is None and not at:
        raise Invalid(
            "nowhere is named", what_now="Give a day, a time of day (HH:MM) or a moment (ISO 8601)."
        )
    if not at:
        return Place(day)
    try:
        if len(at) <= len("HH:MM:SS"):
            return Place(day, time.fromisoformat(at))
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise Invalid(
            f"{at!r} is no time", what_now="Write HH:MM, HH:MM:SS or 2026-01-31T18:30:00."
        ) from error
    if day is not None:
        raise Invalid(
            "a day and a moment contradict each other", what_now="Give a day with a time of day, or a moment."
        )
    return Place(moment=moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _seconds(time_of_day: time | None) -> int:
    return (
        0 if time_of_day is None else time_of_day.hour * 3600 + time_of_day.minute * 60 + time_of_day.second
    )
