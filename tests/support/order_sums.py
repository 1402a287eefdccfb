"""What the pipeline must have made of events: silver and gold computed plainly, with exact money."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

Rows = list[dict[str, Any]]


def silver(events: Iterable[dict[str, Any]]) -> Rows:
    """The items ordered by events given as the replay writes them; each event_id counts once."""
    rows: Rows = []
    for event in {event["event_id"]: event for event in events}.values():
        if event["event_type"] != "order_created":
            continue
        moment = datetime.fromisoformat(event["ts"])
        rows += [
            {
                "order_id": event["order_id"],
                "location_id": event["location_id"],
                "order_ts": moment,
                "order_day": moment.date(),
                **item,
            }
            for item in json.loads(event["body"])["items"]
        ]
    return rows


def gold(events: Iterable[dict[str, Any]]) -> dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]:
    """The four gold tables as {table: {key: values}}; approximate counts are exact here."""
    items = silver(events)
    return {
        "gold_order_header": {
            key: (_money(group), _quantity(group), len(group), len({item["brand_id"] for item in group}))
            for key, group in _by(items, "order_id", "location_id", "order_day").items()
        },
        "gold_item_sales_day": {
            key: (_quantity(group), _money(group))
            for key, group in _by(items, "id", "menu_id", "category_id", "brand_id", "order_day").items()
        },
        "gold_brand_sales_day": {
            key: (_orders(group), _quantity(group), _money(group))
            for key, group in _by(items, "brand_id", "order_day").items()
        },
        "gold_location_sales_hourly": {
            key: (_orders(group), _money(group))
            for key, group in _by(_with_hour(items), "location_id", "hour").items()
        },
    }


KEY_COLUMNS = {
    "gold_order_header": 3,
    "gold_item_sales_day": 5,
    "gold_brand_sales_day": 2,
    "gold_location_sales_hourly": 2,
}


def keyed(table: str, rows: Rows) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Rows of a gold table as {key: values}, times without their zone; a key that comes twice is an error."""
    columns = KEY_COLUMNS[table]
    plain = [
        tuple(value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in row.values())
        for row in rows
    ]
    found = {row[:columns]: row[columns:] for row in plain}
    assert len(found) == len(plain), f"{table} has a key twice"
    return found


def _by(items: Rows, *names: str) -> dict[tuple[Any, ...], Rows]:
    groups: dict[tuple[Any, ...], Rows] = defaultdict(list)
    for item in items:
        groups[tuple(item[name] for name in names)].append(item)
    return groups


def _with_hour(items: Rows) -> Rows:
    return [item | {"hour": item["order_ts"].replace(minute=0, second=0, microsecond=0)} for item in items]


def _money(items: Rows) -> float:
    return float(sum((Decimal(str(item["price"])) * item["qty"] for item in items), Decimal(0)))


def _quantity(items: Rows) -> int:
    return sum(item["qty"] for item in items)


def _orders(items: Rows) -> int:
    return len({item["order_id"] for item in items})
