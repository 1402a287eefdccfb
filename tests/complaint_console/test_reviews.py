"""Reviewing over HTTP: credits within the rules, replies recorded, two people for large ones, undo, one winner."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.support.complaints import arrive, console, escalated, take_in, usual
from tests.support.refunds import reviewer

Answer = httpx.Response


@pytest.fixture
def client(database: Postgres) -> Iterator[httpx.Client]:
    """A console with a usual case "a", an expensive one "big" and an escalated one "person"."""
    rows = [usual("a"), usual("big", credit_amount=80, order_total=100), escalated("person", "urgent")]
    arrive(database, rows)
    take_in(database)
    with console(database) as served:
        yield served.client


def review(client: httpx.Client, complaint_id: str, action: str, who: str = "ada", **more: Any) -> Answer:
    headers = reviewer(who) | more.pop("headers", {})
    body = {"complaint_id": complaint_id, "version": 1, "action": action, **more}
    return client.post("/api/decisions", json=body, headers=headers)


def case(client: httpx.Client, complaint_id: str = "a") -> dict[str, Any]:
    return client.get(f"/api/cases/{complaint_id}", headers=reviewer("ada")).json()["case"]


def test_approving_credits_what_was_suggested_and_sends_the_drafted_reply(client: httpx.Client):
    answer = review(client, "a", "approve")
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert (said["credit_usd"], said["outcome"], said["agent_usd"]) == (5.0, "credited", 5.0)
    assert said["reply"] == "We are sorry. This is what we do about it."
    assert (case(client)["status"], case(client)["final_outcome"]) == ("decided", "credited")


def test_an_edited_reply_and_another_category_are_recorded(client: httpx.Client):
    change = {
        "credit_usd": 6.5,
        "category": "missing_items",
        "reply": "Sorry!",
        "reason_code": "wrong_category",
    }
    said = review(client, "a", "change", **change).json()
    assert (said["complaint_category"], said["agent_category"]) == ("missing_items", "food_quality")
    assert (said["reply"], said["credit_usd"]) == ("Sorry!", 6.5)


@pytest.mark.parametrize(
    ("action", "more", "outcome"),
    [
        ("escalate", {"priority": "urgent", "reason_code": "worse_than_it_looks"}, "escalated"),
        ("ask", {"reply": "Which item was cold?"}, "asked"),
        ("close", {"reason_code": "repeated_claims"}, "closed"),
        ("decline", {"reply": "We are sorry, but no.", "reason_code": "not_our_fault"}, "declined"),
    ],
)
def test_other_ways_to_decide_pay_nothing(
    client: httpx.Client, action: str, more: dict[str, Any], outcome: str
):
    said = review(client, "a", action, **more)
    assert said.status_code == 201, said.text
    assert (said.json()["outcome"], said.json()["credit_usd"]) == (outcome, 0.0)


@pytest.mark.parametrize(
    ("complaint_id", "action", "more", "why"),
    [
        ("person", "approve", {}, "suggests no credit"),
        ("a", "approve", {"credit_usd": 6}, "another amount is a change"),
        (
            "a",
            "change",
            {"credit_usd": 21, "reply": "x", "reason_code": "goodwill"},
            "more than the order cost",
        ),
        ("a", "change", {"credit_usd": 6, "reply": "x"}, "needs a reason code"),
        ("a", "change", {"credit_usd": 6, "reason_code": "goodwill"}, "write the reply"),
        ("a", "decline", {"reply": "no", "reason_code": "other"}, "needs a note"),
        ("a", "escalate", {"reason_code": "goodwill"}, "standard or urgent"),
        ("a", "ask", {}, "write the reply"),
        ("a", "confirm", {}, "nothing to confirm"),
    ],
)
def test_what_breaks_a_rule_is_refused_in_words(
    client: httpx.Client, complaint_id: str, action: str, more: dict[str, Any], why: str
):
    refused = review(client, complaint_id, action, **more)
    assert refused.status_code == 422
    assert why in refused.json()["detail"]


def test_a_large_credit_waits_for_another_person(client: httpx.Client):
    review(client, "big", "approve")
    assert case(client, "big")["status"] == "second"
    assert review(client, "big", "confirm", version=2).status_code == 403
    assert review(client, "big", "confirm", "bob", version=2).json()["credit_usd"] == 80.0
    assert case(client, "big")["status"] == "decided"


def test_of_many_reviewers_at_once_one_wins_and_the_others_learn_who(client: httpx.Client):
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda n: review(client, "a", "approve", f"p{n}"), range(8)))
    winners = [answer for answer in answers if answer.status_code == 201]
    assert len(winners) == 1
    told = {answer.json()["winner"]["decided_by"] for answer in answers if answer.status_code == 409}
    assert told == {winners[0].json()["decided_by"]}


def test_the_same_request_with_the_same_key_is_one_review(client: httpx.Client):
    first, second = (review(client, "a", "approve", headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_undoing_opens_the_case_again_and_stays_in_the_history(client: httpx.Client):
    said = review(client, "a", "approve").json()
    undone = client.post(f"/api/decisions/{said['decision_id']}/undo", json={}, headers=reviewer("bob"))
    assert undone.json()["outcome"] == "undone"
    assert (case(client)["status"], case(client)["version"]) == ("pending", 3)
    shown = client.get("/api/history").json()["decisions"]
    assert [(row["action"], row["undone"]) for row in shown] == [("undo", False), ("approve", True)]
    assert shown[0]["order_id"] == "order-a"


def test_history_is_filtered_and_exported(client: httpx.Client):
    review(client, "a", "approve")
    review(client, "person", "ask", reply="=1+1 what happened?")
    asked = client.get("/api/history", params={"outcome": "asked"}).json()["decisions"]
    assert [row["complaint_id"] for row in asked] == ["person"]
    exported = client.get("/api/history/export", params={"format": "csv"}).text
    assert "'=1+1 what happened?" in exported
    assert exported.count("\r\n") == 3


def test_agreement_compares_what_people_decided_with_the_triage(client: httpx.Client):
    review(client, "a", "approve")
    review(client, "person", "change", credit_usd=2, reply="Here.", reason_code="goodwill")
    overall = client.get("/api/agreement").json()["origins"][0]["overall"]
    cells = {(cell["agent_class"], cell["person_class"]) for cell in overall["matrix"]}
    assert cells == {("credit", "credit"), ("person", "credit")}


def test_claims_drafts_and_ratings_work_as_for_refunds(client: httpx.Client):
    ada, bob = reviewer("ada"), reviewer("bob")
    assert client.post("/api/cases/a/claim", headers=ada).status_code == 200
    assert client.post("/api/cases/a/claim", headers=bob).status_code == 409
    assert review(client, "a", "approve", "bob").status_code == 409
    kept = client.put("/api/cases/a/draft", headers=ada, json={"version": 1, "reply": "Dear"}).json()
    assert kept == {"version": 1, "stale": False}
    assert client.post("/api/cases/a/rating", headers=ada, json={"helpful": True}).status_code == 201
    assert client.get("/api/ratings/export").json()["answer"]["credit_amount"] == 5


def test_a_new_policy_changes_who_must_agree(client: httpx.Client):
    limits = {"second_person_above_usd": 4, "explanation": "Every credit counts today."}
    assert client.post("/api/policy", json=limits, headers=reviewer("ada")).json()["version"] == 2
    review(client, "a", "approve")
    assert case(client)["status"] == "second"
