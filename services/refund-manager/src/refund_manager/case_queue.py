"""The queue: filters become one statement, pages follow each other by key, counts stay right while cases stream in.

A page costs the same wherever it stands in a million cases. A search for text looks at the next so many cases of the
list, says how many, and goes on from there; counts by anything but status, class, origin and location stop at a cap
and say so.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, LiteralString

import orjson
import sqlalchemy as sa
from caspers.clients.postgres import Reader
from caspers.review.keyset import Place, cursor, place

from refund_manager.approval_rules import Origin, RefundClass, Status

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
#: Cases that one search for text looks at before it answers with what it has.
SEARCH_WINDOW = 20_000
#: Cases that are counted one by one where the exact counts do not know the filter.
COUNT_CAP = 100_000
#: A list shows the beginning of the agent's reason.
REASON_SHOWN = 400

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
class QueuePage:
    """Some cases as JSON text, the cursor of the page after them, and how many a search looked at."""

    text: str
    next: str | None
    searched: int | None = None

    @cached_property
    def cases(self) -> list[dict[str, Any]]:
        """The cases for whoever renders them."""
        return orjson.loads(self.text)


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


@dataclass(frozen=True)
class _Order:
    """A sort: its key as an expression (spelled as in the index), the column that carries it in the JSON."""

    key: sa.ColumnElement[Any]
    shown_as: str
    key_type: type
    descending: bool = True


_SORTS: dict[Sort, _Order] = {
    "newest": _Order(_C.recommended_at, "recommended_at", datetime),
    "oldest": _Order(_C.recommended_at, "recommended_at", datetime, descending=False),
    "amount": _Order(sa.literal_column("coalesce(refund_usd, -1)"), "refund_usd", Decimal),
    "longest": _Order(sa.literal_column("coalesce(delivery_minutes, -1)"), "delivery_minutes", float),
}

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
) -> QueuePage:
    """The next `limit` cases after the cursor `after`. Raises `OddCursor`."""
    begins = place(sort, after, _SORTS[sort].key_type) if after else None
    if filters.text:
        return _search(reader, filters, sort, begins, limit)
    row = reader.row(_documents(_listed(filters, sort, begins, limit)))
    return _page(row, sort, limit)


def counts(reader: Reader, filters: QueueFilters) -> QueueCounts:
    """How many cases pass the filters, exactly where the journal of counts can tell."""
    if filters.counted_exactly:
        known = {name: getattr(filters, name) for name in ("refund_class", "origin", "location_id")}
        return tally(reader.rows(_EXACT, **known), filters.status)
    counted = tally(reader.rows(_counted(filters)), filters.status)
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


def _listed(filters: QueueFilters, sort: Sort, begins: Place | None, limit: int) -> sa.Select[Any]:
    order = _SORTS[sort]
    columns = [
        _C[name] if name != "reason" else sa.func.left(_C.reason, REASON_SHOWN).label(name) for name in _NAMES
    ]
    listed = sa.select(*columns).where(*_conditions(filters)).limit(limit)
    if begins is not None:
        here, there = (
            sa.tuple_(order.key, _C.order_id),
            sa.tuple_(sa.bindparam(None, begins.key), begins.row_id),
        )
        listed = listed.where(here < there if order.descending else here > there)
    keys = (order.key, _C.order_id)
    return listed.order_by(*(key.desc() if order.descending else key for key in keys))


def _conditions(filters: QueueFilters) -> list[sa.ColumnElement[bool]]:
    by_person = sa.or_(_C.claimed_by == filters.reviewer, _C.decided_by == filters.reviewer)
    equal = ("status", "refund_class", "location_id", "origin")
    conditions = [_C[name] == getattr(filters, name) for name in equal if getattr(filters, name) is not None]
    if filters.brand:
        conditions.append(sa.literal(filters.brand) == sa.any_(_C.brands))
    if filters.reviewer:
        conditions.append(by_person)
    if filters.min_usd is not None:
        conditions.append(_C.refund_usd >= filters.min_usd)
    if filters.max_usd is not None:
        conditions.append(_C.refund_usd <= filters.max_usd)
    if filters.older_than is not None:
        conditions.append(_C.recommended_at < filters.older_than)
    if filters.newer_than is not None:
        conditions.append(_C.recommended_at > filters.newer_than)
    return conditions


def _documents(listed: sa.Select[Any]) -> sa.Select[Any]:
    """The rows as one JSON text, which the database writes faster than we could."""
    rows = listed.subquery("listed")
    return sa.select(sa.cast(sa.func.json_agg(rows.table_valued()), sa.Text).label("documents"))


def _page(row: Any, sort: Sort, limit: int) -> QueuePage:
    if row is None or row.documents is None:
        return QueuePage("[]", None)
    cases = orjson.loads(row.documents)
    return QueuePage(row.documents, _cursor_after(cases[-1], sort) if len(cases) == limit else None)


def _cursor_after(case: dict[str, Any], sort: Sort) -> str:
    key = case[_SORTS[sort].shown_as]
    return cursor(sort, -1 if key is None else key, case["order_id"])


def _search(reader: Reader, filters: QueueFilters, sort: Sort, begins: Place | None, limit: int) -> QueuePage:
    """Cases in which the text occurs, among the next so many of the list; an order's own id is found at once."""
    by_id = _listed(QueueFilters(status=None), sort, None, 1).where(_C.order_id == filters.text)
    found = _page(reader.row(_documents(by_id)), sort, limit)
    if found.cases:
        return found
    looked_at = _listed(filters, sort, begins, SEARCH_WINDOW).cte("looked_at")
    matching = sa.select(looked_at).where(_matches(looked_at, filters.text)).limit(limit)
    order = _SORTS[sort]
    keys = (looked_at.c[order.shown_as], looked_at.c.order_id)
    in_order = matching.order_by(*(sa.nulls_last(key.desc()) if order.descending else key for key in keys))
    edge = sa.select(looked_at).order_by(None).offset(SEARCH_WINDOW - 1).limit(1)
    row = reader.row(_documents(in_order).add_columns(_documents(edge).scalar_subquery().label("edge")))
    assert row is not None
    found = _page(row, sort, limit)
    further = _cursor_after(orjson.loads(row.edge)[0], sort) if row.edge else None
    return QueuePage(found.text, found.next or further, SEARCH_WINDOW)


def _matches(cases: sa.FromClause, text: str) -> sa.ColumnElement[bool]:
    brands = sa.func.array_to_string(cases.c.brands, ", ")
    searched = (cases.c.order_id, cases.c.reason, cases.c.customer_addr, brands)
    return sa.or_(*(sa.cast(column, sa.Text).icontains(text, autoescape=True) for column in searched))


def _counted(filters: QueueFilters) -> sa.Executable:
    """Kinds among the first so many cases that pass; every status, as in the exact counts."""
    passing = (
        sa.select(_CASES).where(*_conditions(replace(filters, status=None))).limit(COUNT_CAP).subquery("some")
    )
    kinds = (
        passing.c.status,
        passing.c.refund_class,
        passing.c.origin,
        passing.c.location_id,
        passing.c.location,
    )
    usd = sa.func.coalesce(sa.func.sum(passing.c.refund_usd), 0).label("agent_usd")
    counted = sa.select(*kinds, sa.func.count().label("cases"), usd).group_by(*kinds)
    return counted.where(_matches(passing, filters.text)) if filters.text else counted
