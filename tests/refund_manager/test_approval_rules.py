"""The rules of deciding, with anything at all: money stays within the order, and two people are two people."""

from decimal import Decimal
from typing import Any

import pytest
from caspers.errors import CaspersError
from caspers.review.rules import BreaksRule, NeedsAnotherPerson
from hypothesis import given
from hypothesis import strategies as st
from refund_manager.approval_rules import (
    Asked,
    Case,
    Policy,
    Verdict,
    approved_by_policy,
    judge,
    misfit,
)

CLASSES = st.sampled_from(["none", "partial", "full"])
DOLLARS = st.decimals(min_value=0, max_value=300, places=2)
ANY_AMOUNT = st.decimals(allow_nan=True, allow_infinity=True) | DOLLARS


def case(**known: Any) -> Case:
    """A pending case: the rules recommend $5 back on an order of $20."""
    values: dict[str, Any] = dict.fromkeys(Case.__dataclass_fields__) | {
        "order_id": "a", "version": 1, "status": "pending", "round": 0, "order_total": Decimal(20),
        "refund_usd": Decimal(5), "refund_class": "partial", "origin": "rules",
    }  # fmt: skip
    return Case(**(values | known))


def policy(**known: Any) -> Policy:
    values: dict[str, Any] = {
        "version": 1, "enabled": True, "approve_below_usd": Decimal(10), "approve_classes": ("partial",),
        "approve_origins": ("rules",), "second_person_above_usd": Decimal(100),
    }  # fmt: skip
    return Policy(**(values | known))


CASES = st.builds(
    case,
    status=st.sampled_from(["pending", "pending", "second"]),
    round=st.integers(0, 2),
    order_total=st.none() | DOLLARS,
    refund_usd=st.none() | ANY_AMOUNT,
    refund_class=st.none() | CLASSES,
    origin=st.sampled_from(["model", "rules", "error"]),
    decided_by=st.just("ada"),
    final_usd=DOLLARS,
    final_class=CLASSES,
)
ASKED = st.builds(
    Asked,
    st.sampled_from(["accept", "change", "refuse", "confirm"]),
    st.none() | ANY_AMOUNT,
    st.none() | CLASSES,
    st.none() | st.sampled_from(["goodwill", "other"]),
    st.text(max_size=5),
)
POLICIES = st.builds(
    policy,
    enabled=st.booleans(),
    approve_below_usd=DOLLARS,
    approve_classes=st.lists(CLASSES).map(tuple),
    approve_origins=st.lists(st.sampled_from(["model", "rules", "error"])).map(tuple),
    second_person_above_usd=DOLLARS,
)


def judged(case: Case, asked: Asked, person: str, policy: Policy) -> Verdict | None:
    """The verdict, or None where a rule is broken; anything else that is raised fails the test."""
    try:
        return judge(case, asked, person, policy)
    except CaspersError:
        return None


@given(CASES, ASKED, st.sampled_from(["ada", "bob"]), POLICIES)
def test_whatever_is_asked_a_first_refund_fits_its_order(
    case: Case, asked: Asked, person: str, policy: Policy
):
    verdict = judged(case, asked, person, policy)
    if verdict is not None and verdict.step == "first":
        assert misfit(case, verdict.refund_usd, verdict.refund_class) is None
        assert 0 <= verdict.refund_usd <= (case.order_total or 0)
        # A signalling NaN cannot even be compared; it is no amount, so any other differs from it.
        said = None if case.refund_usd is None or not case.refund_usd.is_finite() else case.refund_usd
        differs = (verdict.refund_usd, verdict.refund_class) != (said, case.refund_class)
        assert asked.reason_code or not differs


@given(CASES, ASKED, st.sampled_from(["ada", "bob"]), POLICIES)
def test_no_one_person_pays_more_than_the_limit(case: Case, asked: Asked, person: str, policy: Policy):
    verdict = judged(case, asked, person, policy)
    if verdict is not None and verdict.step == "first":
        assert (verdict.status == "second") == (verdict.refund_usd > policy.second_person_above_usd)
    elif verdict is not None:
        assert person != case.decided_by
        assert (verdict.refund_usd, verdict.refund_class) in {(case.final_usd, case.final_class), (0, "none")}


@given(CASES, POLICIES)
def test_the_policy_approves_only_what_it_lists_and_what_fits(case: Case, policy: Policy):
    verdict = approved_by_policy(case, policy)
    if verdict is not None:
        assert policy.enabled
        assert case.status == "pending"
        assert case.origin != "error"
        assert verdict.refund_usd < policy.approve_below_usd
        assert verdict.refund_class in policy.approve_classes
        assert case.origin in policy.approve_origins
        assert judge(case, Asked("accept"), "ada", policy) == verdict


@pytest.mark.parametrize(
    ("known", "asked", "why"),
    [
        ({}, Asked("confirm"), "nothing to confirm"),
        ({}, Asked("change"), "names the amount"),
        ({}, Asked("change", Decimal("20.01"), reason_code="goodwill"), "more than the order cost"),
        ({}, Asked("change", Decimal("1.005"), reason_code="goodwill"), "whole cents"),
        ({}, Asked("change", Decimal(-1), reason_code="goodwill"), "0 or more"),
        ({}, Asked("change", Decimal(5), "full", "goodwill"), "not of the class 'full'"),
        ({}, Asked("change", Decimal(6)), "needs a reason code"),
        ({}, Asked("change", Decimal(6), reason_code="other", note=" "), "needs a note"),
        ({}, Asked("refuse"), "needs a reason code"),
        ({}, Asked("accept", Decimal(0)), "what is accepted is what the agent recommends"),
        ({"order_total": None}, Asked("accept"), "is not known"),
        ({"refund_usd": Decimal(21)}, Asked("accept"), "more than the order cost"),
        ({"status": "second", "decided_by": "bob"}, Asked("accept"), "confirms or refuses"),
    ],
)
def test_each_broken_rule_is_named(known: dict[str, Any], asked: Asked, why: str):
    with pytest.raises(BreaksRule, match=why):
        judge(case(final_usd=Decimal(5), final_class="partial", **known), asked, "ada", policy())


def test_refusing_what_the_agent_refuses_needs_no_reason():
    verdict = judge(case(refund_usd=Decimal(0), refund_class="none"), Asked("refuse"), "ada", policy())
    assert (verdict.refund_usd, verdict.status) == (0, "decided")


def test_the_first_person_is_never_the_second():
    second = case(status="second", decided_by="ada", final_usd=Decimal(5), final_class="partial")
    with pytest.raises(NeedsAnotherPerson):
        judge(second, Asked("confirm"), "ada", policy())
