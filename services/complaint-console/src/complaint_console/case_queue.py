"""The queue of complaints: what its filters, sorts and counts mean; urgent escalations come first, the oldest before all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, LiteralString

import sqlalchemy as sa
from caspers.clients.postgres import Reader
from caspers.review.listing import COUNT_CAP, DEFAULT_LIMIT, CasePage, Listing, Order, wanted_of

from complaint_console.review_rules import AgentDecision, Category, Origin, Priority, Status

Sort = Literal["urgent", "newest", "oldest", "amount"]


@dataclass(frozen=True)
class QueueFilters:
    """Which cases; None and the empty text let everything pass. `older_than` is a moment of triage."""

    status: Status | None = "pending"
    decision: AgentDecision | None = None
    priority: Priority | None = None
    complaint_category: Category | None = None
    location_id: int | None = None
    brand: str = ""
    origin: Origin | None = None
    min_usd: Decimal | None = None
    max_usd: Decimal | None = None
    older_than: datetime | None = None
    newer_than: datetime | None = None
    reviewer: str = ""
    text: str = ""

    @property
    def counted_exactly(self) -> bool:
        """Whether the journal of counts knows all of these filters."""
        others = (self.min_usd, self.max_usd, self.older_than, self.newer_than)
        return not (self.brand or self.reviewer or self.text or any(value is not None for value in others))


@dataclass(frozen=True)
class QueueCounts:
    """How many cases pass the filters; `by_status` counts them whatever their status.

    `urgent` are escalations. Dollars are per origin, because what a model and what rules suggest is never one figure.
    """

    cases: int = 0
    exact: bool = True
    urgent: int = 0
    by_status: dict[str, int] = field(default_factory=dict[str, int])
    by_decision: dict[str, int] = field(default_factory=dict[str, int])
    by_category: dict[str, int] = field(default_factory=dict[str, int])
    by_origin: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    by_location: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


_NAMES = (
    "complaint_id", "order_id", "version", "status", "recommended_at", "complained_at", "order_ts", "delivered_ts",
    "location_id", "location", "brands", "customer_addr", "order_total", "delivery_minutes", "p50_minutes",
    "p75_minutes", "p99_minutes", "complaint_text", "complaint_category", "decision", "credit_usd", "confidence",
    "priority", "rationale", "origin", "agent_version", "place_in_line", "decision_id", "decided_by", "decided_at",
    "final_usd", "final_category", "final_outcome", "newer_at", "claimed_by", "claimed_until",
)  # fmt: skip
_CASES = sa.table("cases", *(sa.column(name) for name in _NAMES), schema="reviews")
_C = _CASES.c
_EQUAL = ("status", "decision", "priority", "complaint_category", "location_id", "origin")
_REVIEWER = sa.bindparam("reviewer")


def _searched(cases: sa.FromClause) -> tuple[sa.ColumnElement[Any], ...]:
    brands = sa.func.array_to_string(cases.c.brands, ", ")
    return (cases.c.order_id, cases.c.complaint_text, cases.c.rationale, cases.c.customer_addr, brands)


LISTING = Listing(
    table=_CASES,
    key="complaint_id",
    sorts={
        "urgent": Order(_C.place_in_line, "place_in_line", float, descending=False),
        "newest": Order(_C.recommended_at, "recommended_at", datetime),
        "oldest": Order(_C.recommended_at, "recommended_at", datetime, descending=False),
        "amount": Order(sa.literal_column("coalesce(credit_usd, -1)"), "credit_usd", Decimal),
    },
    conditions={
        **{name: _C[name] == sa.bindparam(name) for name in _EQUAL},
        "brand": sa.bindparam("brand") == sa.any_(_C.brands),
        "reviewer": sa.or_(_C.claimed_by == _REVIEWER, _C.decided_by == _REVIEWER),
        "min_usd": _C.credit_usd >= sa.bindparam("min_usd"),
        "max_usd": _C.credit_usd <= sa.bindparam("max_usd"),
        "older_than": _C.recommended_at < sa.bindparam("older_than"),
        "newer_than": _C.recommended_at > sa.bindparam("newer_than"),
    },
    searched=_searched,
    long_texts=("complaint_text", "rationale"),
    kinds=("status", "decision", "priority", "complaint_category", "origin", "location_id", "location"),
    agent_usd="credit_usd",
)

_EXACT: LiteralString = """
SELECT status, decision, priority, complaint_category, origin, location_id, location, sum(cases) AS cases,
       sum(agent_usd) AS agent_usd
  FROM reviews.case_counts
 WHERE (CAST(:decision AS text) IS NULL OR decision = :decision)
   AND (CAST(:priority AS text) IS NULL OR priority = :priority)
   AND (CAST(:complaint_category AS text) IS NULL OR complaint_category = :complaint_category)
   AND (CAST(:origin AS text) IS NULL OR origin = :origin)
   AND (CAST(:location_id AS int) IS NULL OR location_id = :location_id)
 GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(cases) > 0
