"""The queue of complaints: what its filters, sorts and counts mean beside those that every queue has.

Urgent escalations come first, the oldest before all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, LiteralString

import sqlalchemy as sa
from caspers.clients.postgres import Reader
from caspers.review import case_queue
from caspers.review.case_queue import CaseQueue, number_by
from caspers.review.listing import SHOWN, Listing, Order, equal_to, usual_conditions

from complaint_console.review_rules import AgentDecision, Category, Priority
from complaint_console.schema import TABLES

Sort = Literal["urgent", "newest", "oldest", "amount"]


@dataclass(frozen=True)
class QueueFilters(case_queue.QueueFilters):
    """Which complaints."""

    decision: AgentDecision | None = None
    priority: Priority | None = None
    complaint_category: Category | None = None


@dataclass(frozen=True)
class QueueCounts(case_queue.QueueCounts):
    """How many complaints pass the filters, also by what the agent said; `urgent` are escalations."""

    urgent: int = 0
    by_decision: dict[str, int] = field(default_factory=dict[str, int])
    by_category: dict[str, int] = field(default_factory=dict[str, int])


_NAMES = (
    "complaint_id", "order_id", "complained_at", "complaint_text", "complaint_category", "decision", "credit_usd",
    "confidence", "priority", "rationale", "place_in_line", "final_category", "final_outcome", *SHOWN,
)  # fmt: skip
_CASES = sa.table("cases", *map(sa.column, _NAMES), schema=TABLES.schema)
_C = _CASES.c


def _searched(cases: sa.FromClause) -> tuple[sa.ColumnElement[Any], ...]:
    brands = sa.func.array_to_string(cases.c.brands, ", ")
    return (cases.c.order_id, cases.c.complaint_text, cases.c.rationale, cases.c.customer_addr, brands)


def _counts(plain: dict[str, Any], rows: Sequence[Any]) -> QueueCounts:
    return QueueCounts(
        **plain,
        urgent=sum(int(row.cases) for row in rows if row.priority == "urgent"),
        by_decision=number_by(rows, "decision"),
        by_category=number_by(rows, "complaint_category"),
    )


LISTING = Listing(
    table=_CASES,
    key=TABLES.key,
    sorts={
        "urgent": Order(_C.place_in_line, "place_in_line", float, descending=False),
        "newest": Order(_C.recommended_at, "recommended_at", datetime),
        "oldest": Order(_C.recommended_at, "recommended_at", datetime, descending=False),
        "amount": Order(sa.literal_column("coalesce(credit_usd, -1)"), "credit_usd", Decimal),
    },
    conditions=usual_conditions(_CASES, "credit_usd")
    | equal_to(_CASES, "decision", "priority", "complaint_category"),
    searched=_searched,
    long_texts=("complaint_text", "rationale"),
    kinds=("status", "decision", "priority", "complaint_category", "origin", "location_id", "location"),
    agent_usd="credit_usd",
)
QUEUE = CaseQueue(
    TABLES, LISTING, ("decision", "priority", "complaint_category", "location_id", "origin"), _counts
)

_PULSE: LiteralString = TABLES.statement("""
SELECT (SELECT json_object_agg(status, cases) FROM (
            SELECT status, sum(cases) AS cases FROM {counts} GROUP BY status) AS kinds) AS by_status,
       (SELECT sum(cases) FROM {counts} WHERE status = 'pending' AND priority = 'urgent') AS urgent,
       (SELECT recommended_at FROM {cases} WHERE status = 'pending'
         ORDER BY status DESC, recommended_at DESC LIMIT 1) AS newest,
       (SELECT max(version) FROM {policies}) AS policy
""")


def pulse(reader: Reader) -> dict[str, Any]:
    """What a live page follows: cases by status, urgent ones, the newest pending case, the policy in force."""
    row = reader.row(_PULSE)
    assert row is not None
    return {
        "by_status": row.by_status or {},
        "urgent": int(row.urgent or 0),
        "newest": row.newest,
        "policy": row.policy,
    }
