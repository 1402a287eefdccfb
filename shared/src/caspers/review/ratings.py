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
from caspers.review.tables import NoSuchCase, ReviewTables

#: Ratings that an export reads at a time.
PIECE = 1_000

_RATE: LiteralString = """
INSERT INTO {ratings} ({key}, run_id, rated_by, rated_at, helpful, reason)
SELECT {key}, run_id, :rated_by, :rated_at, :helpful, :reason FROM {cases} WHERE {key} = :case_id
RETURNING {key} AS case_id, run_id, rated_by, rated_at, helpful, reason
"""
_OF_CASE: LiteralString = """
SELECT DISTINCT ON (rated_by) {key} AS case_id, run_id, rated_by, rated_at, helpful, reason
  FROM {ratings} WHERE {key} = :case_id ORDER BY rated_by, rating_id DESC
"""
_EXPORT: LiteralString = """
SELECT r.rating_id, r.{key}, r.run_id, {input} AS input, {answer} AS answer,
       CASE WHEN c.status = 'decided' THEN {decision} END AS decision,
       json_build_object('helpful', r.helpful, 'reason', r.reason, 'rated_by', r.rated_by,
           'rated_at', r.rated_at) AS rating
  FROM {ratings} AS r
  JOIN {cases} AS c ON c.{key} = r.{key} AND c.run_id IS NOT DISTINCT FROM r.run_id
 WHERE r.rating_id > :after AND NOT EXISTS (
     SELECT 1 FROM {ratings} AS newer
      WHERE newer.{key} = r.{key} AND newer.rated_by = r.rated_by AND newer.rating_id > r.rating_id
        AND newer.run_id IS NOT DISTINCT FROM r.run_id)
 ORDER BY r.rating_id LIMIT :piece
"""


class ReasonMissing(Invalid):
    """An answer was called unhelpful without a word why."""


@dataclass(frozen=True)
class Rating:
    """What a person thinks of an answer."""

    case_id: str
    run_id: str | None
    rated_by: str
    rated_at: datetime
    helpful: bool
    reason: str


@dataclass(frozen=True)
class Example:
    """What an example of the evaluation set says about a case `c`: three expressions that make JSON objects."""

    input: LiteralString
    answer: LiteralString
    decision: LiteralString


class Ratings:
    """The ratings in a console's database."""

    def __init__(self, database: Postgres, clock: Clock, tables: ReviewTables, example: Example) -> None:
        self._database = database
        self._clock = clock
        self._rate: LiteralString = tables.statement(_RATE)
        export = _EXPORT.replace("{input}", example.input).replace("{answer}", example.answer)
        self._parts: tuple[str, ...] = (
            "rating_id",
            tables.key,
            "run_id",
            "input",
            "answer",
            "decision",
            "rating",
        )
        self._export: LiteralString = tables.statement(export.replace("{decision}", example.decision))

    def rate(self, case_id: str, rated_by: str, *, helpful: bool, reason: str = "") -> Rating:
        """Record a rating of the answer that the case shows now. Raises `NoSuchCase`, `ReasonMissing`."""
        if not (helpful or reason.strip()):
            raise ReasonMissing(
                "an answer is called unhelpful without a reason",
                what_now="Say in a few words what is wrong with it.",
            )
        values = {"case_id": case_id, "rated_by": rated_by, "helpful": helpful, "reason": reason.strip()}
        with self._database.transaction() as writer:
            row = writer.row(self._rate, rated_at=self._clock.now(), **values)
        if row is None:
            raise NoSuchCase(case_id)
        return Rating(*row)

    def pieces(self) -> Iterator[list[dict[str, Any]]]:
        """The evaluation set, some examples at a time."""
        after = 0
        while True:
            with self._database.reading() as reader:
                found = [
                    dict(zip(self._parts, row, strict=True))
                    for row in reader.rows(self._export, after=after, piece=PIECE)
                ]
            if found:
                yield found
            if len(found) < PIECE:
                return
            after = found[-1]["rating_id"]


def ratings_of(reader: Reader, tables: ReviewTables, case_id: str) -> list[Rating]:
    """The latest word of everyone who rated the case's answer."""
    return [Rating(*row) for row in reader.rows(tables.statement(_OF_CASE), case_id=case_id)]
