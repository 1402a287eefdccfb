"""The record of reviews: who decided what, when and why, what the customer was told, and whether it still stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from caspers.clients.postgres import Postgres
from caspers.review.history import DecisionFilters, DecisionHistory, Past
from caspers.review.money import Dollars
from pydantic import Field

from complaint_console.review_rules import Action, Category, Origin, Outcome
from complaint_console.schema import TABLES


class HistoryFilters(DecisionFilters):
    """Which reviews to show."""

    action: Action | Literal["undo"] | None = None
    outcome: Outcome | None = None
    complaint_category: Category | None = Field(None, description="as decided")
    origin: Origin | None = Field(None, description="of the triage")


@dataclass(frozen=True)
class HistoryEntry:
    """One recorded step of a review beside what the agent had said; `undone` once a later record took it back."""

    decision_id: UUID
    complaint_id: str
    order_id: str | None
    location_id: int | None
    location: str | None
    brands: Sequence[str]
    order_total: Dollars | None
    round: int
    step: str
    action: str
    outcome: str
    credit_usd: Dollars
    complaint_category: str | None
    priority: str | None
    reply: str | None
    reason_code: str | None
    note: str | None
    decided_by: str
    decided_at: datetime
    by: str
    policy_version: int
    refers_to: UUID | None
    agent_decision: str
    agent_usd: Dollars | None
    agent_category: str | None
    agent_priority: str | None
    agent_version: str | None
    agent_origin: str
    run_id: str | None
    undone: bool


_PAST = Past(
    TABLES,
    HistoryEntry,
    of_case=frozenset({"order_id", "location_id", "location", "brands", "order_total"}),
    filters={
        "action": "action",
        "outcome": "outcome",
        "complaint_category": "complaint_category",
        "origin": "agent_origin",
    },
    searched=("complaint_id", "reply", "reason_code", "note"),
)

History = DecisionHistory[HistoryEntry]


def review_history(database: Postgres) -> History:
    """The reviews in the complaint console's database."""
    return DecisionHistory(database, _PAST)
