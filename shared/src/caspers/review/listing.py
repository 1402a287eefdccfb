"""Lists of cases: filters become one statement, pages follow each other by key.

A page costs the same wherever it stands in a million cases. A search for text looks at the next so many cases of the
list, says how many, and goes on from there; counts of what no journal knows stop at a cap.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, LiteralString

import orjson
import sqlalchemy as sa

from caspers.clients.postgres import Reader
from caspers.review.keyset import Place, cursor, place

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
#: Cases that one search for text looks at before it answers with what it has.
SEARCH_WINDOW = 20_000
#: Cases that are counted one by one where the exact counts do not know the filter.
COUNT_CAP = 100_000
#: A list shows the beginning of a long text.
TEXT_SHOWN = 400

#: Columns that every list shows; a console adds its key and what the agent said.
SHOWN = (
    "version", "status", "recommended_at", "order_ts", "delivered_ts", "location_id", "location", "brands",
    "customer_addr", "order_total", "delivery_minutes", "p50_minutes", "p75_minutes", "p99_minutes", "origin",
    "agent_version", "decision_id", "decided_by", "decided_at", "final_usd", "newer_at", "claimed_by", "claimed_until",
)  # fmt: skip

_NOTHING = "[]"


@dataclass(frozen=True)
class CasePage:
    """Some cases as JSON text, the cursor of the page after them, and how many a search looked at."""

    text: str
    next: str | None
    searched: int | None = None

    @cached_property
    def cases(self) -> list[dict[str, Any]]:
        """The cases for whoever renders them."""
        return orjson.loads(self.text)


@dataclass(frozen=True)
class Order:
    """A sort: its key as an expression (spelled as in the index), the column that carries it in the JSON."""

    key: sa.ColumnElement[Any]
    shown_as: str
    key_type: type
    descending: bool = True


@dataclass(frozen=True, eq=False)
class Listing:
    """How a console lists its cases.

    `conditions` by the name of the filter that they bind; `searched` gives what a text is looked for in; `long_texts` are
    shown cut; `kinds` are the columns that cases are counted by, `agent_usd` the one that is added up.
    """

    table: sa.TableClause
    key: str
    sorts: Mapping[str, Order]
    conditions: Mapping[str, sa.ColumnElement[bool]]
    searched: Callable[[sa.FromClause], tuple[sa.ColumnElement[Any], ...]]
    long_texts: tuple[str, ...]
    kinds: tuple[LiteralString, ...]
    agent_usd: str

    def page(
        self, reader: Reader, wanted: Mapping[str, Any], sort: str, after: str | None, limit: int
    ) -> CasePage:
        """The next `limit` cases after the cursor `after` that pass the filters `wanted`. Raises `OddCursor`."""
        begins = place(sort, after, self.sorts[sort].key_type) if after else None
        if "text" in wanted:
            return self._search(reader, wanted, sort, begins, limit)
        values = {**wanted, **_from(begins)}
        row = reader.row(_page_statement(self, sort, frozenset(values)), **values, limit=limit)
        return self._page(row, sort, limit)

    def count(self, reader: Reader, wanted: Mapping[str, Any]) -> list[sa.Row[Any]]:
        """Kinds among the first so many cases that pass, each with its number and the dollars in it."""
        values = _as_pattern(wanted)
        return reader.rows(_count_statement(self, frozenset(values)), **values)

    def _page(self, row: Any, sort: str, limit: int) -> CasePage:
        if row is None or row.documents is None:
            return CasePage(_NOTHING, None)
        cases = orjson.loads(row.documents)
        return CasePage(row.documents, self._cursor_after(cases[-1], sort) if len(cases) == limit else None)

    def _cursor_after(self, case: dict[str, Any], sort: str) -> str:
        key = case[self.sorts[sort].shown_as]
        return cursor(sort, -1 if key is None else key, case[self.key])

    def _search(
        self, reader: Reader, wanted: Mapping[str, Any], sort: str, begins: Place | None, limit: int
    ) -> CasePage:
        """Cases in which the text occurs, among the next so many of the list; a case's own id is found at once."""
        by_id = _page_statement(self, sort, frozenset({"by_id"}))
        found = self._page(reader.row(by_id, by_id=wanted["text"], limit=1), sort, limit)
        if found.text != _NOTHING:
            return replace(found, next=None)
        values = _as_pattern(wanted) | _from(begins)
        statement = _search_statement(self, sort, frozenset(values))
        row = reader.row(statement, **values, limit=limit, window=SEARCH_WINDOW)
        assert row is not None
        found = self._page(row, sort, limit)
        further = self._cursor_after(orjson.loads(row.edge)[0], sort) if row.edge else None
        return CasePage(found.text, found.next or further, SEARCH_WINDOW)


def equal_to(cases: sa.TableClause, *names: str) -> dict[str, sa.ColumnElement[bool]]:
    """Conditions of filters that are plain comparisons, by name."""
    return {name: cases.c[name] == sa.bindparam(name) for name in names}


