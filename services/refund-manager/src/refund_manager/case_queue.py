"""The queue: filters become one statement, pages follow each other by key, counts stay right while cases stream in.

A page costs the same wherever it stands in a million cases. A search for text looks at the next so many cases of the
list, says how many, and goes on from there; counts by anything but status, class, origin and location stop at a cap
and say so.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, cached_property
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

_NOTHING = "[]"

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
    values = _values(filters) | _from(begins)
    row = reader.row(_page_statement(sort, frozenset(values)), **values, limit=limit)
    return _page(row, sort, limit)


def counts(reader: Reader, filters: QueueFilters) -> QueueCounts:
    """How many cases pass the filters, exactly where the journal of counts can tell."""
    if filters.counted_exactly:
        known = {name: getattr(filters, name) for name in ("refund_class", "origin", "location_id")}
        return tally(reader.rows(_EXACT, **known), filters.status)
    values = _values(replace(filters, status=None))
    counted = tally(reader.rows(_count_statement(frozenset(values)), **values), filters.status)
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


@cache
def _page_statement(sort: Sort, known: frozenset[str]) -> sa.Select[Any]:
    return _documents(_listed(sort, known))


@cache
def _search_statement(sort: Sort, known: frozenset[str]) -> sa.Select[Any]:
    """Matching cases among the first `window` of the list, and the last of those: where to go on."""
    order = _SORTS[sort]
    looked_at = _listed(sort, known, "window").cte("looked_at")
    keys = (looked_at.c[order.shown_as], looked_at.c.order_id)
    in_order = (sa.nulls_last(key.desc()) if order.descending else key for key in keys)
    matching = sa.select(looked_at).where(_matches(looked_at)).order_by(*in_order)
    edge = sa.select(looked_at).offset(sa.bindparam("window", type_=sa.Integer) - 1).limit(1)
    found = _documents(matching.limit(sa.bindparam("limit", type_=sa.Integer)))
    return found.add_columns(_documents(edge).scalar_subquery().label("edge"))


@cache
def _count_statement(known: frozenset[str]) -> sa.Executable:
    """Kinds among the first so many cases that pass, whatever their status."""
    passing = sa.select(_CASES).where(*_conditions(known)).limit(COUNT_CAP).subquery("passing")
    kinds = (
        passing.c.status,
        passing.c.refund_class,
        passing.c.origin,
        passing.c.location_id,
        passing.c.location,
    )
    usd = sa.func.coalesce(sa.func.sum(passing.c.refund_usd), 0).label("agent_usd")
    counted = sa.select(*kinds, sa.func.count().label("cases"), usd).group_by(*kinds)
    return counted.where(_matches(passing)) if "text" in known else counted


def _listed(sort: Sort, known: frozenset[str], limit: str = "limit") -> sa.Select[Any]:
    """Cases that pass the filters `known`, in order, from the place `from_key`, `from_id` on if there is one."""
    order = _SORTS[sort]
    beginning = sa.func.left(_C.reason, REASON_SHOWN).label("reason")
    columns = (beginning if name == "reason" else _C[name] for name in _NAMES)
    listed = sa.select(*columns).where(*_conditions(known)).limit(sa.bindparam(limit, type_=sa.Integer))
    if "from_key" in known:
        here, there = (
            sa.tuple_(order.key, _C.order_id),
            sa.tuple_(sa.bindparam("from_key"), sa.bindparam("from_id")),
        )
        listed = listed.where(here < there if order.descending else here > there)
    keys = (order.key, _C.order_id)
    return listed.order_by(*(key.desc() if order.descending else key for key in keys))


def _conditions(known: frozenset[str]) -> list[sa.ColumnElement[bool]]:
    reviewer = sa.bindparam("reviewer")
    conditions: dict[str, sa.ColumnElement[bool]] = {
        "status": _C.status == sa.bindparam("status"),
        "refund_class": _C.refund_class == sa.bindparam("refund_class"),
        "location_id": _C.location_id == sa.bindparam("location_id"),
        "origin": _C.origin == sa.bindparam("origin"),
        "brand": sa.bindparam("brand") == sa.any_(_C.brands),
        "reviewer": sa.or_(_C.claimed_by == reviewer, _C.decided_by == reviewer),
        "min_usd": _C.refund_usd >= sa.bindparam("min_usd"),
        "max_usd": _C.refund_usd <= sa.bindparam("max_usd"),
        "older_than": _C.recommended_at < sa.bindparam("older_than"),
        "newer_than": _C.recommended_at > sa.bindparam("newer_than"),
        "order_id": _C.order_id == sa.bindparam("order_id"),
    }
    return [condition for name, condition in conditions.items() if name in known]


def _matches(cases: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether the pattern `text` occurs in what a reviewer would look for."""
    brands = sa.func.array_to_string(cases.c.brands, ", ")
    searched = (cases.c.order_id, cases.c.reason, cases.c.customer_addr, brands)
    return sa.or_(*(column.ilike(sa.bindparam("text"), escape="/") for column in searched))


def _values(filters: QueueFilters) -> dict[str, Any]:
    """The filters that are set, with their values; the text as a pattern."""
    values = {name: value for name, value in vars(filters).items() if value not in {None, ""}}
    if filters.text:
        values["text"] = "%" + re.sub(r"([%_/])", r"/\1", filters.text) + "%"
    return values


def _from(begins: Place | None) -> dict[str, Any]:
    return {} if begins is None else {"from_key": begins.key, "from_id": begins.row_id}


def _documents(listed: sa.Select[Any]) -> sa.Select[Any]:
    """The rows as one JSON text, which the database writes faster than we could."""
    rows = listed.subquery("listed")
    return sa.select(sa.cast(sa.func.json_agg(rows.table_valued()), sa.Text).label("documents"))


def _page(row: Any, sort: Sort, limit: int) -> QueuePage:
    if row is None or row.documents is None:
        return QueuePage(_NOTHING, None)
    cases = orjson.loads(row.documents)
    return QueuePage(row.documents, _cursor_after(cases[-1], sort) if len(cases) == limit else None)


def _cursor_after(case: dict[str, Any], sort: Sort) -> str:
    key = case[_SORTS[sort].shown_as]
    return cursor(sort, -1 if key is None else key, case["order_id"])


def _search(reader: Reader, filters: QueueFilters, sort: Sort, begins: Place | None, limit: int) -> QueuePage:
    """Cases in which the text occurs, among the next so many of the list; an order's own id is found at once."""
    by_id = _page_statement(sort, frozenset({"order_id"}))
    found = _page(reader.row(by_id, order_id=filters.text, limit=1), sort, limit)
    if found.text != _NOTHING:
        return replace(found, next=None)
    values = _values(filters) | _from(begins)
    statement = _search_statement(sort, frozenset(values))
    row = reader.row(statement, **values, limit=limit, window=SEARCH_WINDOW)
    assert row is not None
    found = _page(row, sort, limit)
    further = _cursor_after(orjson.loads(row.edge)[0], sort) if row.edge else None
    return QueuePage(found.text, found.next or further, SEARCH_WINDOW)
