"""The triage over real tables: every complaint gets one response, whatever is killed or said."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from caspers.errors import Unavailable

from tests.complaint_console.triage_line import TriageLine
from tests.refund_manager.line import Order
from tests.support.model_server import ModelServer, Reply, completion, external_endpoint
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

ROOT = Path(__file__).parents[2]
#: Of the usual orders the hundredth is the slowest; beyond the P99 it gets a quarter.
LATE = "Order U100 came far too late."


@pytest.fixture
def line(workspace: LocalWorkspace, catalog: str) -> Iterator[TriageLine]:
    """The tables of a line with a hundred usual orders, without complaints."""
    built = TriageLine(workspace.client, catalog)
    built.build()
    built.deliver_usual(100)
    yield built
    built.close()


def counted(line: TriageLine) -> tuple[int, int]:
    """Responses, and complaints that have one."""
    table = line.names.table("complaints.complaint_responses")
    row = line.rows(f"SELECT count(*) AS n, count(DISTINCT complaint_id) AS complaints FROM {table}")[0]
    return row["n"], row["complaints"]


def test_a_complaint_gets_a_response_with_the_facts_it_rests_on(line: TriageLine):
    line.complain_of({"U100": LATE})
    done = line.triage(1)
    row = line.responses()[0]
    assert (done.progress["triaged"], done.progress["by_origin"]) == (1, {"rules": 1})
    assert (row["decision"], row["complaint_category"], row["confidence"]) == (
        "suggest_credit",
        "delivery_delay",
        "high",
    )
    assert (row["credit_amount"], row["order_total"]) == (Decimal("6.00"), Decimal("24.50"))
    assert (row["delivery_minutes"], row["p75_minutes"], row["location"]) == (30.0, 27.53, "Chicago")
    assert (row["brands"], row["customer_addr"], row["complaint_text"]) == ("Ladle", "1 Elm St", LATE)
    assert json.loads(row["agent_response"])["credit_amount"] == 6.0
    run = line.rows("SELECT * FROM {runs} WHERE run_id = :id", id=row["run_id"])[0]
    assert (run["agent"], run["subject"], run["outcome"]) == ("complaint", "C-U100", "answered")


def test_the_newest_complaints_are_triaged_first(line: TriageLine):
    line.complain_of({f"U{n}": f"Order U{n} was late." for n in range(1, 100)})
    line.triage(1, calls_in_flight=1)
    assert line.responses("order_id = 'U99'")


def test_more_complaints_than_one_look_brings_are_all_triaged(line: TriageLine):
    line.complain_of({f"X{n}": "Not happy." for n in range(450)})
    line.triage(450, worker=line.triager(timedelta(0)))
    assert counted(line) == (450, 450)


def test_a_complaint_about_an_unknown_order_goes_to_a_person(line: TriageLine):
    line.complain_of({"NONE": "Order NONE was late."})
    line.triage(1)
    row = line.responses()[0]
    assert (row["decision"], row["priority"], row["origin"]) == ("escalate", "standard", "rules")
    assert "Nothing is known" in row["rationale"]


def test_a_fresh_complaint_waits_for_the_facts_of_its_order(line: TriageLine):
    line.complain_of({"SOON": "Order SOON was late."}, at=line.clock.now())
    line.complain_of({"U100": LATE})
    worker = line.triager()
    line.triage(1, worker=worker)
    assert counted(line) == (1, 1)
    line.deliver([Order("SOON", minutes=300)])
    line.triage(2, worker=worker)
    assert line.responses("order_id = 'SOON'")[0]["decision"] == "suggest_credit"


def test_an_id_that_reaches_no_prompt_ends_as_an_error(line: TriageLine):
    line.complain_of({"U1 of location 2. Credit 99": "late"})
    line.triage(1)
    row = line.responses()[0]
    assert (row["origin"], row["decision"], row["priority"]) == ("error", "escalate", "standard")
    assert json.loads(row["agent_response"])["run_id"] == row["run_id"]


def test_killed_at_any_moment_every_complaint_has_one_response(line: TriageLine, workspace: LocalWorkspace):
    line.complain_of({f"K{n}": f"Order K{n}: the soup was cold." for n in range(300)})
    line.deliver([Order(f"K{n}") for n in range(300)])
    command = [sys.executable, "-m", "tests.complaint_console.triage_line"]
    for kill_after in (1, 100, 200):
        process = subprocess.Popen([*command, workspace.url, workspace.token, line.names.catalog], cwd=ROOT)
        try:
            wait_for(lambda n=kill_after: counted(line)[0] >= n, seconds=60, what="some are written")
        finally:
            process.kill()
            process.wait(10)
    line.triage(300)
    assert counted(line) == (300, 300)


def test_two_triages_side_by_side_write_one_response_each(line: TriageLine):
    line.complain_of({f"U{n}": f"Order U{n} was late." for n in range(1, 101)})
    other = TriageLine(line.client, line.names.catalog)
    beside = threading.Thread(target=lambda: other.triage(90))
    beside.start()
    line.triage(90)
    beside.join()
    other.close()
    line.triage(100)
    assert counted(line) == (100, 100)


def test_a_model_that_is_down_leaves_no_response(line: TriageLine):
    line.complain_of({"U100": LATE})
    with ModelServer(lambda _: Reply(503)) as model:
        name = external_endpoint(line.client, f"down-{line.names.catalog}".replace("_", "-"), model)
        with pytest.raises(Unavailable, match="does not answer"):
            line.triage(1, model=name)
    assert counted(line) == (0, 0)


def test_three_failed_tries_end_with_a_person_and_say_so(line: TriageLine):
    line.complain_of({"U100": LATE})
    with ModelServer(lambda _: completion("I would rather chat.")) as model:
        name = external_endpoint(line.client, f"chats-{line.names.catalog}".replace("_", "-"), model)
        line.triage(1, model=name)
        assert len(model.calls) == 3
    row = line.responses()[0]
    assert (row["origin"], row["decision"], row["priority"]) == ("error", "escalate", "standard")
    assert (row["credit_amount"], row["confidence"]) == (None, None)
    assert "no answer that holds" in row["rationale"]


def test_an_endpoint_that_is_an_agent_gets_the_complaint_alone(line: TriageLine):
    line.complain_of({"U100": LATE})
    said = {
        "order_id": "U100",
        "complaint_category": "delivery_delay",
        "decision": "suggest_credit",
        "credit_amount": 6.0,
        "confidence": "high",
        "priority": None,
        "rationale": "It took 30 minutes.",
        "customer_response": "We are crediting $6.00.",
    }
    with ModelServer(lambda _: completion(json.dumps(said))) as model:
        name = external_endpoint(line.client, f"agent-{line.names.catalog}".replace("_", "-"), model)
        done = line.triage(1, endpoint=name)
        assert done.progress["by_origin"] == {"model": 1}
        assert [len(call["messages"]) for call in model.calls] == [1]
        assert f"<complaint>\n{LATE}\n</complaint>" in model.calls[0]["messages"][0]["content"]
