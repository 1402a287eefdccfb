"""The statements that read evidence from the lakehouse, literal and bound; `in_catalog` gives their tables full names.

An order's rows lie within hours of its own time: its statements carry a span, so that few files are read.
"""

from typing import LiteralString

from caspers.names import Names, quoted

_TABLES: dict[LiteralString, str] = {
    "{events}": "lakeflow.all_events",
    "{items}": "lakeflow.silver_order_items",
    "{brands}": "simulator.brands",
    "{runs}": "ai.agent_runs",
}

EVENTS: LiteralString = """
SELECT event_type, ts, sequence, body FROM {events}
WHERE order_id = :order_id AND ts BETWEEN :since AND :until
ORDER BY sequence, ts
"""

ITEMS: LiteralString = """
SELECT i.item_name, b.name AS brand, i.qty, i.price, i.extended_price
FROM {items} AS i LEFT JOIN {brands} AS b ON b.brand_id = i.brand_id
WHERE i.order_id = :order_id AND i.order_day BETWEEN :since AND :until
ORDER BY i.extended_price DESC, i.item_name
"""

# Texts too long to show are cut before they travel.
AGENT_RUN: LiteralString = """
SELECT run_id, agent, agent_version, model, origin, outcome, started_at, took_ms, turns, prompt_tokens,
       completion_tokens, substring(steps, 1, 1000000) AS steps, substring(raw_output, 1, 20001) AS raw_output,
       substring(error, 1, 2000) AS error
FROM {runs} WHERE run_id = :run_id LIMIT 1
"""

# Addresses stand inside bodies: every order of the location in the span is looked at, so the span is short.
EARLIER_ORDERS: LiteralString = """
SELECT order_id, ts, body FROM {events}
WHERE event_type = 'order_created' AND location_id = :location_id AND order_id <> :order_id
  AND ts >= :since AND ts < :before
  AND get_json_object(body, '$.customer_addr') = :address
ORDER BY ts DESC, order_id LIMIT 20
"""

ROUTES: LiteralString = """
SELECT body FROM {events}
WHERE event_type = 'driver_picked_up' AND location_id = :location_id
ORDER BY ts DESC LIMIT 600
"""

# Two days are read for one, so that an order of the day is there from its beginning. Minutes throughout.
LOCATION_DAY: LiteralString = """
WITH latest AS (
  SELECT max(ts) AS moment FROM {events} WHERE event_type = 'delivered' AND location_id = :location_id
), steps AS (
  SELECT order_id,
    unix_micros(min(CASE WHEN event_type = 'order_created' THEN ts END)) / 6e7 AS created,
    unix_micros(min(CASE WHEN event_type = 'gk_started' THEN ts END)) / 6e7 AS started,
    unix_micros(min(CASE WHEN event_type = 'gk_ready' THEN ts END)) / 6e7 AS ready,
    unix_micros(min(CASE WHEN event_type = 'driver_picked_up' THEN ts END)) / 6e7 AS picked_up,
    unix_micros(min(CASE WHEN event_type = 'delivered' THEN ts END)) / 6e7 AS delivered
  FROM {events}
  WHERE location_id = :location_id AND ts > (SELECT moment - INTERVAL 48 HOURS FROM latest)
    AND event_type IN ('order_created', 'gk_started', 'gk_ready', 'driver_picked_up', 'delivered')
  GROUP BY order_id
)
SELECT count(*) AS orders, (SELECT moment FROM latest) AS until,
  percentile(delivered - created, 0.5) AS p50,
  percentile(delivered - created, 0.75) AS p75,
  percentile(delivered - created, 0.99) AS p99,
  percentile(started - created, 0.5) AS order_created,
  percentile(ready - started, 0.5) AS gk_started,
  percentile(picked_up - ready, 0.5) AS gk_ready,
  percentile(delivered - picked_up, 0.5) AS driver_picked_up
FROM steps
WHERE created IS NOT NULL AND delivered > (SELECT unix_micros(moment) / 6e7 - 1440 FROM latest)
"""


def in_catalog(statement: LiteralString, names: Names) -> LiteralString:
    """The statement with the full, quoted names of its tables."""
    for place, table in _TABLES.items():
        statement = statement.replace(place, quoted(names.table(table)))
    return statement
