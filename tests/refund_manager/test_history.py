"""The record of decisions over HTTP: filters, paging, export, agreement; nothing that was decided is lost or doubled."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from caspers.clients.postgres import Postgres

from tests.caspers.serving import Served
from tests.support.refunds import NOW, arrive, console, recommendations, reviewer, take_in

Case = dict[str, Any]


@pytest.fixture
def served(database: Postgres) -> Iterator[Served]:
    """The console with 60 cases, and the addresses under test."""
    arrive(database, recommendations(60, seed=11))
    take_in(database)
    with console(database) as running:
        yield running


def cases(served: Served, **filters: Any) -> list[Case]:
    """Cases of the queue."""
    answer = served.client.get("/api/queue", params={"limit": 200, "status": "all", **filters})
    assert answer.status_code == 200, answer.text
    return answer.json()["cases"]


def decide(
    served: Served, case: Case, who: str = "ada", action: str = "accept", **more: Any
) -> dict[str, Any]:
    """A decision through the API."""
    asked = {"order_id": case["order_id"], "version": case["version"], "action": action, **more}
    answer = served.client.post("/api/decisions", json=asked, headers=reviewer(who))
    assert answer.status_code == 201, answer.text
    return answer.json()


def usable(served: Served) -> list[Case]:
    """Cases whose recommendation is no error."""
    return [case for case in cases(served) if case["origin"] != "error"]


def history(served: Served, **question: Any) -> dict[str, Any]:
    answer = served.client.get("/api/history", params=question)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_decision_is_shown_beside_what_the_agent_had_said(served: Served):
    case = cases(served, refund_class="partial")[0]
    decide(served, case, action="refuse", reason_code="goodwill", note="They were rude")
    (shown,) = history(served)["decisions"]
    assert (shown["order_id"], shown["decided_by"]) == (case["order_id"], "ada@example.com")
    assert (shown["action"], shown["refund_usd"], shown["refund_class"]) == ("refuse", 0.0, "none")
    assert (shown["agent_usd"], shown["agent_class"]) == (case["refund_usd"], "partial")
    assert (shown["reason_code"], shown["note"], shown["undone"]) == ("goodwill", "They were rude", False)


def test_an_undone_decision_stays_in_the_record_and_says_so(served: Served):
    decision = decide(served, usable(served)[0])
    undo = served.client.post(
        f"/api/decisions/{decision['decision_id']}/undo", json={}, headers=reviewer("bob")
    )
    assert undo.status_code == 201
    shown = history(served)["decisions"]
    assert [(entry["action"], entry["undone"]) for entry in shown] == [("undo", False), ("accept", True)]


@pytest.mark.parametrize("limit", [1, 7, 30])
def test_pages_of_any_size_show_every_decision_once(served: Served, limit: int):
    decided = [decide(served, case)["decision_id"] for case in usable(served)[:30]]
    seen: list[str] = []
    after = None
    while True:
        page = history(served, limit=limit, **({"after": after} if after else {}))
        seen += [entry["decision_id"] for entry in page["decisions"]]
        after = page["next"]
        if after is None:
            break
    assert seen == decided[::-1]


def test_filters_narrow_the_history_to_what_they_say(served: Served):
    first, second, third = usable(served)[:3]
    decide(served, first, "ada")
    decide(served, second, "bob", note="100% sure_thing")
    decide(served, third, "bob")
    found = {
        "person": history(served, decided_by="bob@example.com"),
        "text": history(served, text="100% SURE_"),
        "location": history(served, location_id=first["location_id"], text=first["order_id"]),
        "later": history(served, **{"from": "2999-01-01T00:00:00Z"}),
        "empty": history(served, decided_by="", text="", action="accept"),
    }
    orders = {name: {entry["order_id"] for entry in page["decisions"]} for name, page in found.items()}
    assert orders["person"] == {second["order_id"], third["order_id"]}
    assert orders["text"] == {second["order_id"]}
    assert orders["location"] == {first["order_id"]}
    assert orders["later"] == set()
    assert len(orders["empty"]) == 3


def test_an_export_has_the_filters_of_the_list(served: Served):
    for case, who in zip(usable(served)[:6], ["ada", "bob"] * 3, strict=True):
        decide(served, case, who, note="=HYPERLINK(1)")
    asked = {"decided_by": "bob@example.com"}
    as_csv = served.client.get("/api/history/export", params={"format": "csv", **asked})
    as_lines = served.client.get("/api/history/export", params={"format": "jsonl", **asked})
    rows = list(csv.DictReader(StringIO(as_csv.text, newline="")))
    lines = [json.loads(line) for line in as_lines.text.splitlines()]
    assert as_csv.headers["content-disposition"] == 'attachment; filename="decisions.csv"'
    assert [row["decision_id"] for row in rows] == [line["decision_id"] for line in lines]
    assert len(lines) == 3
    assert {row["note"] for row in rows} == {"'=HYPERLINK(1)"}
    assert {line["note"] for line in lines} == {"=HYPERLINK(1)"}


def test_an_export_over_several_pieces_misses_nothing(database: Postgres):
    arrive(database, recommendations(2_500, seed=3))
    take_in(database)
    with database.transaction() as writer:
        writer.execute(_DECIDE_ALL, at=NOW)
    with console(database) as served:
        lines = served.client.get("/api/history/export", params={"format": "jsonl"}).text.splitlines()
    assert len({json.loads(line)["decision_id"] for line in lines}) == len(lines) == 2_500


# Many decisions of the very same moment: the hardest case for paging by moment and id.
_DECIDE_ALL = """
INSERT INTO refunds.refund_decisions (decision_id, order_id, round, step, case_version, action, refund_usd,
    refund_class, decided_by, decided_at, by, policy_version, agent_origin)
