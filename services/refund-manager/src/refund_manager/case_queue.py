"""The queue of refunds: what its filters, sorts and counts mean beside those that every queue has."""

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

from refund_manager.approval_rules import RefundClass
from refund_manager.schema import TABLES

Sort = Literal["newest", "oldest", "amount", "longest"]


@dataclass(frozen=True)
class QueueFilters(case_queue.QueueFilters):
    """Which refunds."""

    refund_class: RefundClass | None = None


@dataclass(frozen=True)
class QueueCounts(case_queue.QueueCounts):
    """How many refunds pass the filters, also by the class that is recommended."""

    by_class: dict[str, int] = field(default_factory=dict[str, int])


_NAMES = ("order_id", "refund_usd", "refund_class", "reason", "final_class", *SHOWN)
_CASES = sa.table("cases", *map(sa.column, _NAMES), schema=TABLES.schema)
_C = _CASES.c


def _searched(cases: sa.FromClause) -> tuple[sa.ColumnElement[Any], ...]:
    brands = sa.func.array_to_string(cases.c.brands, ", ")
    return (cases.c.order_id, cases.c.reason, cases.c.customer_addr, brands)


def _counts(plain: dict[str, Any], rows: Sequence[Any]) -> QueueCounts:
    return QueueCounts(**plain, by_class=number_by(rows, "refund_class", "error"))


LISTING = Listing(
    table=_CASES,
    key=TABLES.key,
    sorts={
        "newest": Order(_C.recommended_at, "recommended_at", datetime),
        "oldest": Order(_C.recommended_at, "recommended_at", datetime, descending=False),
        "amount": Order(sa.literal_column("coalesce(refund_usd, -1)"), "refund_usd", Decimal),
        "longest": Order(sa.literal_column("coalesce(delivery_minutes, -1)"), "delivery_minutes", float),
    },
    conditions=usual_conditions(_CASES, "refund_usd") | equal_to(_CASES, "refund_class"),
    searched=_searched,
    long_texts=("reason",),
    kinds=("status", "refund_class", "origin", "location_id", "location"),
    agent_usd="refund_usd",
)
QUEUE = CaseQueue(TABLES, LISTING, ("refund_class", "origin", "location_id"), _counts)

_PULSE: LiteralString = TABLES.statement("""
SELECT (SELECT json_object_agg(status, cases) FROM (
            SELECT status, sum(cases) AS cases FROM {counts} GROUP BY status) AS kinds) AS by_status,
       (SELECT recommended_at FROM {cases} WHERE status = 'pending'
         ORDER BY status DESC, recommended_at DESC LIMIT 1) AS newest,
       (SELECT json_build_object('version', version, 'enabled', enabled) FROM {policies}
         ORDER BY version DESC LIMIT 1) AS policy
""")


def pulse(reader: Reader) -> dict[str, Any]:
    """What a live page follows: cases by status, the newest pending recommendation, the policy in force."""
    row = reader.row(_PULSE)
    assert row is not None
    return {"by_status": row.by_status or {}, "newest": row.newest, "policy": row.policy}
