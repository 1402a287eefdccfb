"""The policy at work: versions, what it approves by itself, and the switch that stops it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from caspers.clients.postgres import Postgres
from caspers.clock import ManualClock
from caspers.review.decisions import Ballot
from caspers.worker.step import StepContext
from refund_manager.approval_policy import Limits
from refund_manager.approval_rules import Asked
from refund_manager.desk import Desk, open_desk

from tests.support.refunds import NOW, arrive, take_in, usual

LIMITS = Limits(
    explanation="small ones need no person",
    enabled=True,
    approve_below_usd=Decimal(6),
    approve_classes=("partial",),
    approve_origins=("rules",),
    second_person_above_usd=Decimal(100),
)


@pytest.fixture
def desk(database: Postgres) -> Desk:
    return open_desk(database, ManualClock(NOW))


def decided(desk: Desk) -> list[Any]:
    with desk.database.reading() as reader:
        return reader.rows(
            "SELECT order_id, decided_by, by, policy_version FROM refunds.refund_decisions ORDER BY order_id"
        )


def test_the_first_policy_leaves_everything_to_people(desk: Desk):
    arrive(desk.database, [usual("a")])
    take_in(desk.database)
    assert desk.policy.approve_pending() == 0
    assert desk.policy.versions()[0].version == 1


def test_intake_lets_the_policy_decide_at_once_and_names_its_version(desk: Desk):
    arrive(desk.database, [usual("a")])
    desk.policy.follow_with(LIMITS, "ada")
    outcome = desk.intake.step({}, StepContext(1, ManualClock(NOW), lambda _: None))
    assert outcome.progress["approved"] == 1
    assert [tuple(row) for row in decided(desk)] == [("a", "policy 2", "policy", 2)]


@pytest.mark.parametrize(
    "other",
    [
        {"refund_usd": 6},
        {"refund_usd": 5, "order_total": 4},
        {"order_total": None},
        {"origin": "model"},
        {"origin": "error"},
        {"refund_class": "full", "order_total": 5},
    ],
    ids=str,
)
def test_what_the_policy_does_not_cover_waits_for_a_person(desk: Desk, other: dict[str, Any]):
    arrive(desk.database, [usual("a", **other)])
    take_in(desk.database)
    desk.policy.follow_with(LIMITS, "ada")
    assert desk.policy.approve_pending() == 0


def test_a_case_that_a_person_has_claimed_is_left_to_them(desk: Desk):
    arrive(desk.database, [usual("a")])
    take_in(desk.database)
    with desk.database.transaction() as writer:
        desk.claims.take(writer, "a", "bob", NOW)
    desk.policy.follow_with(LIMITS, "ada")
    assert desk.policy.approve_pending() == 0


def test_what_a_person_took_back_is_not_approved_again(desk: Desk):
    arrive(desk.database, [usual("a")])
    take_in(desk.database)
    desk.policy.follow_with(LIMITS, "ada")
    assert desk.policy.approve_pending() == 1
    with desk.database.reading() as reader:
        said = reader.row("SELECT decision_id FROM refunds.refund_decisions")
    assert said is not None
    desk.decisions.undo(str(said.decision_id), "bob")
    assert desk.policy.approve_pending() == 0


def test_after_the_switch_nothing_more_is_approved(desk: Desk):
    desk.policy.follow_with(LIMITS, "ada")
    killed = desk.policy.kill("bob")
    arrive(desk.database, [usual("a")])
    take_in(desk.database)
    assert desk.policy.approve_pending() == 0
    assert (killed.version, killed.limits) == (3, replace(LIMITS, enabled=False, explanation="Switched off."))
    assert desk.policy.kill("bob") == killed


def test_decisions_of_people_name_the_policy_in_force(desk: Desk):
    arrive(desk.database, [usual("a")])
    take_in(desk.database)
    desk.policy.follow_with(replace(LIMITS, enabled=False, second_person_above_usd=Decimal(1)), "ada")
    said = desk.decisions.decide(Ballot("a", 1, "ada"), Asked("accept")).decision
    assert said["policy_version"] == 2
    with desk.database.reading() as reader:
        case = reader.row("SELECT status FROM refunds.cases")
    assert case is not None
    assert case.status == "second"


def test_older_versions_stay_in_the_record(desk: Desk):
    desk.policy.follow_with(LIMITS, "ada")
    desk.policy.follow_with(replace(LIMITS, approve_below_usd=Decimal(2)), "bob")
    assert [(v.version, v.created_by) for v in desk.policy.versions()] == [
        (3, "bob"),
        (2, "ada"),
        (1, "casper"),
    ]
