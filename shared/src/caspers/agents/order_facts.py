"""What is known of delivered orders: items, times, and the delivery percentiles of their locations.

`OrderFacts` says what the three functions of schema `ai` say of one order, and offers them as an agent's tools, so
that a whole batch costs two statements instead of three calls an order. `function_tools` are the functions themselves.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from caspers.agents.statements import with_schemas
from caspers.agents.tools import Arguments, Rows, Tool, function_tool, plain_row
from caspers.clients.warehouse import Warehouse
from caspers.clock import Clock
from caspers.names import Names

#: How long before the deliveries of a batch its orders were placed, as a rule; narrows the scan.
LOOKBACK = timedelta(hours=6)
#: The same for orders that are not found so.
LONG_LOOKBACK = timedelta(days=3_650)
#: Seconds that the percentiles of the locations are used before they are asked for again.
TIMINGS_S = 10.0


class OfOrder(Arguments):
    """An order, by its id."""

    oid: str


class OfLocation(Arguments):
    """A location, by its id."""

    loc: int


_DETAILS = (
    "get_order_details",
    "The items of an order with their prices, and where and when it was ordered.",
)
_TIME = ("get_order_delivery_time", "How many minutes an order took from its placing to its delivery.")
LOCATION_TIMINGS = (
    "get_location_timings",
    "P50, P75 and P99 of the delivery minutes at a location over the last day up to its latest delivery.",
)


#: The orders named in :ids with a row for each item, placed and delivered between two moments.
_ORDERS = """
WITH wanted AS (SELECT explode(from_json(:ids, 'array<string>')) AS order_id),
journeys AS (
  SELECT e.order_id,
         min(CASE WHEN e.event_type = 'order_created' THEN e.ts END) AS created_ts,
         max(CASE WHEN e.event_type = 'delivered' THEN e.ts END) AS delivered_ts,
         max(CASE WHEN e.event_type = 'order_created' THEN get_json_object(e.body, '$.customer_addr') END)
           AS customer_addr
  FROM {lakeflow}.all_events AS e LEFT SEMI JOIN wanted AS w ON e.order_id = w.order_id
  WHERE e.event_type IN ('order_created', 'delivered') AND e.ts BETWEEN :from_ts AND :until_ts
  GROUP BY e.order_id
)
SELECT i.order_id, i.location_id, l.name AS location, i.order_ts, i.item_name, b.name AS brand, i.qty, i.price,
       i.extended_price, j.delivered_ts, j.customer_addr,
       round((unix_millis(j.delivered_ts) - unix_millis(j.created_ts)) / 60000.0D, 2) AS delivery_minutes
