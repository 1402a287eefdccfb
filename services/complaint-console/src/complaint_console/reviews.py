"""Reviews of complaints: what their record holds beside what every record does, and the limits they keep to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import LiteralString

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.ids import IdSource
from caspers.review import decisions
from caspers.review.record import RecordColumns

from complaint_console import cases
from complaint_console.review_rules import NOTHING, Asked, Case, Policy, judge
from complaint_console.schema import TABLES

Reviews = decisions.Decisions[Case, Policy, Asked]

_COLUMNS = RecordColumns(
    outcome=(
        ("credit_usd", "final_usd"),
        ("complaint_category", "final_category"),
        ("outcome", "final_outcome"),
        ("priority", "final_priority"),
        ("reply", "final_reply"),
    ),
    agent=(
        ("agent_usd", "credit_usd"),
        ("agent_decision", "decision"),
        ("agent_category", "complaint_category"),
        ("agent_priority", "priority"),
        ("agent_version", "agent_version"),
        ("agent_origin", "origin"),
        ("run_id", "run_id"),
    ),
)
_UNDONE = {
    "credit_usd": NOTHING,
    "complaint_category": None,
    "outcome": "undone",
    "priority": None,
    "reply": None,
}

_VERSIONS: LiteralString = """
SELECT version, valid_from, created_by, explanation, second_person_above_usd
  FROM reviews.policies ORDER BY version DESC LIMIT 50
"""
_MAKING: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('reviews.policies'))"
_ADD: LiteralString = """
INSERT INTO reviews.policies (version, valid_from, created_by, explanation, second_person_above_usd)
SELECT max(version) + 1, :valid_from, :created_by, :explanation, :second_person_above_usd FROM reviews.policies
RETURNING version, valid_from, created_by, explanation, second_person_above_usd
"""


def complaint_reviews(database: Postgres, clock: Clock, ids: IdSource) -> Reviews:
    """The reviews in the complaint console's database."""
    bench = decisions.Bench(
        TABLES,
        _COLUMNS,
        cases.locked,
        judge,
        lambda review: f"{review['outcome']}, ${review['credit_usd']:.2f}",
        _UNDONE,
    )
    return decisions.Decisions(database, clock, ids, bench)


@dataclass(frozen=True)
class PolicyVersion:
    """A version of the limits of deciding as it stands in the record."""

    version: int
    valid_from: datetime
    created_by: str
    explanation: str
    second_person_above_usd: Decimal


class ReviewPolicy:
    """The versions of the policy: never changed, only followed, so every review can name the one it was made under."""

    def __init__(self, database: Postgres, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def versions(self) -> Sequence[PolicyVersion]:
        """The newest first; the first one is in force."""
        with self._database.reading() as reader:
            return [PolicyVersion(*row) for row in reader.rows(_VERSIONS)]

    def follow_with(self, second_person_above_usd: Decimal, explanation: str, person: str) -> PolicyVersion:
        """Put a new version in force."""
        with self._database.transaction() as writer:
            writer.row(_MAKING)
            row = writer.row(
                _ADD,
                valid_from=self._clock.now(),
                created_by=person,
                explanation=explanation,
                second_person_above_usd=second_person_above_usd,
            )
        assert row is not None
        return PolicyVersion(*row)
