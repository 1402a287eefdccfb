"""Accepting many recommendations at once: first what it would cost and what is left out, then each on its own.

What needs a person's eye (no usable answer, a second person, somebody at work on it) is left out of the preview. The
accepting itself is a decision like any other, case by case: one that changed meanwhile is reported, the rest goes on.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from caspers.clients.postgres import Reader
from caspers.errors import CaspersError
from caspers.review.decisions import Ballot

from refund_manager.approval_policy import policy_in_force
from refund_manager.approval_rules import Asked, BreaksRule, Case, Policy, judge
from refund_manager.case_queue import QUEUE, QueueFilters, Sort
from refund_manager.cases import by_ids
from refund_manager.decisions import Decisions

#: Cases of one preview, and of one request to accept.
MOST = 500


@dataclass(frozen=True)
class Preview:
    """What accepting would do: the cases with version and amount, their sum in dollars, why others are left out."""

    cases: list[dict[str, Any]]
    sum_usd: Decimal
    left_out: dict[str, int]


@dataclass(frozen=True)
class Accepted:
    """What accepting did: decisions, and for each case that could not be accepted the error that says why."""

    decisions: list[dict[str, Any]]
    conflicts: list[tuple[str, CaspersError]]


def preview(
    reader: Reader, filters: QueueFilters, person: str, now: datetime, *, sort: Sort = "newest"
) -> Preview:
    """The first cases that pass the filters, as far as they can be accepted together."""
    policy = policy_in_force(reader)
    listed = QUEUE.page(reader, filters, sort, limit=MOST)
    found = by_ids(reader, [case["order_id"] for case in listed.cases])
    left_out: Counter[str] = Counter()
    accepted: list[Case] = []
    for case in found:
        why = _why_not(case, person, policy, now)
        if why:
            left_out[why] += 1
        else:
            accepted.append(case)
    shown = [{"order_id": c.order_id, "version": c.version, "refund_usd": c.refund_usd} for c in accepted]
    return Preview(
        shown, sum((case.refund_usd or Decimal(0) for case in accepted), Decimal(0)), dict(left_out)
    )


def accept(decisions: Decisions, wanted: Sequence[tuple[str, int]], person: str) -> Accepted:
    """Accept each case (order id, version) in a transaction of its own."""
    done = Accepted([], [])
    for order_id, version in wanted:
        try:
            recorded = decisions.decide(Ballot(order_id, version, person), Asked("accept"))
        except CaspersError as error:
            done.conflicts.append((order_id, error))
        else:
            done.decisions.append(recorded.decision)
    return done


def _why_not(case: Case, person: str, policy: Policy, now: datetime) -> str | None:
    if case.status != "pending":
        return "is not pending"
    if case.holder(now) not in {None, person}:
        return "somebody else works on it"
    try:
        verdict = judge(case, Asked("accept"), person, policy)
    except BreaksRule as error:
        return error.message
    return "needs a second person" if verdict.status == "second" else None
