"""The record of decisions for reading: newest first, page by page or as a whole, each beside what the agent had said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from caspers.clients.postgres import Postgres
from caspers.review.keyset import OddCursor, Place, cursor, place
from caspers.review.tables import ReviewTables
from caspers.review.texts import ShortText

SORT = "decided"
#: Decisions that an export reads at a time.
PIECE = 1_000

E = TypeVar("E")


class DecisionFilters(BaseModel):
    """Which decisions to show; what is not given does not narrow. Consoles add filters of their own."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    decided_by: ShortText | None = Field(None, description="the reviewer")
    location_id: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    since: AwareDatetime | None = Field(None, alias="from", description="the first moment")
    until: AwareDatetime | None = Field(None, alias="to", description="the moment before which")
    text: ShortText | None = Field(None, description="occurs in the case's id, the reason or the note")

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        """A form sends fields that were left empty as empty texts."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value not in ("", None)}


@dataclass(frozen=True)
class Past(Generic[E]):
    """How a console shows its record.

    `entry` is the dataclass of a recorded step; its fields are columns of the record, or of the case (`of_case`), and
    `undone`. `filters` name the record's column for each filter that is a plain comparison.
    """

    tables: ReviewTables
    entry: type[E]
    of_case: frozenset[str]
    filters: Mapping[str, str]
    searched: tuple[str, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The fields of an entry, in their order."""
        fields: dict[str, Any] = getattr(self.entry, "__dataclass_fields__")  # noqa: B009  of any dataclass
        return tuple(fields)


@dataclass(frozen=True)
class DecisionPage(Generic[E]):
    """Decisions, newest first; `next` is the cursor of the page after this one, None on the last."""

    decisions: Sequence[E]
    next: str | None


class DecisionHistory(Generic[E]):
    """The decisions in a console's database."""

    def __init__(self, database: Postgres, past: Past[E]) -> None:
        self._database = database
        self.columns = past.columns
        #: The field that names a case.
        self.key = past.tables.key
        self._past = past

    def page(self, filters: DecisionFilters, after: str | None = None, limit: int = 50) -> DecisionPage[E]:
        """At most `limit` decisions after a cursor. Raises `OddCursor`."""
        found = self._read(filters, _place(after) if after else None, limit + 1)
        shown = found[:limit]
        entries = [self._past.entry(*row) for row in shown]
        more = len(found) > limit
        return DecisionPage(entries, _cursor(shown[-1]) if more else None)

    def pieces(self, filters: DecisionFilters) -> Iterator[list[dict[str, Any]]]:
        """All of them, some at a time, each piece in a short transaction of its own."""
        last: Place | None = None
        while True:
            found = self._read(filters, last, PIECE)
            if found:
                yield [dict(zip(self.columns, row, strict=True)) for row in found]
            if len(found) < PIECE:
                return
            last = Place(found[-1].decided_at, str(found[-1].decision_id))

    def _read(self, filters: DecisionFilters, after: Place | None, limit: int) -> list[Any]:
        with self._database.reading() as reader:
            return reader.rows(_statement(self._past, filters, after, limit))


def _statement(past: Past[Any], filters: DecisionFilters, after: Place | None, limit: int) -> sa.Select[Any]:
    key, schema = past.tables.key, past.tables.schema
    own = {"decision_id", "decided_at", "decided_by", "round", "step", key, *past.searched}
    own |= {*past.filters.values(), *(set(past.columns) - past.of_case - {"undone"})}
    d = sa.table(past.tables.record, *map(sa.column, sorted(own)), schema=schema).alias("d")
    c = sa.table("cases", *map(sa.column, sorted({key, "location_id", *past.of_case})), schema=schema)
    c = c.alias("c")
    undone = _undone(past.tables, d)
    chosen = [
        undone.label(name) if name == "undone" else (c if name in past.of_case else d).c[name]
        for name in past.columns
    ]
    listed = sa.select(*chosen).select_from(d.join(c, c.c[key] == d.c[key]))
    listed = listed.where(*_conditions(past, filters, d, c))
    if after is not None:
        listed = listed.where(sa.tuple_(d.c.decided_at, d.c.decision_id) < (after.key, UUID(after.row_id)))
    return listed.order_by(d.c.decided_at.desc(), d.c.decision_id.desc()).limit(limit)


def _undone(tables: ReviewTables, d: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a later record took a step back."""
    names = ("step", "round", tables.key)
    u = sa.table(tables.record, *map(sa.column, names), schema=tables.schema).alias("u")
    same = (u.c[tables.key] == d.c[tables.key], u.c.round == d.c.round, u.c.step == "undo")
    # A scalar with a limit is looked up for the rows of a page only; EXISTS tempts the planner to read all undos first.
    return sa.and_(
        d.c.step != "undo", sa.select(u.c.step).where(*same).limit(1).scalar_subquery().is_not(None)
    )


def _conditions(
    past: Past[Any], filters: DecisionFilters, d: sa.FromClause, c: sa.FromClause
) -> list[sa.ColumnElement[bool]]:
    wanted = {name: getattr(filters, name) for name in past.filters}
    conditions = [d.c[past.filters[name]] == value for name, value in wanted.items() if value is not None]
    if filters.decided_by is not None:
        conditions.append(d.c.decided_by == filters.decided_by)
    if filters.location_id is not None:
        conditions.append(c.c.location_id == filters.location_id)
    if filters.since is not None:
        conditions.append(d.c.decided_at >= filters.since)
    if filters.until is not None:
        conditions.append(d.c.decided_at < filters.until)
    if filters.text:
        places = (d.c[name] for name in past.searched)
        conditions.append(sa.or_(*(place.icontains(filters.text, autoescape=True) for place in places)))
    return conditions


def _cursor(decision: Any) -> str:
    return cursor(SORT, decision.decided_at, str(decision.decision_id))


def _place(given: str) -> Place:
    found = place(SORT, given, datetime)
    try:
        UUID(found.row_id)
    except ValueError as error:
        raise OddCursor("is none of ours") from error
    return found