"""

_PULSE: LiteralString = """
SELECT (SELECT json_object_agg(status, cases) FROM (
            SELECT status, sum(cases) AS cases FROM reviews.case_counts GROUP BY status) AS kinds) AS by_status,
       (SELECT sum(cases) FROM reviews.case_counts WHERE status = 'pending' AND priority = 'urgent') AS urgent,
       (SELECT recommended_at FROM reviews.cases WHERE status = 'pending'
         ORDER BY status DESC, recommended_at DESC LIMIT 1) AS newest,
       (SELECT max(version) FROM reviews.policies) AS policy
"""


def page(
    reader: Reader,
    filters: QueueFilters,
    sort: Sort = "urgent",
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> CasePage:
    """The next `limit` cases after the cursor `after`. Raises `OddCursor`."""
    return LISTING.page(reader, wanted_of(filters), sort, after, limit)


def counts(reader: Reader, filters: QueueFilters) -> QueueCounts:
    """How many cases pass the filters, exactly where the journal of counts can tell."""
    if filters.counted_exactly:
        known = {name: getattr(filters, name) for name in _EQUAL if name != "status"}
        return tally(reader.rows(_EXACT, **known), filters.status)
    wanted = wanted_of(replace(filters, status=None))
    counted = tally(LISTING.count(reader, wanted), filters.status)
    return replace(counted, exact=not filters.text and sum(counted.by_status.values()) < COUNT_CAP)


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


def tally(rows: Sequence[Any], status: Status | None) -> QueueCounts:
    """Counts from rows of kinds."""
    by_status: Counter[str] = Counter()
    for row in rows:
        by_status[row.status] += int(row.cases)
    listed = [row for row in rows if status in {None, row.status}]
    return QueueCounts(
        cases=sum(int(row.cases) for row in listed),
        urgent=sum(int(row.cases) for row in listed if row.priority == "urgent"),
        by_status=dict(by_status),
        by_decision=_by(listed, "decision"),
        by_category=_by(listed, "complaint_category"),
        by_origin=_by_origin(listed),
        by_location=_by_location(listed),
    )


def _by(rows: Sequence[Any], column: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in rows:
        found[getattr(row, column) or "unknown"] += int(row.cases)
    return dict(found)


def _by_origin(rows: Sequence[Any]) -> dict[str, dict[str, Any]]:
    usd: dict[str, Decimal] = {}
    for row in rows:
        usd[row.origin] = usd.get(row.origin, Decimal(0)) + row.agent_usd
    cases = _by(rows, "origin")
    return {origin: {"cases": cases[origin], "agent_usd": float(total)} for origin, total in usd.items()}


def _by_location(rows: Sequence[Any]) -> list[dict[str, Any]]:
    found: Counter[tuple[int | None, str | None]] = Counter()
    for row in rows:
        found[row.location_id, row.location] += int(row.cases)
    places = sorted(found.items(), key=lambda item: (item[0][0] is None, item[0][0] or 0))
    return [{"location_id": key[0], "location": key[1], "cases": cases} for key, cases in places]