def usual_conditions(cases: sa.TableClause, agent_usd: str) -> dict[str, sa.ColumnElement[bool]]:
    """What every console filters by; `agent_usd` is the column of what the agent would pay."""
    reviewer = sa.bindparam("reviewer")
    return {
        **equal_to(cases, "status", "location_id", "origin"),
        "brand": sa.bindparam("brand") == sa.any_(cases.c.brands),
        "reviewer": sa.or_(cases.c.claimed_by == reviewer, cases.c.decided_by == reviewer),
        "min_usd": cases.c[agent_usd] >= sa.bindparam("min_usd"),
        "max_usd": cases.c[agent_usd] <= sa.bindparam("max_usd"),
        "older_than": cases.c.recommended_at < sa.bindparam("older_than"),
        "newer_than": cases.c.recommended_at > sa.bindparam("newer_than"),
    }


def wanted_of(filters: Any) -> dict[str, Any]:
    """Those filters of a dataclass that are set, with their values."""
    return {name: value for name, value in vars(filters).items() if value not in {None, ""}}


@cache
def _page_statement(of: Listing, sort: str, known: frozenset[str]) -> sa.Select[Any]:
    return _documents(_listed(of, sort, known))


@cache
def _search_statement(of: Listing, sort: str, known: frozenset[str]) -> sa.Select[Any]:
    """Matching cases among the first `window` of the list, and the last of those: where to go on."""
    order = of.sorts[sort]
    looked_at = _listed(of, sort, known, "window").cte("looked_at")
    keys = (looked_at.c[order.shown_as], looked_at.c[of.key])
    in_order = (sa.nulls_last(key.desc()) if order.descending else key for key in keys)
    matching = sa.select(looked_at).where(_matches(of, looked_at)).order_by(*in_order)
    edge = sa.select(looked_at).offset(sa.bindparam("window", type_=sa.Integer) - 1).limit(1)
    found = _documents(matching.limit(sa.bindparam("limit", type_=sa.Integer)))
    return found.add_columns(_documents(edge).scalar_subquery().label("edge"))


@cache
def _count_statement(of: Listing, known: frozenset[str]) -> sa.Executable:
    """Kinds among the first so many cases that pass, whatever their status."""
    passing = sa.select(of.table).where(*_conditions(of, known)).limit(COUNT_CAP).subquery("passing")
    kinds = tuple(passing.c[name] for name in of.kinds)
    usd = sa.func.coalesce(sa.func.sum(passing.c[of.agent_usd]), 0).label("agent_usd")
    counted = sa.select(*kinds, sa.func.count().label("cases"), usd).group_by(*kinds)
    return counted.where(_matches(of, passing)) if "text" in known else counted


def _listed(of: Listing, sort: str, known: frozenset[str], limit: str = "limit") -> sa.Select[Any]:
    """Cases that pass the filters `known`, in order, from the place `from_key`, `from_id` on if there is one."""
    order, case_id = of.sorts[sort], of.table.c[of.key]
    columns = (_beginning(of, column) for column in of.table.c)
    listed = sa.select(*columns).where(*_conditions(of, known))
    listed = listed.limit(sa.bindparam(limit, type_=sa.Integer))
    if "from_key" in known:
        here = sa.tuple_(order.key, case_id)
        there = sa.tuple_(sa.bindparam("from_key"), sa.bindparam("from_id"))
        listed = listed.where(here < there if order.descending else here > there)
    keys = (order.key, case_id)
    return listed.order_by(*(key.desc() if order.descending else key for key in keys))


def _beginning(of: Listing, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.left(column, TEXT_SHOWN).label(column.key) if column.key in of.long_texts else column


def _conditions(of: Listing, known: frozenset[str]) -> list[sa.ColumnElement[bool]]:
    conditions = {**of.conditions, "by_id": of.table.c[of.key] == sa.bindparam("by_id")}
    return [condition for name, condition in conditions.items() if name in known]


def _matches(of: Listing, cases: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether the pattern `text` occurs in what a reviewer would look for."""
    return sa.or_(*(column.ilike(sa.bindparam("text"), escape="/") for column in of.searched(cases)))


def _as_pattern(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The same filters with the text as a pattern."""
    if "text" not in wanted:
        return dict(wanted)
    return {**wanted, "text": "%" + re.sub(r"([%_/])", r"/\1", wanted["text"]) + "%"}


def _from(begins: Place | None) -> dict[str, Any]:
    return {} if begins is None else {"from_key": begins.key, "from_id": begins.row_id}


def _documents(listed: sa.Select[Any]) -> sa.Select[Any]:
    """The rows as one JSON text, which the database writes faster than we could."""
    rows = listed.subquery("listed")
    return sa.select(sa.cast(sa.func.json_agg(rows.table_valued()), sa.Text).label("documents"))
