"""The recommender over real tables: every delivered order gets one recommendation, whatever is killed or said."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from caspers.agents.deliveries import LINE_START
from caspers.errors import Invalid, Unavailable
from caspers.worker.step import StepContext

from tests.refund_manager.line import RULES, Line, Order
from tests.support.model_server import ModelServer, Reply, completion, external_endpoint
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

ALL = "SELECT * FROM {recommendations}"
COUNT = "SELECT count(*) AS orders, count(DISTINCT order_id) AS distinct_orders FROM {recommendations}"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def line(workspace: LocalWorkspace, catalog: str) -> Iterator[Line]:
    """The tables of a line, without orders."""
    built = Line(workspace.client, catalog).build()
    yield built
    built.close()


def test_every_delivered_order_gets_a_recommendation_with_its_facts(line: Line):
    line.deliver_usual(100)
    done = line.work(until=100)
    row = line.rows(ALL + " WHERE order_id = 'U100'")[0]
    assert done.progress["by_origin"] == {"rules": 100}
    assert json.loads(row["agent_response"]) | {"reason": ""} == {
        "refund_usd": 24.5,
        "refund_class": "full",
        "reason": "",
    }
    assert (row["order_total"], row["refund_usd"]) == (Decimal("24.50"), Decimal("24.50"))
    assert (row["delivery_minutes"], row["p75_minutes"]) == (30.0, 27.53)
    assert (row["location"], row["brands"], row["customer_addr"]) == ("Chicago", "Ladle", "1 Elm St")
    run = line.rows("SELECT * FROM {runs} WHERE run_id = :id", id=row["run_id"])[0]
    assert json.loads(run["steps"])[0]["tool"] == "get_order_details"


def test_live_orders_come_before_the_history(line: Line):
    line.deliver_usual(150)
    line.begin()
    line.deliver([Order("LIVE", minutes=120)])
    line.work(until=1)
    written = line.rows(ALL + " ORDER BY ts")
    assert "LIVE" in [row["order_id"] for row in written][:10]


def test_a_live_order_is_noticed_while_the_recommender_waits(line: Line):
    line.deliver_usual(3)
    context = StepContext(1, line.clock, lambda _: None)
    waiting = Line(line.client, line.names.catalog)
    steps = threading.Thread(target=lambda: waiting.recommender().step({"model": RULES}, context))
    steps.start()
    wait_for(lambda: line.checkpoints.read_if_there(LINE_START), what="the boundary is fixed")
    line.deliver([Order("LIVE", minutes=120)])
    began_s = line.clock.monotonic()
    wait_for(lambda: line.rows(ALL + " WHERE order_id = 'LIVE'"), seconds=10, what="it is recommended")
    assert steps.is_alive()
    context.interrupt()
    steps.join()
    waiting.close()
    assert line.clock.monotonic() - began_s < 5


def test_an_order_waits_until_its_items_are_there(line: Line):
    line.deliver_usual(5)
    line.deliver([Order("LATE", minutes=60, items=())])
    worker = line.recommender()
    waiting = line.work(until=5, worker=worker)
    assert (waiting.progress["recommended"], waiting.progress["by_origin"]) == (5, {"rules": 5})
    items = Order("LATE", minutes=60)
    line.deliver([items])
    line.work(until=6, worker=worker)
    assert line.rows(ALL + " WHERE order_id = 'LATE'")[0]["origin"] == "rules"


LATER_ORDERS = [Order("A", minutes=120), Order("B", placed=Order("").placed.replace(hour=20))]


def test_an_order_is_not_given_up_because_later_ones_came_in_first(line: Line):
    line.deliver([Order("SLOW", items=()), *LATER_ORDERS])
    worker = line.recommender()
    line.work(until=2, worker=worker)
    line.deliver([Order("SLOW")])
    line.work(until=3, worker=worker)
    assert line.rows(ALL + " WHERE order_id = 'SLOW'")[0]["origin"] == "rules"


def test_an_order_that_stays_without_items_is_an_error(line: Line):
    line.deliver([Order("LOST", items=()), *LATER_ORDERS])
    line.work(until=3, worker=line.recommender(lost_after=timedelta(0)))
    row = line.rows(ALL + " WHERE order_id = 'LOST'")[0]
    assert (row["origin"], row["refund_usd"], row["refund_class"]) == ("error", None, None)
    assert "nothing is known" in json.loads(row["agent_response"])["error"]


def test_a_share_is_the_same_orders_every_time(line: Line):
    line.deliver_usual(200)
    worker = line.recommender()
    first = line.work(until=30, worker=worker, history_share=0.3)
    pending = first.progress["pending_history"]
    line.work(until=30 + pending, worker=worker, history_share=0.3)
    assert 30 <= line.rows(COUNT)[0]["orders"] <= 90
    again = line.work(until=0, history_share=0.3)
    assert again.progress["pending_history"] == 0


def test_killed_at_any_moment_every_order_has_one_recommendation(line: Line, workspace: LocalWorkspace):
    line.deliver_usual(400)
    command = [sys.executable, "-m", "tests.refund_manager.recommender_process"]
    for kill_after in (1, 120, 250):
        process = subprocess.Popen([*command, workspace.url, workspace.token, line.names.catalog], cwd=ROOT)
        try:
            wait_for(
                lambda n=kill_after: line.rows(COUNT)[0]["orders"] >= n, seconds=60, what="some are written"
            )
        finally:
            process.kill()
            process.wait(10)
    line.work(until=400)
    assert line.rows(COUNT) == [{"orders": 400, "distinct_orders": 400}]
    orphans = (
        "SELECT count(*) AS n FROM {recommendations} AS a LEFT ANTI JOIN {runs} AS r ON r.run_id = a.run_id"
    )
    assert line.rows(orphans) == [{"n": 0}]


def test_two_recommenders_side_by_side_write_one_row_an_order(line: Line):
    line.deliver_usual(120)
    line.begin()
    other = Line(line.client, line.names.catalog)
    beside = threading.Thread(target=lambda: other.work(until=100))
    beside.start()
    line.work(until=100)
    beside.join()
    other.close()
    line.work(until=120)
    assert line.rows(COUNT) == [{"orders": 120, "distinct_orders": 120}]


def test_a_model_that_is_down_leaves_no_trace(line: Line):
    line.deliver_usual(5)
    with ModelServer(lambda _: Reply(503)) as model:
        name = external_endpoint(line.client, f"down-{line.names.catalog}".replace("_", "-"), model)
        with pytest.raises(Unavailable, match="does not answer"):
            line.work(until=1, model=name)
    assert line.rows(COUNT)[0]["orders"] == 0


def test_a_model_that_refuses_everything_is_not_recorded_for_ever(line: Line):
    line.deliver_usual(20)
    with ModelServer(lambda _: Reply(400, {"error": {"message": "no tools"}})) as model:
        name = external_endpoint(line.client, f"refuses-{line.names.catalog}".replace("_", "-"), model)
        with pytest.raises(Unavailable, match="one order after the other"):
            line.work(until=20, model=name)
    assert line.rows(COUNT)[0]["orders"] <= 4


def test_an_endpoint_that_is_an_agent_gets_the_order_alone(line: Line):
    line.deliver_usual(4)
    said = '{"refund_usd": 0, "refund_class": "none", "reason": "In time."}'
    with ModelServer(lambda _: completion(said)) as model:
        name = external_endpoint(line.client, f"agent-{line.names.catalog}".replace("_", "-"), model)
        done = line.work(until=4, endpoint=name)
        assert done.progress["by_origin"] == {"model": 4}
        assert {len(call["messages"]) for call in model.calls} == {1}
        assert "of location 1." in model.calls[0]["messages"][0]["content"]


def test_orders_that_make_no_sense_are_refused(line: Line):
    with pytest.raises(Invalid, match="calls_in_flight"):
        line.work(until=1, calls_in_flight=0)
    with pytest.raises(Invalid, match="neither a model nor an endpoint"):
        line.work(until=1, model="")
