"""What the lakehouse knows about one order and its location: items, events, what is usual there, streets.

What belongs to a location is the same for all its orders and is remembered for a while.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, LiteralString, TypeVar

import orjson

from caspers.clients.warehouse_pool import Answer, WarehousePool
from caspers.clock import Clock
from caspers.errors import NotFound
from caspers.names import Names
from caspers.review.evidence_statements import EVENTS, ITEMS, LOCATION_DAY, ROUTES, in_catalog
from caspers.review.money import Dollars
from caspers.review.order_events import OrderEvent, places
from caspers.review.route_map import Streets, streets_of
from caspers.review.timeline import Percentiles

K = TypeVar("K")
V = TypeVar("V")

#: An order's rows are looked for this long before its order and after its delivery (events may come late, not so late).
BEFORE = timedelta(hours=1)
AFTER = timedelta(hours=12)
LOCATION_KEPT_S = 60.0
STREETS_KEPT_S = 600.0
CENT = Decimal("0.01")


class OrderNotFound(NotFound):
    """Bronze holds no event of the order (or not yet)."""


@dataclass(frozen=True)
class Span:
    """Moments between which an order's rows lie."""

    since: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    until: datetime = datetime(9999, 1, 1, tzinfo=UTC)


ANY_TIME = Span()


def span_around(ordered: datetime, delivered: datetime | None) -> Span:
    """Where the rows of an order of that time are."""
    return Span(ordered - BEFORE, (delivered or ordered) + AFTER)


@dataclass(frozen=True)
class Item:
    """A line of an order, in dollars."""

    name: str
    brand: str
    qty: int
    price: Dollars
    extended_price: Dollars


@dataclass(frozen=True)
class LocationDay:
    """Orders delivered at a location in the 24 virtual hours before its latest delivery: what they took, in minutes.

    `phases` are the medians by the event that begins a phase.
    """

    location_id: int | None
    orders: int
    percentiles: Percentiles | None
    phases: Mapping[str, float]
    until: datetime | None


class CaseFacts:
    """The facts of orders, from the warehouse."""

    def __init__(self, warehouse: WarehousePool, names: Names, clock: Clock) -> None:
        self._warehouse = warehouse
        self._days = _Remembered(self._read_day, LOCATION_KEPT_S, clock)
        self._streets = _Remembered(self._read_streets, STREETS_KEPT_S, clock)
        self.names = names

    def events(self, order_id: str, span: Span = ANY_TIME) -> list[OrderEvent]:
        """All events of an order, in its own sequence. Raises `OrderNotFound`."""
        return events_in(self.ask_events(order_id, span), order_id)

    def ask_events(self, order_id: str, span: Span) -> Answer:
        """Begin to read the events; `events_in` gives them."""
        return self._ask(EVENTS, order_id=order_id, since=span.since, until=span.until)

    def ask_items(self, order_id: str, span: Span) -> Answer:
        """Begin to read the items; `items_in` gives them."""
        return self._ask(ITEMS, order_id=order_id, since=span.since.date(), until=span.until.date())

    def location_day(self, location_id: int | None) -> LocationDay:
        """What is usual at a location, at most a minute old."""
        return self._days.get(location_id)

    def streets(self, location_id: int | None) -> Streets:
        """The streets that a location's drivers used lately, at most ten minutes old."""
        return self._streets.get(location_id)

    def _read_day(self, location_id: int | None) -> LocationDay:
        row = self._ask(LOCATION_DAY, location_id=location_id).rows()[0]
        usual = [row["p50"], row["p75"], row["p99"]]
        phases = {kind: row[kind] for kind in ("order_created", "gk_started", "gk_ready", "driver_picked_up")}
        return LocationDay(
            location_id,
            row["orders"],
            None if None in usual else Percentiles(*(round(minutes, 2) for minutes in usual)),
            {kind: round(minutes, 2) for kind, minutes in phases.items() if minutes is not None},
            row["until"],
        )

    def _read_streets(self, location_id: int | None) -> Streets:
        rows = self._ask(ROUTES, location_id=location_id).rows()
        return streets_of(places(body_of(row["body"]).get("route_points")) for row in rows)

    def _ask(self, statement: LiteralString, **values: Any) -> Answer:
        return self._warehouse.ask(in_catalog(statement, self.names), values)


def events_in(answer: Answer, order_id: str) -> list[OrderEvent]:
    """The events in an answer. Raises `OrderNotFound` when there are none."""
    events = [
        OrderEvent(row["event_type"], row["ts"], row["sequence"], body_of(row["body"]))
        for row in answer.rows()
    ]
    if not events:
        raise OrderNotFound(
            f"there is no event of order {order_id[:80]}",
            what_now="Check the order's id; events of a new order take some seconds to arrive.",
        )
    return events


def items_in(answer: Answer) -> list[Item]:
    """The items in an answer."""
    return [
        Item(
            row["item_name"],
            row["brand"] or "",
            row["qty"],
            dollars(row["price"]),
            dollars(row["extended_price"]),
        )
        for row in answer.rows()
    ]


def dollars(amount: float) -> Decimal:
    """Money that was stored as a binary fraction, exact to the cent again."""
    return Decimal(str(amount)).quantize(CENT)


def body_of(text: str | None) -> dict[str, Any]:
    """What an event carries; an unreadable body is empty."""
    try:
        body = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


class _Remembered(Generic[K, V]):
    """Answers by key, kept for some seconds; a key is read once however many ask for it at the same time."""

    def __init__(self, read: Callable[[K], V], kept_s: float, clock: Clock) -> None:
        self._read = read
        self._kept_s = kept_s
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: dict[K, threading.Lock] = {}
        self._known: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V:
        with self._lock:
            one_at_a_time = self._reading.setdefault(key, threading.Lock())
        with one_at_a_time:
            known = self._known.get(key)
            if known is None or self._clock.monotonic() - known[0] > self._kept_s:
                known = self._known[key] = (self._clock.monotonic(), self._read(key))
            return known[1]
