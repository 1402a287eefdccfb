"""The evidence of a case, read from a real warehouse and a real Postgres."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from caspers.clients.postgres import Postgres
from caspers.clients.warehouse import Warehouse
from caspers.clients.warehouse_pool import WarehousePool
from caspers.clock import SystemClock
from caspers.errors import Unavailable
from caspers.model.tables import AGENT_RUNS, ALL_EVENTS, BRANDS, SILVER_ORDER_ITEMS, Table
from caspers.names import Names
from caspers.review.api import evidence as evidence_api
from caspers.review.case_facts import CaseFacts, OrderNotFound
from refund_manager.evidence import evidence_room

from tests.caspers.serving import Served
from tests.support.pipelines import event, item, order
from tests.support.refunds import arrive, console, recommendations, reviewer, take_in
from tests.support.workspace import LocalWorkspace

ORDERED = datetime(2024, 1, 1, 12, 0, tzinfo=UTC)
NOON_S = 12 * 3600
ADDRESS = "1 Main St"


class Lakehouse:
    """The tables that evidence is read from, in a catalog of their own."""

    def __init__(self, workspace: LocalWorkspace, name: str) -> None:
        self.names = Names(name)
        self._connection = workspace.connect()
        self._cursor = self._connection.cursor()
        for schema in ("lakeflow", "simulator", "ai"):
            self.run(f"CREATE SCHEMA {name}.{schema}")
        for table in (ALL_EVENTS, SILVER_ORDER_ITEMS, BRANDS, AGENT_RUNS):
            columns = ", ".join(f"{column.name} {column.sql_type}" for column in table.columns)
            self.run(f"CREATE TABLE {self.names.table(table.name)} ({columns})")

    def run(self, statement: str) -> None:
        self._cursor.execute(statement)

    def add(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Rows by column; what a row does not say is null."""
        values = ", ".join(f"({', '.join(_literal(row.get(c.name)) for c in table.columns)})" for row in rows)
        self.run(f"INSERT INTO {self.names.table(table.name)} VALUES {values}")

    def close(self) -> None:
        self._connection.close()


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S}'"
    return "NULL" if value is None else f"{value}"


