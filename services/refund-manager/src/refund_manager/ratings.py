"""Whether an answer of the agent was helpful, in people's words: one word per person and run, the latest counts.

Ratings are appended, never changed. Their export is an evaluation set: the facts, the agent's answer, what a person
decided, and the rating. An answer that a newer run has replaced is not in it: its facts are no longer those of the case.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from caspers.clients.postgres import Postgres, Reader
from caspers.clock import Clock
from caspers.errors import Invalid

from refund_manager.cases import NoSuchCase

#: Ratings that an export reads at a time.
PIECE = 1_000
#: The parts of an example in the evaluation set.
EXAMPLE: tuple[str, ...] = ("rating_id", "order_id", "run_id", "input", "answer", "decision", "rating")

_RATE: LiteralString = """
INSERT INTO refunds.ratings (order_id, run_id, rated_by, rated_at, helpful, reason)
SELECT order_id, run_id, :rated_by, :rated_at, :helpful, :reason FROM refunds.cases WHERE order_id = :order_id
RETURNING order_id, run_id, rated_by, rated_at, helpful, reason
"""
_OF_CASE: LiteralString = """
SELECT DISTINCT ON (rated_by) order_id, run_id, rated_by, rated_at, helpful, reason
  FROM refunds.ratings WHERE order_id = :order_id ORDER BY rated_by, rating_id DESC
"""
_EXPORT: LiteralString = """
SELECT r.rating_id, r.order_id, r.run_id,
       json_build_object('order_total', c.order_total, 'delivery_minutes', c.delivery_minutes,
           'p50_minutes', c.p50_minutes, 'p75_minutes', c.p75_minutes, 'p99_minutes', c.p99_minutes,
           'location_id', c.location_id, 'location', c.location, 'brands', c.brands) AS input,
       json_build_object('refund_usd', c.refund_usd, 'refund_class', c.refund_class, 'reason', c.reason,
           'origin', c.origin, 'agent_version', c.agent_version) AS answer,
       CASE WHEN c.status = 'decided' THEN json_build_object('refund_usd', c.final_usd,
           'refund_class', c.final_class, 'decided_by', c.decided_by, 'decided_at', c.decided_at) END AS decision,
       json_build_object('helpful', r.helpful, 'reason', r.reason, 'rated_by', r.rated_by,
           'rated_at', r.rated_at) AS rating
  FROM refunds.ratings AS r
  JOIN refunds.cases AS c ON c.order_id = r.order_id AND c.run_id IS NOT DISTINCT FROM r.run_id
 WHERE r.rating_id > :after AND NOT EXISTS (
     SELECT 1 FROM refunds.ratings AS newer
      WHERE newer.order_id = r.order_id AND newer.rated_by = r.rated_by AND newer.rating_id > r.rating_id
        AND newer.run_id IS NOT DISTINCT FROM r.run_id)
 ORDER BY r.rating_id LIMIT :piece
"""


class ReasonMissing(Invalid):
    """An answer was called unhelpful without a word why."""


@dataclass(frozen=True)
class Rating:
    """What a person thinks of an answer."""

    order_id: str
    run_id: str | None
    rated_by: str
    rated_at: datetime
    helpful: bool
    reason: str


class Ratings:
    """The ratings in the refund manager's database."""

    def __init__(self, database: Postgres, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def rate(self, order_id: str, rated_by: str, *, helpful: bool, reason: str = "") -> Rating:
        """Record a rating of the answer that the case shows now. Raises `NoSuchCase`, `ReasonMissing`."""
        if not (helpful or reason.strip()):
            raise ReasonMissing(
                "an answer is called unhelpful without a reason",
                what_now="Say in a few words what is wrong with it.",
            )
        values = {"order_id": order_id, "rated_by": rated_by, "helpful": helpful, "reason": reason.strip()}
        with self._database.transaction() as writer:
            row = writer.row(_RATE, rated_at=self._clock.now(), **values)
        if row is None:
            raise NoSuchCase(order_id)
        return Rating(*row)

    def pieces(self) -> Iterator[list[dict[str, Any]]]:
        """The evaluation set, some examples at a time."""
        after = 0
        while True:
            with self._database.reading() as reader:
                found = [
                    dict(zip(EXAMPLE, row, strict=True))
                    for row in reader.rows(_EXPORT, after=after, piece=PIECE)
                ]
            if found:
                yield found
            if len(found) < PIECE:
                return
            after = found[-1]["rating_id"]


def ratings_of(reader: Reader, order_id: str) -> list[Rating]:
    """The latest word of everyone who rated the case's answer."""
    return [Rating(*row) for row in reader.rows(_OF_CASE, order_id=order_id)]
