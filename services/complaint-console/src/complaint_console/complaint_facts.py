"""What is known of an order that somebody complains about: its items, its steps, the percentiles of its location.

`OrderRecord` says what the functions of schema `ai` say of one order, and offers them as the agent's tools, so that a batch
of complaints costs one statement. `function_tools` are the functions themselves.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from caspers.agents.order_facts import LOCATION_TIMINGS, LocationTimings, OfLocation, OfOrder
from caspers.agents.statements import with_schemas
from caspers.agents.tools import Arguments, Rows, Tool, ToolStep, function_tool, plain_row
from caspers.clients.warehouse import Warehouse
from caspers.clock import Clock
from caspers.names import Names

from complaint_console.concerns import said_missing
from complaint_console.policy import KnownOrder

Row = dict[str, Any]


class OfText(Arguments):
    """An order, by its id, and words about it."""

    oid: str
    text: str


_OVERVIEW = (
    "get_order_overview",
    "What was ordered, from where, when and for how much; items with their prices.",
)
_TIMING = (
    "get_order_timing",
    "When each step of an order came, and the minutes in the kitchen, waiting, driving, and in all.",
)
_MISSING = (
    "find_missing_items",
    "The items of an order that a text says are missing, with their prices; no row where it names none that was ordered.",
)

#: The orders named in :ids with a row for each item, as get_order_overview and get_order_timing have them.
_ORDERS = """
WITH wanted AS (SELECT explode(from_json(:ids, 'array<string>')) AS order_id),
steps AS (
  SELECT e.order_id,
         min(CASE WHEN event_type = 'order_created' THEN ts END) AS created_ts,
         min(CASE WHEN event_type = 'gk_started' THEN ts END) AS kitchen_started_ts,
         max(CASE WHEN event_type = 'gk_finished' THEN ts END) AS kitchen_finished_ts,
         max(CASE WHEN event_type = 'gk_ready' THEN ts END) AS ready_ts,
         max(CASE WHEN event_type = 'driver_arrived' THEN ts END) AS driver_arrived_ts,
         max(CASE WHEN event_type = 'driver_picked_up' THEN ts END) AS picked_up_ts,
         max(CASE WHEN event_type = 'delivered' THEN ts END) AS delivered_ts,
         max(CASE WHEN event_type = 'order_created' THEN get_json_object(body, '$.customer_addr') END) AS customer_addr
  FROM {lakeflow}.all_events AS e LEFT SEMI JOIN wanted AS w ON e.order_id = w.order_id
  WHERE e.event_type <> 'driver_ping' GROUP BY e.order_id
)
SELECT i.order_id, i.location_id, l.name AS location, i.order_ts, i.item_name AS item, b.name AS brand, i.qty, i.price,
       i.extended_price, s.customer_addr, s.created_ts, s.kitchen_started_ts, s.kitchen_finished_ts, s.ready_ts,
       s.driver_arrived_ts, s.picked_up_ts, s.delivered_ts,
       round((unix_millis(kitchen_finished_ts) - unix_millis(kitchen_started_ts)) / 60000.0D, 2) AS kitchen_minutes,
       round((unix_millis(picked_up_ts) - unix_millis(ready_ts)) / 60000.0D, 2) AS waiting_minutes,
       round((unix_millis(delivered_ts) - unix_millis(picked_up_ts)) / 60000.0D, 2) AS driving_minutes,
       round((unix_millis(delivered_ts) - unix_millis(created_ts)) / 60000.0D, 2) AS delivery_minutes
FROM {lakeflow}.silver_order_items AS i
LEFT SEMI JOIN wanted AS w ON i.order_id = w.order_id
JOIN steps AS s ON s.order_id = i.order_id
LEFT JOIN {simulator}.brands AS b ON b.brand_id = i.brand_id
LEFT JOIN {simulator}.locations AS l ON l.location_id = i.location_id
"""

_ITEM = ("item", "brand", "qty", "price", "extended_price")
_TIMING_COLUMNS = (
    *("order_id", "created_ts", "kitchen_started_ts", "kitchen_finished_ts", "ready_ts", "driver_arrived_ts"),
    *(
        "picked_up_ts",
        "delivered_ts",
        "kitchen_minutes",
        "waiting_minutes",
        "driving_minutes",
        "delivery_minutes",
    ),
)


@dataclass(frozen=True)
class OrderRecord:
    """One order as the tools tell of it, each in one row; None where they know nothing."""

    order_id: str
    location_id: int
    overview: Row | None = None
    timing: Row | None = None
    percentiles: Row | None = None

    @property
    def items(self) -> Rows:
        return self.overview["items"] if self.overview else []

    @property
    def total_usd(self) -> Decimal | None:
        return _usd(self.overview["order_total"]) if self.overview else None

    @property
    def brands(self) -> str:
        """The names of the brands in the order, joined by ", "."""
        return ", ".join(sorted({item["brand"] for item in self.items if item.get("brand")}))

    @property
    def known(self) -> KnownOrder | None:
        """What the policy asks of it."""
        if self.overview is None:
            return None
        timing, percentiles = self.timing or {}, self.percentiles or {}
        return KnownOrder(
            self.order_id,
            _usd(self.overview["order_total"]),
            timing.get("delivery_minutes"),
            percentiles.get("p75_minutes"),
            percentiles.get("p99_minutes"),
        )

    def tools(self) -> tuple[Tool, ...]:
        """The agent's tools, answering for this order and its location, and with nothing for all others."""

        async def overview(of: OfOrder) -> Rows:
            return _rows(self.overview, asked=of.oid == self.order_id)

        async def timing(of: OfOrder) -> Rows:
            return _rows(self.timing, asked=of.oid == self.order_id)

        async def percentiles(of: OfLocation) -> Rows:
            return _rows(self.percentiles, asked=of.loc == self.location_id)

        return _with_missing_items(
            Tool(*_OVERVIEW, OfOrder, overview),
            Tool(*_TIMING, OfOrder, timing),
            Tool(*LOCATION_TIMINGS, OfLocation, percentiles),
        )


