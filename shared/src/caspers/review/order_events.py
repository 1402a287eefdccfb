"""The events of one order as evidence: what bronze holds about it, and what a driver's events say about the way. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caspers.review.route_map import Drive, Ping, Place


@dataclass(frozen=True)
class OrderEvent:
    """One event of an order; `kind` is its event_type, `body` what it carries (empty when that is unreadable)."""

    kind: str
    at: datetime
    sequence: int
    body: Mapping[str, Any]


def drive_of(events: Sequence[OrderEvent]) -> Drive:
    """The driver's way as the events tell it; places that are none are left out."""
    planned = next(
        (event.body.get("route_points") for event in events if event.kind == "driver_picked_up"), None
    )
    handed_over = [
        _place(event.body.get("delivered_lat"), event.body.get("delivered_lon"))
        for event in events
        if event.kind == "delivered"
    ]
    return Drive(places(planned), tuple(_pings(events)), next(filter(None, handed_over), None))


def places(points: Any) -> tuple[Place, ...]:
    """The places in a list of [latitude, longitude]."""
    pairs = (
        [point for point in points if isinstance(point, list) and len(point) == 2]
        if isinstance(points, list)
        else []
    )
    found = (_place(*pair) for pair in pairs)
    return tuple(place for place in found if place is not None)


def _pings(events: Sequence[OrderEvent]) -> Iterator[Ping]:
    for event in events:
        place = _place(event.body.get("loc_lat"), event.body.get("loc_lon"))
        if event.kind == "driver_ping" and place is not None:
            progress = event.body.get("progress_pct")
            yield Ping(place, float(progress) if isinstance(progress, int | float) else 0.0)


def _place(lat: Any, lon: Any) -> Place | None:
    if not (isinstance(lat, int | float) and isinstance(lon, int | float)):
        return None
    return (float(lat), float(lon)) if abs(lat) <= 90 and abs(lon) <= 180 else None
