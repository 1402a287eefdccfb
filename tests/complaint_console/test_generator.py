"""The generator over real tables: every order that complains does so once, whatever is killed or said."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from caspers.agents.lots import lot, lots_below
from caspers.errors import Invalid, Unavailable
from complaint_console.complaint_mix import COMPLAINS, plan_of
from complaint_console.raw_complaints import NOBODY, complaint_id

from tests.complaint_console.complaint_line import ComplaintLine
from tests.refund_manager.line import NOON, Order
from tests.support.model_server import ModelServer, Reply, completion, external_endpoint
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def line(workspace: LocalWorkspace, catalog: str) -> Iterator[ComplaintLine]:
    """The tables of a line, without orders."""
    built = ComplaintLine(workspace.client, catalog).build()
    yield built
    built.close()


def ids(line: ComplaintLine) -> list[str]:
    """The orders that complained, sorted."""
    return sorted(row["order_id"] for row in line.complaints())


def complaining(orders: list[str], rate: float) -> list[str]:
    """Those that complain at this rate."""
    return [order for order in orders if lot(COMPLAINS, order) < lots_below(rate)]


def test_a_complaint_says_what_its_order_was(line: ComplaintLine):
    line.deliver_usual(50)
    done = line.complain(until=50)
    assert done.progress["by_origin"] == {"rules": 50}
    for row in line.complaints():
        assert row["complaint_category"] == plan_of(row["order_id"]).category
        assert row["complaint_id"] == complaint_id(row["order_id"])
        assert (row["location"], row["customer_addr"]) == ("Chicago", "1 Elm St")
        assert row["generated_by"] == "rules-1"
    run = line.rows("SELECT * FROM {runs} WHERE run_id = :id", id=line.complaints()[0]["run_id"])[0]
    assert (run["agent"], run["outcome"]) == ("complaint_writer", "answered")


def test_the_orders_that_complain_are_those_of_the_rate(line: ComplaintLine):
    history = [f"U{n}" for n in range(1, 301)]
    live = [f"L{n}" for n in range(1, 301)]
    line.deliver_usual(300)
    line.begin()
    line.deliver([Order(order, placed=NOON + timedelta(days=1)) for order in live])
    wanted = sorted([*complaining(live, 0.2), *complaining(history, 0.2 * 0.5)])
    line.complain(until=len(wanted), rate=0.2, history_share=0.5)
    assert ids(line) == wanted
    again = line.complain(until=0, rate=0.2, history_share=0.5)
    assert again.progress["pending_history"] == 0


def test_an_order_whose_items_are_never_known_complains_all_the_same(line: ComplaintLine):
    line.deliver([Order("LOST", items=()), Order("B", placed=Order("").placed.replace(hour=20))])
    line.complain(until=1)
    assert ids(line) == ["B"]
    line.complain(until=2, worker=line.generator(timedelta(0)))
    row = line.complaints("order_id = 'LOST'")[0]
    assert (row["generated_by"], row["location"]) == (NOBODY, None)
    assert "LOST" in row["complaint_text"]


def test_killed_at_any_moment_every_order_has_one_complaint(line: ComplaintLine, workspace: LocalWorkspace):
    line.deliver_usual(400)
    command = [sys.executable, "-m", "tests.complaint_console.complaint_line"]
    for kill_after in (1, 120, 250):
        process = subprocess.Popen([*command, workspace.url, workspace.token, line.names.catalog], cwd=ROOT)
        try:
            wait_for(lambda n=kill_after: len(ids(line)) >= n, seconds=60, what="some are written")
        finally:
            process.kill()
            process.wait(10)
    line.complain(until=400)
    assert ids(line) == sorted(f"U{n}" for n in range(1, 401))
    known = {row["run_id"] for row in line.rows("SELECT run_id FROM {runs}")}
    assert {row["run_id"] for row in line.complaints()} <= known


def test_two_generators_side_by_side_write_one_complaint_an_order(line: ComplaintLine):
    line.deliver_usual(120)
    line.begin()
    other = ComplaintLine(line.client, line.names.catalog)
    beside = threading.Thread(target=lambda: other.complain(until=100))
    beside.start()
    line.complain(until=100)
    beside.join()
    other.close()
    line.complain(until=120)
    assert ids(line) == sorted(f"U{n}" for n in range(1, 121))


def test_a_model_that_is_down_leaves_no_complaint(line: ComplaintLine):
    line.deliver_usual(5)
    with ModelServer(lambda _: Reply(503)) as model:
        name = external_endpoint(line.client, f"down-{line.names.catalog}".replace("_", "-"), model)
        with pytest.raises(Unavailable, match="does not answer"):
            line.complain(until=1, model=name)
    assert line.complaints() == []


def test_a_model_that_talks_rubbish_is_replaced_by_the_plainest_words(line: ComplaintLine):
    line.deliver_usual(4)
    with ModelServer(lambda _: completion("Sure! Here is a complaint.")) as model:
        name = external_endpoint(line.client, f"rubbish-{line.names.catalog}".replace("_", "-"), model)
        done = line.complain(until=4, model=name)
    assert done.progress["by_origin"] == {"error": 4}
    assert all(row["order_id"] in row["complaint_text"] for row in line.complaints())
    assert {row["generated_by"] for row in line.complaints()} == {NOBODY}


def test_a_models_own_words_are_kept_as_they_are(line: ComplaintLine):
    line.deliver([Order("A-1")])
    said = 'A-1 / 1-A: it\'s late \N{ANGRY FACE} "quoted" \\ \n and missing'
    with ModelServer(lambda _: completion(json.dumps({"text": said}))) as model:
        name = external_endpoint(line.client, f"own-{line.names.catalog}".replace("_", "-"), model)
        line.complain(until=1, model=name)
    assert [row["complaint_text"] for row in line.complaints()] == [said]


def test_orders_that_make_no_sense_are_refused(line: ComplaintLine):
    with pytest.raises(Invalid, match="rate"):
        line.complain(until=1, rate=1.5)
    with pytest.raises(Invalid, match="neither a model nor an endpoint"):
        line.complain(until=1, model="")
