"""What may be decided about a refund, by whom, and with what effect; pure.

Amounts are US dollars with two decimals. Nobody can refund more than the order cost; what differs from the agent's
recommendation says why; amounts above the policy's limit need two different people.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from caspers.review.rules import (
    BreaksRule,
    Lease,
    Origin,
    Status,
    Step,
    check_another_person,
    check_reason,
)

RefundClass = Literal["none", "partial", "full"]

Action = Literal["accept", "change", "refuse", "confirm"]
ReasonCode = Literal[
    "wrong_amount", "wrong_class", "late_for_good_reason", "worse_than_it_looks", "repeated_claims", "goodwill",
    "facts_are_wrong", "no_usable_answer", "other",
]  # fmt: skip

#: The fixed list of reasons, with the words that a page shows.
REASONS: dict[ReasonCode, str] = {
    "wrong_amount": "The amount is wrong",
    "wrong_class": "The class is wrong",
    "late_for_good_reason": "Late for a reason that is not ours",
    "worse_than_it_looks": "It was worse than the minutes say",
    "repeated_claims": "This customer claims too often",
    "goodwill": "Goodwill towards this customer",
    "facts_are_wrong": "The facts the agent used are wrong",
    "no_usable_answer": "The agent gave no usable answer",
    "other": "Something else (say what)",
}
assert set(REASONS) == set(get_args(ReasonCode))

NOTHING = Decimal("0.00")
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Case(Lease):
    """A case as decisions see it; the agent's numbers are None where it gave no usable answer."""

    order_id: str
    version: int
    status: Status
    round: int
    order_total: Decimal | None
    refund_usd: Decimal | None
    refund_class: RefundClass | None
    origin: Origin
    agent_version: str | None
    run_id: str | None
    decision_id: Any
    decided_by: str | None
    decided_at: datetime | None
    final_usd: Decimal | None
    final_class: RefundClass | None


@dataclass(frozen=True)
class Policy:
    """The limits of deciding. Origins "error" are never approved without a person, whatever a policy says."""

    version: int
    enabled: bool
    approve_below_usd: Decimal
    approve_classes: tuple[RefundClass, ...]
    approve_origins: tuple[Origin, ...]
    second_person_above_usd: Decimal


@dataclass(frozen=True)
class Asked:
    """What somebody wants to decide; amount and class are needed for a change only."""

    action: Action
    refund_usd: Decimal | None = None
    refund_class: RefundClass | None = None
    reason_code: ReasonCode | None = None
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a decision comes to: the refund, which step it is, and how the case stands after it."""

    refund_usd: Decimal
    refund_class: RefundClass
    step: Step
    status: Status


def judge(case: Case, asked: Asked, person: str, policy: Policy) -> Verdict:
    """What `person` decides about an undecided case. Raises `BreaksRule` or `NeedsAnotherPerson`."""
    if case.status == "second":
        return _second_step(case, asked, person)
    usd, refund_class = _first_amount(case, asked)
    _check_fit(case, usd, refund_class)
    if not _equal(usd, case.refund_usd) or refund_class != case.refund_class:
        check_reason(asked)
    needs_second = usd > policy.second_person_above_usd
    return Verdict(usd, refund_class, "first", "second" if needs_second else "decided")


def approved_by_policy(case: Case, policy: Policy) -> Verdict | None:
    """The decision that the policy takes on a pending case by itself, or None when a person has to look."""
    usd, refund_class = case.refund_usd, case.refund_class
    if not policy.enabled or usd is None or refund_class is None or case.status != "pending":
        return None
    if case.origin == "error" or case.round > 0 or misfit(case, usd, refund_class):
        return None
    listed = refund_class in policy.approve_classes and case.origin in policy.approve_origins
    small = usd < policy.approve_below_usd and usd <= policy.second_person_above_usd
    return Verdict(usd, refund_class, "first", "decided") if listed and small else None


def misfit(case: Case, usd: Decimal, refund_class: RefundClass) -> str | None:
    """Why this refund does not fit the order, or None when it does."""
    total = case.order_total
    if not usd.is_finite() or usd < 0:
        return "a refund is an amount of dollars, 0 or more"
    if total is None and usd > 0:
        return "what the order cost is not known, so nothing can be refunded"
    if total is not None and usd > total:
        return f"a refund of ${usd} is more than the order cost (${total})"
    if usd != usd.quantize(_CENT):
        return "a refund is an amount of whole cents"
    if (refund_class == "none") != (usd == 0) or (refund_class == "full" and usd != total):
        return f"a refund of ${usd} on an order of ${total} is not of the class {refund_class!r}"
    return None


def class_of(usd: Decimal, total: Decimal | None) -> RefundClass:
    """The class that an amount is of: none, all, or something between."""
    if usd == 0:
        return "none"
    return "full" if usd == total else "partial"


def _first_amount(case: Case, asked: Asked) -> tuple[Decimal, RefundClass]:
    match asked.action:
        case "accept":
            return _accepted(case, asked)
        case "change":
            if asked.refund_usd is None:
                raise BreaksRule("a change names the amount to refund")
            return asked.refund_usd, asked.refund_class or _class_of_sane(asked.refund_usd, case.order_total)
        case "refuse":
            return NOTHING, "none"
        case "confirm":
            raise BreaksRule("there is nothing to confirm: nobody has decided this case yet")


def _accepted(case: Case, asked: Asked) -> tuple[Decimal, RefundClass]:
    if case.refund_usd is None or case.refund_class is None or case.origin == "error":
        raise BreaksRule(
            "the agent gave no usable answer, so there is nothing to accept",
            what_now="Change or refuse the refund.",
        )
    another_amount = asked.refund_usd is not None and not _equal(asked.refund_usd, case.refund_usd)
    if another_amount or asked.refund_class not in {None, case.refund_class}:
        raise BreaksRule("what is accepted is what the agent recommends; another amount is a change")
    return case.refund_usd, case.refund_class


def _second_step(case: Case, asked: Asked, person: str) -> Verdict:
    check_another_person(person, case.decided_by, "Another person has to confirm or refuse it.")
    assert case.final_usd is not None
    assert case.final_class is not None
    match asked.action:
        case "confirm":
            return Verdict(case.final_usd, case.final_class, "second", "decided")
        case "refuse":
            check_reason(asked)
            return Verdict(NOTHING, "none", "second", "decided")
        case _:
            raise BreaksRule("a second person confirms or refuses what the first one decided")


def _check_fit(case: Case, usd: Decimal, refund_class: RefundClass) -> None:
    why = misfit(case, usd, refund_class)
    if why:
        raise BreaksRule(why)


def _equal(usd: Decimal, recommended: Decimal | None) -> bool:
    """Whether both are the same amount; what is no number equals nothing."""
    return recommended is not None and usd.is_finite() and recommended.is_finite() and usd == recommended


def _class_of_sane(usd: Decimal, total: Decimal | None) -> RefundClass:
    return class_of(usd, total) if usd.is_finite() else "none"
