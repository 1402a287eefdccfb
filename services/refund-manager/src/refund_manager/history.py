"""The record of decisions: who decided what, when and why, what the agent had said, and whether it still stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from caspers.clients.postgres import Postgres
from caspers.review.history import DecisionFilters, DecisionHistory, Past
from caspers.review.money import Dollars
from pydantic import Field

from refund_manager.approval_rules import Action, Origin, RefundClass
from refund_manager.schema import TABLES


class HistoryFilters(DecisionFilters):
    """Which decisions to show."""

    by: Literal["person", "policy"] | None = Field(None, description="a person, or the policy itself")
    action: Action | Literal["undo"] | None = None
    refund_class: RefundClass | None = Field(None, description="as decided")
    origin: Origin | None = Field(None, description="of the recommendation")


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


_PAST = Past(
    TABLES,
    HistoryEntry,
    of_case=frozenset({"location_id", "location", "brands", "order_total"}),
    filters={"by": "by", "action": "action", "refund_class": "refund_class", "origin": "agent_origin"},
    searched=("order_id", "reason_code", "note"),
)


History = DecisionHistory[HistoryEntry]


def refund_history(database: Postgres) -> History:
    """The decisions in the refund manager's database."""
    return DecisionHistory(database, _PAST)