SELECT gen_random_uuid(), order_id, 0, 'first', version, 'refuse', 0, 'none', 'ada@example.com', :at, 'person', 1, origin
  FROM refunds.cases
"""


@pytest.mark.parametrize(
    "question",
    [
        {"after": "rubbish"},
        {"after": "WyJkZWNpZGVkIiwgIngiLCAieSJd"},
        {"limit": 0},
        {"action": "pay"},
        {"text": "\0"},
        {"from": "yesterday"},
        {"location_id": 2**40},
    ],
)
def test_a_question_that_makes_no_sense_is_refused_in_words(served: Served, question: dict[str, Any]):
    for address in ("/api/history", "/api/history/export"):
        answer = served.client.get(address, params=question)
        if address == "/api/history" or not {"after", "limit"} & question.keys():
            assert answer.status_code == 422, answer.text


def test_agreement_counts_standing_decisions_of_persons_by_origin(served: Served):
    rules = [case for case in cases(served, origin="rules") if case["refund_class"] == "partial"]
    model = cases(served, origin="model")
    undone = decide(served, model[1])
    served.client.post(f"/api/decisions/{undone['decision_id']}/undo", json={}, headers=reviewer("bob"))
    decide(served, model[0])
    decide(served, rules[0])
    decide(served, rules[1], action="refuse", reason_code="goodwill")
    said = served.client.get("/api/agreement", params={"by": "location"}).json()
    by_origin = {group["origin"]: group["overall"] for group in said["origins"]}
    assert {origin: overall["cases"] for origin, overall in by_origin.items()} == {"model": 1, "rules": 2}
    assert by_origin["rules"]["observed"] == 0.5
    assert by_origin["rules"]["under_usd"] == rules[1]["refund_usd"]
    assert {(cell["agent_class"], cell["person_class"]) for cell in by_origin["rules"]["matrix"]} == {
        ("partial", "partial"),
        ("partial", "none"),
    }


def test_decisions_about_failed_recommendations_are_left_out_and_counted(served: Served):
    failed = cases(served, origin="error")
    assert failed, "the made-up recommendations hold a failed one"
    decide(served, failed[0], action="refuse", reason_code="no_usable_answer")
    said = served.client.get("/api/agreement").json()
    assert (said["origins"], said["errors_left_out"]) == ([], 1)


@pytest.mark.parametrize("by", ["class", "location", "version", "origin"])
def test_the_groups_of_an_origin_add_up_to_its_whole(served: Served, by: str):
    for case in usable(served)[:20]:
        decide(served, case)
    for origin in served.client.get("/api/agreement", params={"by": by}).json()["origins"]:
        assert sum(group["agreement"]["cases"] for group in origin["groups"]) == origin["overall"]["cases"]
