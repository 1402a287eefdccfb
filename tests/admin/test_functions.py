"""The SQL functions answer about real rows what their comments promise."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, cast

import pytest
from admin.functions import definitions
from caspers.clients.warehouse import Warehouse
from caspers.model import tables
from caspers.names import Names, quoted

from tests.support.workspace import LocalWorkspace

PLACED = datetime(2031, 3, 1, 12, tzinfo=UTC)
MINUTE_OF = {
    "order_created": 0,
    "gk_started": 2,
    "gk_finished": 14.5,
    "gk_ready": 15,
    "driver_arrived": 16,
    "driver_picked_up": 17.25,
    "driver_ping": 20,
    "delivered": 31,
}


class Kitchen:
    """A catalog with the tables that the functions read, and the functions."""

    def __init__(self, workspace: LocalWorkspace, catalog: str) -> None:
        self.names = Names(catalog)
        self.warehouse = Warehouse(workspace.client, next(iter(workspace.client.warehouses.list())).id or "")

    def build(self) -> "Kitchen":
        catalog = self.names.catalog
        for schema in ("simulator", "lakeflow", "ai"):
            self.run(f"CREATE SCHEMA {catalog}.{schema}")
        for table in (tables.BRANDS, tables.LOCATIONS, tables.ALL_EVENTS, tables.SILVER_ORDER_ITEMS):
            columns = ", ".join(f"{column.name} {column.sql_type}" for column in table.columns)
            self.run(f"CREATE TABLE {self.names.table(table.name)} ({columns})")
        places = {role: quoted(f"{catalog}.{role}") for role in ("lakeflow", "simulator")}
        for name, definition in definitions().items():
            self.run(definition.format(function=quoted(f"{catalog}.ai.{name}"), **places))
        self.run(
            f"INSERT INTO {catalog}.simulator.brands (brand_id, name) VALUES (1, 'Ladle'), (2, 'Wok \"4\" U')"
        )
        self.run(f"INSERT INTO {catalog}.simulator.locations (location_id, name) VALUES (3, 'Chicago')")
        return self

    def order(self, order_id: str, until: str = "delivered") -> None:
        """An order of two items, as far as the event `until`."""
        catalog = self.names.catalog
        for sequence, (kind, minute) in enumerate(MINUTE_OF.items()):
            body = json.dumps({"customer_addr": "1 Elm St"} if kind == "order_created" else {})
            ts = (PLACED + timedelta(minutes=minute)).isoformat()
            self.run(
                f"INSERT INTO {catalog}.lakeflow.all_events (event_id, event_type, ts, location_id, order_id, sequence, "
                f"body) VALUES ('{order_id}{sequence}', '{kind}', TIMESTAMP '{ts}', 3, '{order_id}', {sequence}, '{body}')"
            )
            if kind == until:
                break
        for brand, item, price, quantity in ((2, "Ramen", 12.4, 1), (1, "Bread", 4.1, 3)):
            self.run(
                f"INSERT INTO {catalog}.lakeflow.silver_order_items (order_id, location_id, order_ts, brand_id, item_name, "
                f"price, qty, extended_price) VALUES ('{order_id}', 3, TIMESTAMP '{PLACED.isoformat()}', {brand}, '{item}', "
                f"{price}, {quantity}, {round(price * quantity, 2)})"
            )

    def ask(self, function: str, order_id: str) -> list[dict[str, Any]]:
        """The rows of a function about an order."""
        call = f"SELECT * FROM {self.names.catalog}.ai.{function}(:oid)"
        return self.warehouse.query(cast("LiteralString", call), {"oid": order_id}).to_pylist()

    def run(self, statement: str) -> None:
        """A statement whose result nobody wants."""
        self.warehouse.query_text(statement)


@pytest.fixture
def kitchen(workspace: LocalWorkspace, catalog: str) -> Iterator[Kitchen]:
    built = Kitchen(workspace, catalog).build()
    yield built
    built.warehouse.close()


def test_an_overview_is_one_row_with_the_items_as_json(kitchen: Kitchen):
    kitchen.order("A")
    kitchen.order("B")
    (row,) = kitchen.ask("get_order_overview", "A")
    items = json.loads(row.pop("items"))
    assert items == [
        {"item": "Bread", "brand": "Ladle", "qty": 3, "price": 4.1, "extended_price": 12.3},
        {"item": "Ramen", "brand": 'Wok "4" U', "qty": 1, "price": 12.4, "extended_price": 12.4},
    ]
    assert row == {
        "order_id": "A",
        "location_id": 3,
        "location": "Chicago",
        "order_ts": PLACED,
        "order_total": 24.7,
        "customer_addr": "1 Elm St",
    }
    assert kitchen.ask("get_order_overview", "nobody's") == []


def test_a_timing_tells_each_step_of_an_order_and_how_long_it_took(kitchen: Kitchen):
    kitchen.order("A")
    (row,) = kitchen.ask("get_order_timing", "A")
    assert row["kitchen_finished_ts"] == PLACED + timedelta(minutes=14.5)
    minutes = [row[f"{part}_minutes"] for part in ("kitchen", "waiting", "driving", "delivery")]
    assert minutes == [12.5, 2.25, 13.75, 31.0]


def test_a_timing_knows_nothing_of_what_has_not_come_yet(kitchen: Kitchen):
    kitchen.order("A", until="gk_ready")
    (row,) = kitchen.ask("get_order_timing", "A")
    assert row["kitchen_minutes"] == 12.5
    assert row["picked_up_ts"] is row["waiting_minutes"] is row["delivery_minutes"] is None
