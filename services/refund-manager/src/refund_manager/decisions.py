"""Decisions about refunds: what their record holds beside what every record does."""

from decimal import Decimal

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.ids import IdSource
from caspers.review import decisions
from caspers.review.record import RecordColumns

from refund_manager import cases
from refund_manager.approval_rules import Asked, Case, Policy, judge
from refund_manager.schema import TABLES

Decisions = decisions.Decisions[Case, Policy, Asked]

_COLUMNS = RecordColumns(
    outcome=(("refund_usd", "final_usd"), ("refund_class", "final_class")),
    agent=(
        ("agent_usd", "refund_usd"),
        ("agent_class", "refund_class"),
        ("agent_version", "agent_version"),
        ("agent_origin", "origin"),
        ("run_id", "run_id"),
    ),
)


def refund_decisions(database: Postgres, clock: Clock, ids: IdSource) -> Decisions:
    """The decisions in the refund manager's database."""
    bench = decisions.Bench(
        TABLES,
        _COLUMNS,
        cases.locked,
        judge,
        lambda decision: f"{decision['action']}, ${decision['refund_usd']:.2f}",
        {"refund_usd": Decimal(0), "refund_class": "none"},
    )
    return decisions.Decisions(database, clock, ids, bench)