FROM {lakeflow}.silver_order_items AS i
JOIN journeys AS j ON j.order_id = i.order_id
LEFT JOIN {simulator}.brands AS b ON b.brand_id = i.brand_id
LEFT JOIN {simulator}.locations AS l ON l.location_id = i.location_id
WHERE i.order_day >= CAST(:from_ts AS DATE) AND j.created_ts IS NOT NULL AND j.delivered_ts IS NOT NULL
"""

#: The percentiles of every location, as get_location_timings has them for one.
_PERCENTILES = """
WITH timed AS (
  SELECT max(location_id) AS location_id,
         min(CASE WHEN event_type = 'order_created' THEN ts END) AS created_ts,
         max(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered_ts
  FROM {lakeflow}.all_events WHERE event_type IN ('order_created', 'delivered') GROUP BY order_id
),
deliveries AS (
  SELECT location_id, delivered_ts, max(delivered_ts) OVER (PARTITION BY location_id) AS latest_ts,
         (unix_millis(delivered_ts) - unix_millis(created_ts)) / 60000.0D AS minutes
  FROM timed WHERE created_ts IS NOT NULL AND delivered_ts IS NOT NULL
)
SELECT location_id, count(*) AS orders, round(percentile(minutes, 0.5), 2) AS p50_minutes,
       round(percentile(minutes, 0.75), 2) AS p75_minutes, round(percentile(minutes, 0.99), 2) AS p99_minutes,
       max(latest_ts) - INTERVAL 24 HOURS AS from_ts, max(latest_ts) AS until_ts
FROM deliveries WHERE delivered_ts > latest_ts - INTERVAL 24 HOURS GROUP BY location_id
"""


@dataclass(frozen=True)
class OrderFacts:
    """One delivered order. The row fields are what the functions return, as JSON knows it."""

    order_id: str
    location_id: int
    location: str
    order_ts: datetime
    delivered_ts: datetime
    customer_addr: str
    details: Rows
    delivery: dict[str, Any]
    timings: dict[str, Any]

    @property
    def total_usd(self) -> Decimal:
        return total_usd(self.details)

    @property
    def brands(self) -> str:
        """The names of the brands in the order, joined by ", "."""
        return ", ".join(sorted({row["brand"] for row in self.details if row["brand"]}))

    def tools(self) -> tuple[Tool, Tool, Tool]:
        """The three functions, answering for this order and its location, and with nothing for all others."""

        async def details(of: OfOrder) -> Rows:
            return self.details if of.oid == self.order_id else []

        async def delivery(of: OfOrder) -> Rows:
            return [self.delivery] if of.oid == self.order_id else []

        async def timings(of: OfLocation) -> Rows:
            return [self.timings] if of.loc == self.location_id else []

        return (
            Tool(*_DETAILS, OfOrder, details),
            Tool(*_TIME, OfOrder, delivery),
            Tool(*LOCATION_TIMINGS, OfLocation, timings),
        )


def function_tools(warehouse: Warehouse, names: Names) -> tuple[Tool, Tool, Tool]:
    """The three functions of schema `ai` as tools; each call is a statement."""
    details = with_schemas("SELECT * FROM {ai}.get_order_details(:oid)", names)
    delivery = with_schemas("SELECT * FROM {ai}.get_order_delivery_time(:oid)", names)
    timings = with_schemas("SELECT * FROM {ai}.get_location_timings(:loc)", names)
    return (
        function_tool(warehouse, *_DETAILS, OfOrder, details),
        function_tool(warehouse, *_TIME, OfOrder, delivery),
        function_tool(warehouse, *LOCATION_TIMINGS, OfLocation, timings),
    )


def total_usd(details: Iterable[dict[str, Any]]) -> Decimal:
    """What an order cost, from the rows of its items."""
    return sum((Decimal(str(row["extended_price"])) for row in details), Decimal("0.00")).quantize(
        Decimal("0.01")
    )


class LocationTimings:
    """The percentiles of all locations, asked for once in a while; for one thread."""

    def __init__(self, warehouse: Warehouse, names: Names, clock: Clock) -> None:
        self._warehouse = warehouse
        self._names = names
        self._clock = clock
        self._timings: dict[int, dict[str, Any]] = {}
        self._until_s = float("-inf")

    def by_location(self) -> dict[int, dict[str, Any]]:
        """The row that get_location_timings has of each location, some seconds old at most."""
        now_s = self._clock.monotonic()
        if now_s >= self._until_s:
            rows = self._warehouse.query(with_schemas(_PERCENTILES, self._names)).to_pylist()
            self._timings = {row["location_id"]: plain_row(row) for row in rows}
            self._until_s = now_s + TIMINGS_S
        return self._timings


class FactsReader:
    """Reads the facts of orders, a batch at a time; for one thread."""

    def __init__(self, warehouse: Warehouse, names: Names, clock: Clock) -> None:
        self._warehouse = warehouse
        self._names = names
        self._timings = LocationTimings(warehouse, names, clock)

    def facts_of(
        self, deliveries: Sequence[tuple[str, datetime]], lookback: timedelta = LOOKBACK
    ) -> dict[str, OrderFacts]:
        """The facts of delivered orders by id, given when each was delivered; those that are not complete are left out.

        So are orders that were placed longer than `lookback` before.
        """
        if not deliveries:
            return {}
        moments = [delivered_ts for _, delivered_ts in deliveries]
        values = {
            "ids": json.dumps([order_id for order_id, _ in deliveries]),
            "from_ts": min(moments) - lookback,
            "until_ts": max(moments),
        }
        rows = self._warehouse.query(with_schemas(_ORDERS, self._names), values).to_pylist()
        timings = self._timings.by_location()
        by_order: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            by_order.setdefault(row["order_id"], []).append(row)
        return {
            order_id: _facts(of_order, timings[of_order[0]["location_id"]])
            for order_id, of_order in by_order.items()
            if of_order[0]["location_id"] in timings
        }


def _facts(rows: list[dict[str, Any]], timings: dict[str, Any]) -> OrderFacts:
    order = rows[0]
    kept = (
        "order_id",
        "location_id",
        "location",
        "order_ts",
        "item_name",
        "brand",
        "qty",
        "price",
        "extended_price",
    )
    delivery = {
        "order_id": order["order_id"],
        "location_id": order["location_id"],
        "created_ts": order["order_ts"],
        "delivered_ts": order["delivered_ts"],
        "delivery_minutes": order["delivery_minutes"],
    }
    return OrderFacts(
        order_id=order["order_id"],
        location_id=order["location_id"],
        location=order["location"] or "",
        order_ts=order["order_ts"],
        delivered_ts=order["delivered_ts"],
        customer_addr=order["customer_addr"] or "",
        details=[plain_row({name: row[name] for name in kept}) for row in rows],
        delivery=plain_row(delivery),
        timings=timings,
    )
