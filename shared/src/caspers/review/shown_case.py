"""One case as a reviewer sees it: case, claim, draft, decisions, policy and what comes next, in one statement."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, LiteralString

import orjson

from caspers.clients.postgres import Reader
from caspers.review.tables import NoSuchCase, ReviewTables

_SHOWN: LiteralString = """
SELECT json_build_object(
    'case', (SELECT row_to_json(c) FROM (
        SELECT mine.{key}, mine.version, mine.status, recommended_at, order_ts, delivered_ts, location_id, location,
               brands, customer_addr, order_total, delivery_minutes, p50_minutes, p75_minutes, p99_minutes, origin,
               agent_version, run_id, decision_id, decided_by, decided_at, final_usd, newer_at, {case_columns}) AS c),
    'claim', CASE WHEN claimed_until > :now THEN
        json_build_object('reviewer', claimed_by, 'until', claimed_until, 'mine', claimed_by = :reviewer) END,
    'claim_events', (SELECT coalesce(json_agg(e ORDER BY e.at), '[]') FROM (
        SELECT event, reviewer, taken_from, at FROM {claim_events}
         WHERE {key} = mine.{key} ORDER BY event_id DESC LIMIT 20) AS e),
    'draft', (SELECT json_build_object('version', case_version, 'updated_at', updated_at, 'fields', fields)
        FROM {drafts} WHERE {key} = mine.{key} AND reviewer = :reviewer),
    'decisions', (SELECT coalesce(json_agg(d ORDER BY d.entry), '[]') FROM (
        SELECT decision_id, entry, round, step, case_version, action, reason_code, note, decided_by, decided_at, by,
               policy_version, refers_to, agent_usd, agent_version, agent_origin, {decision_columns}
          FROM {record} WHERE {key} = mine.{key}) AS d),
    'policy', (SELECT json_build_object('version', version, 'second_person_above_usd', second_person_above_usd)
        FROM {policies} ORDER BY version DESC LIMIT 1),
    'next_id', (SELECT {key} FROM {cases} AS other
        WHERE status = 'pending' AND ({line}, {key}) {behind} (mine.{line}, mine.{key})
          AND coalesce(claimed_until <= :now OR claimed_by = :reviewer, true)
        ORDER BY {line} {direction}, {key} {direction} LIMIT 1)
)::text AS document
  FROM {cases} AS mine WHERE {key} = :case_id
"""


@dataclass(frozen=True)
class Showing:
    """What a console shows of a case besides what every console does.

    `line` is the column by which cases stand in line; the next one has a smaller value where `descending`.
    """

    tables: ReviewTables
    case_columns: LiteralString
    decision_columns: LiteralString
    line: LiteralString
    descending: bool = False

    def document(self, reader: Reader, case_id: str, *, reviewer: str, now: datetime) -> bytes:
        """Everything the database knows of a case, as JSON. Raises `NoSuchCase`."""
        row = reader.row(self._statement, case_id=case_id, reviewer=reviewer, now=now)
        if row is None:
            raise NoSuchCase(case_id)
        return row.document.encode()

    def case(self, reader: Reader, case_id: str, *, reviewer: str, now: datetime) -> dict[str, Any]:
        """The same for a page, which renders it itself."""
        return orjson.loads(self.document(reader, case_id, reviewer=reviewer, now=now))

    @cached_property
    def _statement(self) -> LiteralString:
        parts: tuple[tuple[LiteralString, LiteralString], ...] = (
            ("{case_columns}", self.case_columns),
            ("{decision_columns}", self.decision_columns),
            ("{line}", self.line),
            ("{behind}", "<" if self.descending else ">"),
            ("{direction}", "DESC" if self.descending else "ASC"),
        )
        template: LiteralString = _SHOWN
        for place, text in parts:
            template = template.replace(place, text)
        return self.tables.statement(template)
