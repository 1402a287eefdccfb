"""The record of decisions: who decided what, when and why, what the agent had said, and whether it still stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from caspers.clients.postgres import Postgres
from caspers.review.keyset import OddCursor, Place, cursor, place
from caspers.review.money import Dollars
from caspers.review.texts import ShortText
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import ColumnElement, Select, and_, column, or_, select, table, true, tuple_

from refund_manager.approval_rules import Action, Origin, RefundClass

SORT = "decided"
#: Decisions that an export reads at a time.
PIECE = 1_000

_decisions = table(
    "refund_decisions",
    *map(
        column,
        (
            "decision_id", "order_id", "round", "step", "action", "refund_usd", "refund_class", "reason_code", "note",
            "decided_by", "decided_at", "by", "policy_version", "refers_to", "agent_usd", "agent_class",
            "agent_version", "agent_origin", "run_id",
        ),
    ),
    schema="refunds",
).alias("d")  # fmt: skip
_cases = table(
    "cases", *map(column, ("order_id", "location_id", "location", "brands", "order_total")), schema="refunds"
).alias("c")
_undos = table("refund_decisions", *map(column, ("order_id", "round", "step")), schema="refunds").alias("u")

# A scalar with a limit is looked up for the rows of a page only; EXISTS tempts the planner to read all undos first.
_undo = (
    select(_undos.c.step)
    .where(
        _undos.c.order_id == _decisions.c.order_id,
        _undos.c.round == _decisions.c.round,
        _undos.c.step == "undo",
    )
    .limit(1)
    .scalar_subquery()
)
_undone = and_(_decisions.c.step != "undo", _undo.is_not(None))


class HistoryFilters(BaseModel):
    """Which decisions to show; what is not given does not narrow."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    decided_by: ShortText | None = Field(None, description="the reviewer")
    by: Literal["person", "policy"] | None = Field(None, description="a person, or the policy itself")
    action: Action | Literal["undo"] | None = None
    refund_class: RefundClass | None = Field(None, description="as decided")
    location_id: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    origin: Origin | None = Field(None, description="of the recommendation")
    since: AwareDatetime | None = Field(None, alias="from", description="the first moment")
    until: AwareDatetime | None = Field(None, alias="to", description="the moment before which")
    text: ShortText | None = Field(None, description="occurs in the order's id, the reason or the note")

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        """A form sends fields that were left empty as empty texts."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value not in ("", None)}


@dataclass(frozen=True)
class HistoryEntry:
    """One recorded step of a decision beside what the agent had said; `undone` once a later record took it back."""

    decision_id: UUID
    order_id: str
    location_id: int | None
    location: str | None
    brands: Sequence[str]
    order_total: Dollars | None
    round: int
    step: str
    action: str
    refund_usd: Dollars
    refund_class: str
    reason_code: str | None
    note: str | None
    decided_by: str
    decided_at: datetime
    by: str
    policy_version: int
    refers_to: UUID | None
    agent_usd: Dollars | None
    agent_class: str | None
    agent_version: str | None
    agent_origin: str
    run_id: str | None
    undone: bool


COLUMNS = tuple(HistoryEntry.__dataclass_fields__)


@dataclass(frozen=True)
class HistoryPage:
    """Decisions, newest first; `next` is the cursor of the page after this one, None on the last."""

    decisions: Sequence[HistoryEntry]
    next: str | None


class History:
    """The decisions in the refund manager's database."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    def page(self, filters: HistoryFilters, after: str | None = None, limit: int = 50) -> HistoryPage:
        """At most `limit` decisions after a cursor. Raises `OddCursor`."""
        found = self._read(filters, _place(after) if after else None, limit + 1)
        shown = found[:limit]
        return HistoryPage(shown, _cursor(shown[-1]) if len(found) > limit else None)

    def pieces(self, filters: HistoryFilters) -> Iterator[list[dict[str, Any]]]:
        """All of them, some at a time, each piece in a short transaction of its own."""
        last: Place | None = None
        while True:
            found = self._read(filters, last, PIECE)
            if found:
                yield [_as_record(decision) for decision in found]
            if len(found) < PIECE:
                return
            last = Place(found[-1].decided_at, str(found[-1].decision_id))

    def _read(self, filters: HistoryFilters, after: Place | None, limit: int) -> list[HistoryEntry]:
        with self._database.reading() as reader:
            rows = reader.rows(_statement(filters, after, limit))
        return [HistoryEntry(*row) for row in rows]


def _statement(filters: HistoryFilters, after: Place | None, limit: int) -> Select[Any]:
    d = _decisions.c
    chosen = [
        _undone.label(name) if name == "undone" else d[name] if name in d else _cases.c[name]
        for name in COLUMNS
    ]
    return (
        select(*chosen)
        .select_from(_decisions.join(_cases, _cases.c.order_id == d.order_id))
        .where(*_conditions(filters))
        .where(
            true() if after is None else tuple_(d.decided_at, d.decision_id) < (after.key, UUID(after.row_id))
        )
        .order_by(d.decided_at.desc(), d.decision_id.desc())
        .limit(limit)
    )


def _conditions(filters: HistoryFilters) -> list[ColumnElement[bool]]:
    d = _decisions.c
    equal = {
        d.decided_by: filters.decided_by,
        d.by: filters.by,
        d.action: filters.action,
        d.refund_class: filters.refund_class,
        d.agent_origin: filters.origin,
        _cases.c.location_id: filters.location_id,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if filters.since is not None:
        conditions.append(d.decided_at >= filters.since)
    if filters.until is not None:
        conditions.append(d.decided_at < filters.until)
    if filters.text:
        places = (d.order_id, d.reason_code, d.note)
        conditions.append(or_(*(place.icontains(filters.text, autoescape=True) for place in places)))
    return conditions


def _cursor(decision: HistoryEntry) -> str:
    return cursor(SORT, decision.decided_at, str(decision.decision_id))


def _place(given: str) -> Place:
    found = place(SORT, given, datetime)
    try:
        UUID(found.row_id)
    except ValueError as error:
        raise OddCursor("is none of ours") from error
    return found


def _as_record(decision: HistoryEntry) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in COLUMNS}
