"""Where an order's minutes went: its events as phases on one scale with the delivery times usual at its location. Pure.

Minutes count from the order. A phase lasts until the next one begins; when an event is missing, the phase before it
takes its minutes, so the phases always add up to the whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Literal

from caspers.review.order_events import OrderEvent

MINUTE_S = 60.0
#: The picture's scale ends at a multiple of the first of these that leaves at most this many steps.
TICK_MINUTES = (5, 10, 15, 30, 60, 120, 240, 480, 1_440, 10_080)
MOST_TICKS = 10

Kind = Literal["before", "kitchen", "waiting", "road"]

#: The event that begins a phase, and the phase's kind and name.
PHASES: dict[str, tuple[Kind, str]] = {
    "order_created": ("before", "Before the kitchen"),
    "gk_started": ("kitchen", "Kitchen"),
    "gk_ready": ("waiting", "Waiting for the driver"),
    "driver_picked_up": ("road", "On the road"),
}
#: A phase is much longer than usual by at least this many minutes and this part of the usual.
MUCH_LONGER_MINUTES = 3.0
MUCH_LONGER_PART = 0.5
#: What happens inside a phase, in words.
MARKS = {"gk_finished": "cooked", "driver_arrived": "driver there"}
END = "delivered"

Band = Literal["unknown", "usual", "late", "very late"]


@dataclass(frozen=True)
class Percentiles:
    """Delivery minutes at a location: half, three quarters and 99 % of its orders take no longer."""

    p50: float
    p75: float
    p99: float


@dataclass(frozen=True)
class Phase:
    """A part of the way, in minutes; `usual_minutes` is the median of the location, where it is known."""

    kind: Kind
    name: str
    begins_minute: float
    minutes: float
    usual_minutes: float | None = None

    @property
    def much_longer(self) -> bool:
        """Whether this is where the time went."""
        if self.usual_minutes is None:
            return False
        more = self.minutes - self.usual_minutes
        return more >= MUCH_LONGER_MINUTES and more >= MUCH_LONGER_PART * self.usual_minutes


@dataclass(frozen=True)
class Mark:
    """Something that happened at a minute."""

    name: str
    minute: float


@dataclass(frozen=True)
class Timeline:
    """The phases of one order, what else happened, and a scale that holds all of it and the percentiles."""

    phases: tuple[Phase, ...]
    marks: tuple[Mark, ...]
    minutes: float
    delivered: bool
    percentiles: Percentiles | None
    scale_minutes: float
    tick_minutes: int

    @property
    def band(self) -> Band:
        """Where the order stands among the location's: up to P75, up to P99, beyond."""
        usual = self.percentiles
        if usual is None:
            return "unknown"
        if self.minutes <= usual.p75:
            return "usual" if self.delivered else "unknown"
        return "late" if self.minutes <= usual.p99 else "very late"

    @property
    def summary(self) -> str:
        """The same picture in a sentence or two."""
        state = "Delivered after" if self.delivered else "Not delivered yet; under way for"
        parts = ", ".join(f"{phase.name.lower()} {phase.minutes:.1f}" for phase in self.phases)
        text = f"{state} {self.minutes:.1f} minutes: {parts}."
        if self.percentiles is None:
            return text
        usual = self.percentiles
        return (
            f"{text} Usual at this location: half within {usual.p50:.1f}, three quarters within "
            f"{usual.p75:.1f}, 99 of 100 within {usual.p99:.1f} minutes."
        )


def timeline(
    events: Sequence[OrderEvent],
    percentiles: Percentiles | None = None,
    usual_phases: Mapping[str, float] | None = None,
) -> Timeline | None:
    """The timeline of one order's events, in whatever order they come; None when the order itself is not among them.

    `usual_phases`: median minutes by the event that begins the phase.
    """
    moments = _first_of_each(events)
    if "order_created" not in moments:
        return None
    start = moments["order_created"]
    minute = {kind: max(0.0, (at - start).total_seconds() / MINUTE_S) for kind, at in moments.items()}
    total = minute.get(END, max(minute.values()))
    longest = max(total, percentiles.p99 if percentiles else 0.0)
    tick = _tick(longest)
    return Timeline(
        phases=_phases(minute, total, usual_phases or {}),
        marks=tuple(Mark(name, min(minute[kind], total)) for kind, name in MARKS.items() if kind in minute),
        minutes=total,
        delivered=END in minute,
        percentiles=percentiles,
        scale_minutes=max(tick, longest * 1.04),
        tick_minutes=tick,
    )


def _first_of_each(events: Sequence[OrderEvent]) -> dict[str, datetime]:
    """When each kind of event happened first."""
    moments: dict[str, datetime] = {}
    for event in sorted(events, key=lambda event: event.at):
        moments.setdefault(event.kind, event.at)
    return moments


def _phases(minute: Mapping[str, float], total: float, usual: Mapping[str, float]) -> tuple[Phase, ...]:
    """The phases in their order; one whose event is told too early or too late takes no time at all."""
    kinds = [kind for kind in PHASES if kind in minute]
    begins = list(accumulate((min(minute[kind], total) for kind in kinds), max))
    return tuple(
        Phase(*PHASES[kind], begin, end - begin, usual.get(kind))
        for kind, (begin, end) in zip(kinds, pairwise([*begins, total]), strict=True)
    )


def _tick(longest: float) -> int:
    return next((tick for tick in TICK_MINUTES if longest / tick <= MOST_TICKS), TICK_MINUTES[-1])
