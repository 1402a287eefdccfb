"""Ratings of the agent's answers, and the evaluation set that they make."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from caspers.clients.postgres import Postgres

from tests.caspers.serving import Served
from tests.refund_manager.test_history import cases, decide, usable
from tests.support.refunds import arrive, console, recommendations, reviewer, take_in


@pytest.fixture
def served(database: Postgres) -> Iterator[Served]:
    """The console with ten cases."""
    arrive(database, recommendations(10, seed=2))
    take_in(database)
    with console(database) as running:
        yield running


def rate(served: Served, order_id: str, who: str, **rating: Any) -> Any:
    return served.client.post(f"/api/cases/{order_id}/rating", json=rating, headers=reviewer(who))


def exported(served: Served) -> list[dict[str, Any]]:
    return [json.loads(line) for line in served.client.get("/api/ratings/export").text.splitlines()]


def test_a_rating_is_recorded_with_the_run_and_the_person(served: Served):
    case = usable(served)[0]
    answer = rate(served, case["order_id"], "ada", helpful=True, reason="Clear and right")
    assert answer.status_code == 201
    said = answer.json()
    assert (said["rated_by"], said["helpful"], said["reason"]) == ("ada@example.com", True, "Clear and right")
    assert said["run_id"].startswith("run-")


def test_the_latest_word_of_a_person_counts(served: Served):
    order_id = usable(served)[0]["order_id"]
    rate(served, order_id, "ada", helpful=True)
    rate(served, order_id, "ada", helpful=False, reason="On second thought: wrong")
    rate(served, order_id, "bob", helpful=True)
    said = {example["rating"]["rated_by"]: example["rating"]["helpful"] for example in exported(served)}
    assert said == {"ada@example.com": False, "bob@example.com": True}
    assert len(exported(served)) == 2


def test_an_example_holds_facts_answer_decision_and_rating(served: Served):
    case = usable(served)[0]
    decide(served, case)
    rate(served, case["order_id"], "ada", helpful=True)
    (example,) = exported(served)
    assert example["input"]["delivery_minutes"] == case["delivery_minutes"]
    assert example["answer"]["refund_usd"] == case["refund_usd"]
    assert example["decision"]["refund_class"] == case["refund_class"]
    assert example["rating"]["helpful"] is True


def test_an_example_of_an_undecided_case_has_no_decision(served: Served):
    rate(served, cases(served)[0]["order_id"], "ada", helpful=True)
    assert exported(served)[0]["decision"] is None


@pytest.mark.parametrize(
    ("rating", "status"),
    [({"helpful": False}, 422), ({"helpful": False, "reason": "  "}, 422), ({"reason": "so so"}, 422)],
)
def test_an_unhelpful_answer_needs_a_reason(served: Served, rating: dict[str, Any], status: int):
    assert rate(served, cases(served)[0]["order_id"], "ada", **rating).status_code == status
    assert exported(served) == []


def test_a_rating_of_an_unknown_order_is_not_found(served: Served):
    assert rate(served, "no-such-order", "ada", helpful=True).status_code == 404


def test_nobody_rates_without_an_identity(served: Served):
    order_id = cases(served)[0]["order_id"]
    answer = served.client.post(f"/api/cases/{order_id}/rating", json={"helpful": True})
    assert answer.status_code == 403