def record_of(order_id: str, location_id: int, steps: Sequence[ToolStep]) -> OrderRecord:
    """What an agent's tools told of an order."""

    def told(tool: str, **arguments: Any) -> Row | None:
        rows = (step.rows for step in steps if step.tool == tool and step.arguments == arguments)
        return next((found[0] for found in rows if found), None)

    return OrderRecord(
        order_id,
        location_id,
        told(_OVERVIEW[0], oid=order_id),
        told(_TIMING[0], oid=order_id),
        told(LOCATION_TIMINGS[0], loc=location_id),
    )


def function_tools(warehouse: Warehouse, names: Names) -> tuple[Tool, ...]:
    """The functions of schema `ai` as the agent's tools; each call is a statement."""
    overview = with_schemas("SELECT * FROM {ai}.get_order_overview(:oid)", names)
    timing = with_schemas("SELECT * FROM {ai}.get_order_timing(:oid)", names)
    timings = with_schemas("SELECT * FROM {ai}.get_location_timings(:loc)", names)
    return _with_missing_items(
        _with_items(function_tool(warehouse, *_OVERVIEW, OfOrder, overview)),
        function_tool(warehouse, *_TIMING, OfOrder, timing),
        function_tool(warehouse, *LOCATION_TIMINGS, OfLocation, timings),
    )


class RecordsReader:
    """Reads the records of orders, a batch at a time; for one thread."""

    def __init__(self, warehouse: Warehouse, names: Names, clock: Clock) -> None:
        self._warehouse = warehouse
        self._names = names
        self._timings = LocationTimings(warehouse, names, clock)

    def records_of(self, order_ids: Sequence[str]) -> dict[str, OrderRecord]:
        """The records by order id; orders whose items or events are not there yet are left out."""
        rows = self._warehouse.query(
            with_schemas(_ORDERS, self._names), {"ids": json.dumps(sorted(set(order_ids)))}
        ).to_pylist()
        timings = self._timings.by_location() if rows else {}
        by_order: dict[str, list[Row]] = {}
        for row in rows:
            by_order.setdefault(row["order_id"], []).append(row)
        return {
            order_id: _record(of_order, timings.get(of_order[0]["location_id"]))
            for order_id, of_order in by_order.items()
        }


def _record(rows: list[Row], percentiles: Row | None) -> OrderRecord:
    order = rows[0]
    items = sorted(({name: row[name] for name in _ITEM} for row in rows), key=_by_value)
    overview = {name: order[name] for name in ("order_id", "location_id", "location", "order_ts")}
    overview |= {
        "order_total": round(sum(row["extended_price"] for row in rows), 2),
        "items": [{name: value for name, value in item.items() if value is not None} for item in items],
        "customer_addr": order["customer_addr"],
    }
    return OrderRecord(
        order["order_id"],
        order["location_id"],
        plain_row(overview),
        plain_row({name: order[name] for name in _TIMING_COLUMNS}),
        percentiles,
    )


def _with_missing_items(overview: Tool, timing: Tool, timings: Tool) -> tuple[Tool, ...]:
    async def missing(of: OfText) -> Rows:
        orders = await overview.run(OfOrder(oid=of.oid))
        return [item for order in orders for item in said_missing(of.text, order["items"])]

    return overview, timing, timings, Tool(*_MISSING, OfText, missing)


def _with_items(overview: Tool) -> Tool:
    """The same tool with `items` as a list, which the function has as JSON."""

    async def run(of: OfOrder) -> Rows:
        return [row | {"items": json.loads(row["items"])} for row in await overview.run(of)]

    return Tool(overview.name, overview.description, overview.arguments, run)


def _by_value(item: Row) -> list[tuple[bool, Any]]:
    """Sorts as the engine does: field by field, nulls first."""
    return [(value is not None, value) for value in item.values()]


def _rows(row: Row | None, *, asked: bool) -> Rows:
    return [row] if asked and row is not None else []


def _usd(value: float) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))
