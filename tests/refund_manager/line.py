"""A small refund line in a catalog of its own: its tables, orders with the delivery times a test wants, a recommender."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from admin.functions import definitions
from caspers.agents.deliveries import Deliveries
from caspers.agents.delivery_work import LOST_AFTER
from caspers.agents.model_endpoint import ModelEndpoint
from caspers.agents.order_facts import FactsReader
from caspers.clients.volume import Volume
from caspers.clients.warehouse import Warehouse
from caspers.clock import SystemClock
from caspers.model import tables
from caspers.model.tables import Table
from caspers.names import Names, quoted
from caspers.worker.step import StepContext, StepOutcome
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import VolumeType
from refund_manager.recommendations import LINE, RecommendationStore
from refund_manager.recommender import Desk, Recommender

#: Virtual time runs ahead of the wall clock.
NOON = datetime(2031, 3, 1, 12, tzinfo=UTC)
RULES = "databricks-meta-llama-3-3-70b-instruct"
TABLES = (
    tables.BRANDS,
    tables.LOCATIONS,
    tables.ALL_EVENTS,
    tables.SILVER_ORDER_ITEMS,
    tables.REFUND_RECOMMENDATIONS,
    tables.AGENT_RUNS,
)


@dataclass(frozen=True)
class Order:
    """An order to be delivered; `items` are (name, price, quantity), no items: silver does not know it yet."""

    order_id: str
    minutes: float = 30.0
    items: tuple[tuple[str, float, int], ...] = (("Soup", 10.25, 2), ("Bread", 4.0, 1))
    location_id: int = 1
    placed: datetime = NOON


class Line:
    """The tables of a catalog, and whoever reads them."""

    def __init__(self, client: WorkspaceClient, catalog: str) -> None:
        self.client = client
        self.names = Names(catalog)
        self.warehouse = Warehouse(client, next(iter(client.warehouses.list())).id or "")
        self.clock = SystemClock()

    def build(self) -> "Line":
        """Make everything that the admin would."""
        catalog = self.names.catalog
        for schema in ("simulator", "lakeflow", "recommender", "ai"):
            self.warehouse.query_text(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema}")
        for table in TABLES:
            columns = ", ".join(f"{column.name} {column.sql_type}" for column in table.columns)
            self.warehouse.query_text(f"CREATE TABLE {self.names.table(table.name)} ({columns})")
        for name, definition in definitions().items():
            places = {role: quoted(f"{catalog}.{role}") for role in ("lakeflow", "simulator")}
            self.warehouse.query_text(definition.format(function=f"{catalog}.ai.{name}", **places))
        self.client.volumes.create(catalog, "recommender", "checkpoints", VolumeType.MANAGED)
        self._insert(tables.BRANDS, [{"brand_id": 1, "name": "Ladle"}])
        self._insert(
            tables.LOCATIONS, [{"location_id": 1, "name": "Chicago"}, {"location_id": 2, "name": "Bellevue"}]
        )
        return self

    def close(self) -> None:
        self.warehouse.close()

    def deliver(self, orders: Iterable[Order]) -> None:
        """The orders' events and, of those that have any, their items."""
        orders = list(orders)
        self._insert(tables.ALL_EVENTS, [event for order in orders for event in self._events(order)])
        self._insert(tables.SILVER_ORDER_ITEMS, [item for order in orders for item in _items(order)])

    def deliver_usual(self, count: int = 100, prefix: str = "U") -> None:
        """Orders of 1 to `count` hundredths of an hour, so that the percentiles are known."""
        self.deliver(Order(f"{prefix}{n}", minutes=20 + n / 10) for n in range(1, count + 1))

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a statement in which {recommendations}, {runs} stand for the tables."""
        text = statement.format(
            recommendations=self.names.table("recommender.refund_recommendations"),
            runs=self.names.table("ai.agent_runs"),
        )
        return self.warehouse.query(text, values).to_pylist()  # pyright: ignore[reportArgumentType]  a test's text

    @property
    def checkpoints(self) -> Volume:
        return Volume(self.client, self.names.recommender_checkpoints_path)

    def recommender(self, lost_after: timedelta = LOST_AFTER) -> Recommender:
        """A recommender as a new process would have it."""
        return Recommender(
            Desk(
                Deliveries(self.warehouse, self.checkpoints, self.names, LINE),
                FactsReader(self.warehouse, self.names, self.clock),
                RecommendationStore(self.warehouse, self.names),
                lambda name, limits: ModelEndpoint(self.client, name, self.clock, limits),
                self.clock,
                lost_after,
            )
        )

    def work(self, until: int, *, worker: Recommender | None = None, **parameters: Any) -> StepOutcome:
        """Take one step, interrupted as soon as `until` recommendations are written."""
        context: StepContext

        def told(progress: dict[str, Any]) -> None:
            if progress["recommended"] >= until:
                context.interrupt()

        context = StepContext(1, self.clock, told)
        orders = {"model": RULES, "calls_per_minute": 60_000, "history_share": 1.0} | parameters
        return (worker or self.recommender()).step(orders, context)

    def begin(self) -> None:
        """Fix where history ends: behind everything delivered so far."""
        assert Deliveries(self.warehouse, self.checkpoints, self.names, LINE).boundary() is not None

    def _events(self, order: Order) -> list[dict[str, Any]]:
        def event(kind: str, ts: datetime, sequence: int) -> dict[str, Any]:
            return {
                "event_id": f"{order.order_id}/{sequence}",
                "event_type": kind,
                "ts": ts.isoformat(),
                "location_id": order.location_id,
                "order_id": order.order_id,
                "sequence": sequence,
                "body": json.dumps({"customer_addr": "1 Elm St"}),
                "_ingested_at": self.clock.now().isoformat(),
            }

        delivered = order.placed + timedelta(minutes=order.minutes)
        return [event("order_created", order.placed, 0), event("delivered", delivered, 1)]

    def _insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        kinds = ", ".join(f"{column.name}: {_carried(column.sql_type)}" for column in table.columns)
        columns = ", ".join(f"CAST(r.{column.name} AS {column.sql_type})" for column in table.columns)
        source = f"SELECT {columns} FROM (SELECT explode(from_json(:rows, 'array<struct<{kinds}>>')) AS r)"
        text = f"INSERT INTO {self.names.table(table.name)} {source}"
        self.warehouse.execute(text, {"rows": json.dumps(rows)})  # pyright: ignore[reportArgumentType]  a test's text


def _items(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "order_id": order.order_id,
            "location_id": order.location_id,
            "order_ts": order.placed.isoformat(),
            "order_day": order.placed.date().isoformat(),
            "item_id": number,
            "brand_id": 1,
            "item_name": name,
            "price": price,
            "qty": quantity,
            "extended_price": round(price * quantity, 2),
        }
        for number, (name, price, quantity) in enumerate(order.items)
    ]


def _carried(sql_type: str) -> str:
    """The type that a value has in JSON."""
    return "string" if sql_type in {"TIMESTAMP", "DATE"} else sql_type.lower()