def stored(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events of the volume as rows of bronze."""
    return [row | {"ts": datetime.fromisoformat(row["ts"])} for row in events]


def silver(order_id: str, name: str, price: float, qty: int) -> dict[str, Any]:
    facts = {"order_id": order_id, "location_id": 1, "order_ts": ORDERED, "item_name": name, "brand_id": 1}
    return facts | {"price": price, "qty": qty, "extended_price": price * qty} | {"item_id": 1}


@pytest.fixture(scope="module")
def lake(workspace: LocalWorkspace) -> Iterator[Lakehouse]:
    """Three orders of one address and one of another, an agent's run, two brands."""
    workspace.client.catalogs.create("evidence_test")
    lake = Lakehouse(workspace, "evidence_test")
    elsewhere = order("other-address", NOON_S - 7_000)
    elsewhere[0] = event("other-address", "order_created", {"customer_addr": "2 Side St", "items": []}, 0, 0)
    orders = [
        order("earlier-2", NOON_S - 9_000, items=[item(price=10.0, qty=3)]),
        order("earlier-1", NOON_S - 18_000),
        order("the-order", NOON_S),
        order("later", NOON_S + 9_000),
        order("long-ago", NOON_S - 31 * 86_400),
        elsewhere,
    ]
    lake.add(ALL_EVENTS, [row for events in orders for row in stored(events)])
    lake.add(BRANDS, [{"brand_id": 1, "name": "Nonna's Oven"}])
    lake.add(SILVER_ORDER_ITEMS, [silver("the-order", "Soup", 4.1, 3), silver("the-order", "Bread", 2.35, 1)])
    lake.run("UPDATE evidence_test.lakeflow.silver_order_items SET order_day = DATE '2024-01-01'")
    steps = [{"tool": "get_order_details", "arguments": {"oid": "the-order"}, "result": [], "took_ms": 12.5}]
    lake.add(
        AGENT_RUNS,
        [
            run("good-run", steps=json.dumps(steps), raw_output='{"refund_usd": 0}'),
            run("bad-run", steps="{not json", raw_output="<script>alert(1)</script>" + "x" * 30_000),
        ],
    )
    yield lake
    lake.close()
    workspace.client.catalogs.delete("evidence_test", force=True)


def run(run_id: str, **known: Any) -> dict[str, Any]:
    """A run of the agent as it is recorded."""
    facts = {"run_id": run_id, "agent": "refund", "started_at": ORDERED, "took_ms": 100.0, "model": "rules-1"}
    return facts | {"agent_version": "refund-1", "origin": "rules", "outcome": "answered", "turns": 2} | known


@pytest.fixture
def pool(workspace: LocalWorkspace) -> Iterator[WarehousePool]:
    """A pool on the catalog's warehouse."""
    client = workspace.client
    warehouse_id = next(iter(client.warehouses.list())).id or ""
    opened = WarehousePool(lambda: Warehouse(client, warehouse_id), sessions=3)
    yield opened
    opened.close()


@pytest.fixture
def served(pool: WarehousePool, lake: Lakehouse, database: Postgres) -> Iterator[Served]:
    """The console with a case for two of the orders and one whose events never came."""
    known = [("the-order", "good-run"), ("earlier-2", "bad-run"), ("no-events", "no-run")]
    rows = [
        row
        | {"order_id": order_id, "run_id": run_id, "location_id": 1, "customer_addr": ADDRESS}
        | {
            "order_ts": ORDERED - timedelta(seconds=9_000 if order_id == "earlier-2" else 0),
            "delivered_ts": None,
        }
        for row, (order_id, run_id) in zip(recommendations(3, seed=4), known, strict=True)
    ]
    arrive(database, rows)
    take_in(database)
    room = evidence_room(CaseFacts(pool, lake.names, SystemClock()), pool, database)
    with console(database, *evidence_api.routers(room, "order_id")) as running:
        yield running


def evidence(served: Served, order_id: str) -> dict[str, Any]:
    answer = served.client.get(f"/api/cases/{order_id}/evidence", headers=reviewer("ada"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_evidence_of_a_case_holds_all_its_parts(served: Served):
    shown = evidence(served, "the-order")
    assert [(line["name"], line["brand"], line["extended_price"]) for line in shown["items"]] == [
        ("Soup", "Nonna's Oven", 12.3),
        ("Bread", "Nonna's Oven", 2.35),
    ]
    assert [row["kind"] for row in shown["events"]] == [row["event_type"] for row in order("the-order", 0)]
    assert shown["timeline"]["minutes"] == 7.0
    assert shown["route"]["way"].startswith("M")
    assert len(shown["route"]["pings"]) == 1
    assert shown["agent_run"]["steps"][0]["tool"] == "get_order_details"


def test_the_location_tells_what_is_usual_over_its_last_day(served: Served):
    usual = evidence(served, "the-order")["percentiles"]
    # Four orders of 7 minutes and one of 610.33: P99 lies 0.96 of the way from the fourth to the fifth.
    assert usual["now"]["orders"] == 5
    assert usual["now"]["percentiles"] == {"p50": 7.0, "p75": 7.0, "p99": 586.2}
    assert usual["now"]["phases"]["order_created"] == 1.0
    assert usual["at_recommendation"]["p50"] > 0


def test_earlier_orders_are_those_of_the_address_before_this_one(served: Served):
    earlier = evidence(served, "the-order")["earlier_orders"]
    assert [(row["order_id"], row["total_usd"], row["items"]) for row in earlier] == [
        ("earlier-2", 30.0, 3),
        ("earlier-1", 25.0, 2),
    ]
    assert earlier[0]["status"] == "pending"
    assert earlier[1]["status"] is None


def test_what_a_model_said_is_shown_as_text_and_cut(served: Served):
    shown = evidence(served, "earlier-2")["agent_run"]
    assert shown["raw_output"].startswith("<script>alert(1)</script>xxx")
    assert (len(shown["raw_output"]), shown["raw_output_cut"]) == (20_000, True)
    assert (shown["steps"], shown["steps_unreadable"]) == ([], True)


def test_a_case_without_events_says_so(served: Served):
    answer = served.client.get("/api/cases/no-events/evidence")
    assert (answer.status_code, "no event of order no-events" in answer.text) == (404, True)


@pytest.mark.parametrize("order_id", ["unknown", "' OR '1'='1", "%00", "x" * 300, "%F0%9F%8D%95"])
def test_an_order_that_is_none_is_refused_in_words(served: Served, order_id: str):
    assert served.client.get(f"/api/cases/{order_id}/evidence").status_code in {404, 422}


def test_events_of_an_order_are_found_without_its_time(pool: WarehousePool, lake: Lakehouse):
    facts = CaseFacts(pool, lake.names, SystemClock())
    events = facts.events("earlier-1")
    assert [row.sequence for row in events] == list(range(8))
    assert events[5].body == {"route_points": [[1.0, 2.0], [1.1, 2.1]]}
    with pytest.raises(OrderNotFound):
        facts.events("' OR '1'='1")


def test_a_warehouse_that_takes_too_long_is_unavailable(workspace: LocalWorkspace):
    client = workspace.client
    warehouse_id = next(iter(client.warehouses.list())).id or ""
    impatient = WarehousePool(lambda: Warehouse(client, warehouse_id), sessions=1, patience_s=0.001)
    with pytest.raises(Unavailable, match="did not answer"):
        impatient.ask("SELECT count(*) FROM range(1000000)").rows()
    impatient.close()


def test_many_readers_share_the_few_sessions(pool: WarehousePool):
    answers = [pool.ask("SELECT :number AS number", {"number": number}) for number in range(20)]
    assert [answer.rows()[0]["number"] for answer in answers] == list(range(20))
