"""The queue of refunds: what its filters, sorts and counts mean; counts stay right while cases stream in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, LiteralString

import sqlalchemy as sa
from caspers.clients.postgres import Reader
from caspers.review.listing import COUNT_CAP, DEFAULT_LIMIT, CasePage, Listing, Order, wanted_of

from refund_manager.approval_rules import Origin, RefundClass, Status

Sort = Literal["newest", "oldest", "amount", "longest"]


@dataclass(frozen=True)
class QueueFilters:
    """Which cases; None and the empty text let everything pass. `older_than` is a moment of recommendation."""

    status: Status | None = "pending"
    refund_class: RefundClass | None = None
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

    Dollars are per origin, because what a model and what rules recommend is never one figure.
    """

    cases: int = 0
    exact: bool = True
    by_status: dict[str, int] = field(default_factory=dict[str, int])
    by_class: dict[str, int] = field(default_factory=dict[str, int])
    by_origin: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    by_location: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


_NAMES = (
    "order_id", "version", "status", "recommended_at", "order_ts", "delivered_ts", "location_id", "location", "brands",
    "customer_addr", "order_total", "delivery_minutes", "p50_minutes", "p75_minutes", "p99_minutes", "refund_usd",
    "refund_class", "reason", "origin", "agent_version", "decision_id", "decided_by", "decided_at", "final_usd",
    "final_class", "newer_at", "claimed_by", "claimed_until",
)  # fmt: skip
_CASES = sa.table("cases", *(sa.column(name) for name in _NAMES), schema="refunds")
_C = _CASES.c


def _searched(cases: sa.FromClause) -> tuple[sa.ColumnElement[Any], ...]:
    brands = sa.func.array_to_string(cases.c.brands, ", ")
    return (cases.c.order_id, cases.c.reason, cases.c.customer_addr, brands)


_REVIEWER = sa.bindparam("reviewer")
LISTING = Listing(
    table=_CASES,
    key="order_id",
    sorts={
        "newest": Order(_C.recommended_at, "recommended_at", datetime),
        "oldest": Order(_C.recommended_at, "recommended_at", datetime, descending=False),
        "amount": Order(sa.literal_column("coalesce(refund_usd, -1)"), "refund_usd", Decimal),
        "longest": Order(sa.literal_column("coalesce(delivery_minutes, -1)"), "delivery_minutes", float),
    },
    conditions={
        "status": _C.status == sa.bindparam("status"),
        "refund_class": _C.refund_class == sa.bindparam("refund_class"),
        "location_id": _C.location_id == sa.bindparam("location_id"),
        "origin": _C.origin == sa.bindparam("origin"),
        "brand": sa.bindparam("brand") == sa.any_(_C.brands),
        "reviewer": sa.or_(_C.claimed_by == _REVIEWER, _C.decided_by == _REVIEWER),
        "min_usd": _C.refund_usd >= sa.bindparam("min_usd"),
        "max_usd": _C.refund_usd <= sa.bindparam("max_usd"),
        "older_than": _C.recommended_at < sa.bindparam("older_than"),
        "newer_than": _C.recommended_at > sa.bindparam("newer_than"),
    },
    searched=_searched,
    long_texts=("reason",),
    kinds=("status", "refund_class", "origin", "location_id", "location"),
    agent_usd="refund_usd",
)

_EXACT: LiteralString = """
SELECT status, refund_class, origin, location_id, location, sum(cases) AS cases, sum(agent_usd) AS agent_usd
  FROM refunds.case_counts
 WHERE (CAST(:refund_class AS text) IS NULL OR refund_class = :refund_class)
   AND (CAST(:origin AS text) IS NULL OR origin = :origin)
   AND (CAST(:location_id AS int) IS NULL OR location_id = :location_id)
 GROUP BY 1, 2, 3, 4, 5 HAVING sum(cases) > 0
"""

_PULSE: LiteralString = """
SELECT (SELECT json_object_agg(status, cases) FROM (
            SELECT status, sum(cases) AS cases FROM refunds.case_counts GROUP BY status) AS kinds) AS by_status,
       (SELECT recommended_at FROM refunds.cases WHERE status = 'pending'
         ORDER BY status DESC, recommended_at DESC LIMIT 1) AS newest,
       (SELECT json_build_object('version', version, 'enabled', enabled) FROM refunds.policies
         ORDER BY version DESC LIMIT 1) AS policy
"""


def page(
    reader: Reader,
    filters: QueueFilters,
    sort: Sort = "newest",
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> CasePage:
    """The next `limit` cases after the cursor `after`. Raises `OddCursor`."""
    return LISTING.page(reader, wanted_of(filters), sort, after, limit)


def counts(reader: Reader, filters: QueueFilters) -> QueueCounts:
    """How many cases pass the filters, exactly where the journal of counts can tell."""
    if filters.counted_exactly:
        known = {name: getattr(filters, name) for name in ("refund_class", "origin", "location_id")}
        return tally(reader.rows(_EXACT, **known), filters.status)
    wanted = wanted_of(replace(filters, status=None))
    counted = tally(LISTING.count(reader, wanted), filters.status)
    return replace(counted, exact=not filters.text and sum(counted.by_status.values()) < COUNT_CAP)


def pulse(reader: Reader) -> dict[str, Any]:
    """What a live page follows: cases by status, the newest pending recommendation, the policy in force."""
    row = reader.row(_PULSE)
    assert row is not None
    return {"by_status": row.by_status or {}, "newest": row.newest, "policy": row.policy}


def tally(rows: Sequence[Any], status: Status | None) -> QueueCounts:
    """Counts from rows of kinds (status, refund_class, origin, location_id, location, cases, agent_usd)."""
    by_status: Counter[str] = Counter()
    by_class: Counter[str] = Counter()
    by_location: Counter[tuple[int | None, str | None]] = Counter()
    cases: Counter[str] = Counter()
    usd: dict[str, Decimal] = {}
    for row in rows:
        by_status[row.status] += int(row.cases)
        if status not in {None, row.status}:
            continue
        by_class[row.refund_class or "error"] += int(row.cases)
        by_location[row.location_id, row.location] += int(row.cases)
        cases[row.origin] += int(row.cases)
        usd[row.origin] = usd.get(row.origin, Decimal(0)) + row.agent_usd
    places = sorted(by_location.items(), key=lambda item: (item[0][0] is None, item[0][0] or 0))
    return QueueCounts(
        cases=sum(cases.values()),
        by_status=dict(by_status),
        by_class=dict(by_class),
        by_origin={origin: {"cases": n, "agent_usd": float(usd[origin])} for origin, n in cases.items()},
        by_location=[{"location_id": key[0], "location": key[1], "cases": n} for key, n in places],
    )


def older_than(now: datetime, minutes: float | None) -> datetime | None:
    """The moment before which a case was recommended that is older than so many minutes."""
    return None if minutes is None else now - timedelta(minutes=minutes)
