"""The refund recommender on a history of 70 days: with the rules model, and with a model that takes 50 ms a turn.

CPU time counts the recommender, the workspace and its engine; it hardly depends on what else the machine does.
The share is of what the model permits: with so many calls in flight and two turns an order, no more
orders than calls_in_flight / latency / 2 can be decided in a second.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import psutil
from caspers.model.tables import ALL_EVENTS, SILVER_ORDER_ITEMS
from databricks.sdk.service.catalog import VolumeType

from benchmarks.measure import Figure, report, seconds
from tests.refund_manager.line import RULES, Line
from tests.support.many_orders import write_days
from tests.support.model_server import ModelServer, completion, external_endpoint
from tests.support.workspace import LocalWorkspace

DAYS = 70
CALLS_IN_FLIGHT = 8
LATENCY_S = 0.05

EVENTS = """
INSERT INTO {events}
SELECT event_id, event_type, CAST(ts AS TIMESTAMP), CAST(location_id AS INT), order_id, CAST(sequence AS INT), body,
       'bench', TIMESTAMP '2024-01-01 00:00:00'
FROM json.`{folder}`
"""
ITEMS = """
INSERT INTO {items}
SELECT order_id, location_id, ts, CAST(ts AS DATE), item.id, item.menu_id, item.category_id, item.brand_id, item.name,
       item.price, item.qty, round(item.price * item.qty, 2)
FROM (SELECT order_id, location_id, ts, explode(from_json(body, 'items ARRAY<STRUCT<id: INT, category_id: INT, menu_id: INT,
      brand_id: INT, name: STRING, price: DOUBLE, qty: INT>>').items) AS item
      FROM {events} WHERE event_type = 'order_created')
"""


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="benchmarks.recommender", description=__doc__)
    parser.add_argument("--orders", type=int, default=3_000, help="recommended in each run")
    parser.add_argument("--days", type=int, default=DAYS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-recommender-") as folder:
        workspace = LocalWorkspace(Path(folder) / "home").start()
        try:
            line = bench_line(workspace, Line, arguments.days)
            figures = [
                *_by_rules(line, arguments.orders, workspace.pid),
                *_by_a_slow_model(line, arguments.orders),
            ]
            line.close()
        finally:
            workspace.stop()
    report(f"refund recommender, history of {arguments.days} days", figures)


AnyLine = TypeVar("AnyLine", bound=Line)


def bench_line(workspace: LocalWorkspace, kind: type[AnyLine], days: int) -> AnyLine:
    """The tables of a line with so many days of delivered orders in them."""
    workspace.client.catalogs.create("bench")
    line = kind(workspace.client, "bench")
    line.build()
    workspace.client.volumes.create("bench", "lakeflow", "days", VolumeType.MANAGED)
    volume = workspace.home / "catalogs/bench/lakeflow/volumes/days"
    write_days(volume / "events", 0, days, files_a_day=1)
    events, items = (line.names.table(table.name) for table in (ALL_EVENTS, SILVER_ORDER_ITEMS))
    line.warehouse.query_text(EVENTS.format(events=events, folder="/Volumes/bench/lakeflow/days/events"))
    line.warehouse.query_text(ITEMS.format(events=events, items=items))
    return line


def _by_rules(line: Line, orders: int, workspace_pid: int) -> list[Figure]:
    began_s, before = cpu_s(workspace_pid), _count(line)
    rate = _rate(line, orders, model=RULES)
    cpu_ms = 1000 * (cpu_s(workspace_pid) - began_s) / (_count(line) - before)
    return [
        Figure(f"rules model, {orders} orders", rate, "orders/s", "≥ 100"),
        Figure("CPU time of all processes", cpu_ms, "ms/order"),
    ]


def cpu_s(workspace_pid: int) -> float:
    """CPU time of this process and of the workspace's tree so far, in seconds."""
    workspace = psutil.Process(workspace_pid)
    members = [psutil.Process(), workspace, *workspace.children(recursive=True)]
    return sum(times.user + times.system for times in (member.cpu_times() for member in members))


def _by_a_slow_model(line: Line, orders: int) -> list[Figure]:
    with ModelServer(_answer, latency_s=LATENCY_S) as server:
        name = external_endpoint(line.client, "slow-model", server)
        rate = _rate(line, orders, model=name, calls_in_flight=CALLS_IN_FLIGHT)
        most = server.in_flight_max
    permitted = CALLS_IN_FLIGHT / LATENCY_S / 2
    return [
        Figure(f"model of {LATENCY_S * 1000:.0f} ms, {CALLS_IN_FLIGHT} calls in flight", rate, "orders/s"),
        Figure("share of what the model permits", 100 * rate / permitted, "%", "≥ 90"),
        Figure("most calls in flight", most, "", f"≤ {CALLS_IN_FLIGHT}"),
    ]


def _rate(line: Line, orders: int, **parameters: Any) -> float:
    """Orders a second, from the first look to the last row written."""
    worker = line.recommender()
    before = _count(line)
    took_s = 0.0
    while _count(line) - before < orders:
        took_s += seconds(lambda: line.work(before + orders, worker=worker, **parameters))
    return (_count(line) - before) / took_s


def _count(line: Line) -> int:
    return line.rows("SELECT count(*) AS n FROM {recommendations}")[0]["n"]


def _answer(body: dict[str, Any]) -> dict[str, Any]:
    """A model that asks for all tools and then refunds nothing."""
    if body["messages"][-1]["role"] == "tool":
        return completion(json.dumps({"refund_usd": 0, "refund_class": "none", "reason": "In time."}))
    words = body["messages"][-1]["content"].rstrip(".").split()
    order_id, location_id = words[5], int(words[-1])
    return completion(
        tools={
            "get_order_details": {"oid": order_id},
            "get_order_delivery_time": {"oid": order_id},
            "get_location_timings": {"loc": location_id},
        }
    )


if __name__ == "__main__":
    main()
