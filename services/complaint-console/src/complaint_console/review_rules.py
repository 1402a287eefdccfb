"""What may be decided about a complaint, by whom, and with what effect; pure.

Credits are US dollars with two decimals, never more than the order cost. What differs from the agent's answer says why;
credits above the policy's limit need two different people. Whoever gives, declines or asks tells the customer so.
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

Category = Literal["delivery_delay", "missing_items", "food_quality", "service_issue", "other"]
AgentDecision = Literal["suggest_credit", "escalate"]
Priority = Literal["standard", "urgent"]

Action = Literal["approve", "change", "decline", "escalate", "ask", "close", "confirm"]
Outcome = Literal["credited", "declined", "escalated", "asked", "closed"]
ReasonCode = Literal[
    "wrong_amount", "wrong_category", "not_our_fault", "worse_than_it_looks", "repeated_claims", "goodwill",
    "facts_are_wrong", "agent_did_not_decide", "other",
]  # fmt: skip

#: The fixed list of reasons, with the words that a page shows.
REASONS: dict[ReasonCode, str] = {
    "wrong_amount": "The amount is wrong",
    "wrong_category": "It is about something else",
    "not_our_fault": "It was not our fault",
    "worse_than_it_looks": "It was worse than the facts say",
    "repeated_claims": "This customer complains too often",
    "goodwill": "Goodwill towards this customer",
    "facts_are_wrong": "The facts the agent used are wrong",
    "agent_did_not_decide": "The agent left it to a person",
    "other": "Something else (say what)",
}
assert set(REASONS) == set(get_args(ReasonCode))

NOTHING = Decimal("0.00")
_CENT = Decimal("0.01")
#: What each action comes to.
_OUTCOMES: dict[Action, Outcome] = {
    "approve": "credited",
    "change": "credited",
    "decline": "declined",
    "escalate": "escalated",
    "ask": "asked",
    "close": "closed",
}
#: Actions that tell the customer something.
_TELLING = frozenset({"approve", "change", "decline", "ask"})


@dataclass(frozen=True)
class Case(Lease):
    """A case as reviews see it; `credit_usd` is None where the agent escalated."""

    complaint_id: str
    version: int
    status: Status
    order_total: Decimal | None
    complaint_category: str | None
    decision: AgentDecision
    credit_usd: Decimal | None
    priority: Priority | None
    customer_response: str | None
    origin: Origin
    decision_id: Any
    decided_by: str | None
    decided_at: datetime | None
    final_usd: Decimal | None
    final_category: str | None
    final_reply: str | None


@dataclass(frozen=True)
class Policy:
    """The limits of deciding."""

    version: int
    second_person_above_usd: Decimal


@dataclass(frozen=True)
class Asked:
    """What somebody wants to decide.

    `credit_usd` is needed for a change, `priority` for an escalation; `reply` is what the customer is told (the agent's
    draft when it is left out), `category` another category than the agent's.
    """

    action: Action
    credit_usd: Decimal | None = None
    category: Category | None = None
    priority: Priority | None = None
    reply: str = ""
    reason_code: ReasonCode | None = None
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a review comes to, which step it is, and how the case stands after it."""

    credit_usd: Decimal
    complaint_category: str | None
    outcome: Outcome
    priority: Priority | None
    reply: str | None
    step: Step
    status: Status


def judge(case: Case, asked: Asked, person: str, policy: Policy) -> Verdict:
    """What `person` decides about an undecided case. Raises `BreaksRule` or `NeedsAnotherPerson`."""
    if case.status == "second":
        return _second_step(case, asked, person)
    if asked.action == "confirm":
        raise BreaksRule("there is nothing to confirm: nobody has decided this case yet")
    usd = _credit(case, asked)
    if _differs(case, asked, usd):
        check_reason(asked)
    return Verdict(
        usd,
        asked.category or case.complaint_category,
        _OUTCOMES[asked.action],
        _priority(asked),
        _reply(case, asked),
        "first",
        "second" if usd > policy.second_person_above_usd else "decided",
    )


def misfit(case: Case, usd: Decimal) -> str | None:
    """Why this credit does not fit the order, or None when it does."""
    if not usd.is_finite() or usd < 0:
        return "a credit is an amount of dollars, 0 or more"
    if case.order_total is None and usd > 0:
        return "what the order cost is not known, so nothing can be credited"
    if case.order_total is not None and usd > case.order_total:
        return f"a credit of ${usd} is more than the order cost (${case.order_total})"
    if usd != usd.quantize(_CENT):
        return "a credit is an amount of whole cents"
    return None


def _credit(case: Case, asked: Asked) -> Decimal:
    if asked.action not in {"approve", "change"}:
        if asked.credit_usd:
            raise BreaksRule(f"to {asked.action} gives no credit; a credit is a change")
        return NOTHING
    usd = _approved(case, asked) if asked.action == "approve" else asked.credit_usd
    if usd is None:
        raise BreaksRule("a change names the amount to credit")
    why = misfit(case, usd)
    if why:
        raise BreaksRule(why)
    return usd


def _approved(case: Case, asked: Asked) -> Decimal:
    if case.decision != "suggest_credit" or case.credit_usd is None:
        raise BreaksRule(
            "the agent suggests no credit, so there is nothing to approve",
            what_now="Change the credit, decline, ask, escalate or close.",
        )
    if asked.credit_usd is not None and asked.credit_usd != case.credit_usd:
        raise BreaksRule("what is approved is what the agent suggests; another amount is a change")
    return case.credit_usd


def _differs(case: Case, asked: Asked, usd: Decimal) -> bool:
    """Whether a person sees it otherwise than the agent; asking and escalating what the agent escalated does not."""
    if asked.category not in {None, case.complaint_category}:
        return True
    if asked.action == "ask" or (asked.action == "escalate" and case.decision == "escalate"):
        return False
    return asked.action != "approve" and not (asked.action == "change" and usd == case.credit_usd)


def _priority(asked: Asked) -> Priority | None:
    if asked.action != "escalate":
        return None
    if asked.priority is None:
        raise BreaksRule("an escalation says how soon: standard or urgent")
    return asked.priority


def _reply(case: Case, asked: Asked) -> str | None:
    if asked.action not in _TELLING:
        return asked.reply.strip() or None
    drafted = case.customer_response if asked.action == "approve" else None
    reply = asked.reply.strip() or (drafted or "").strip()
    if not reply:
        raise BreaksRule(f"to {asked.action} tells the customer something: write the reply")
    return reply


def _second_step(case: Case, asked: Asked, person: str) -> Verdict:
    check_another_person(person, case.decided_by, "Another person has to confirm or decline it.")
    assert case.final_usd is not None
    if asked.action == "confirm":
        return Verdict(
            case.final_usd, case.final_category, "credited", None, case.final_reply, "second", "decided"
        )
    if asked.action != "decline":
        raise BreaksRule("a second person confirms or declines what the first one decided")
    check_reason(asked)
    reply = _reply(case, asked)
    return Verdict(NOTHING, case.final_category, "declined", None, reply, "second", "decided")
