"""One case: what a review needs to know of it, and what a reviewer sees of it."""

from dataclasses import fields
from datetime import datetime
from typing import Any, LiteralString

import orjson
from caspers.clients.postgres import Reader, Writer
from caspers.review.tables import NoSuchCase

from complaint_console.review_rules import Case, Policy

#: With the policy in force, because both are needed for every review.
_LOCK: LiteralString = """
SELECT complaint_id, mine.version, status, order_total, complaint_category, decision, credit_usd, priority,
       customer_response, origin, decision_id, decided_by, decided_at, final_usd, final_category, final_reply,
       claimed_by, claimed_until, policy.version AS policy_version, second_person_above_usd
  FROM reviews.cases AS mine,
       (SELECT * FROM reviews.policies ORDER BY version DESC LIMIT 1) AS policy
 WHERE complaint_id = :complaint_id FOR UPDATE OF mine
"""

_SHOWN: LiteralString = """
SELECT json_build_object(
    'case', (SELECT row_to_json(c) FROM (
        SELECT mine.complaint_id, mine.order_id, version, status, recommended_at, complained_at, order_ts,
               delivered_ts, location_id, location, brands, customer_addr, order_total, delivery_minutes, p50_minutes,
               p75_minutes, p99_minutes, left(complaint_text, 8000) AS complaint_text, complaint_category, decision,
               credit_usd, confidence, priority, left(rationale, 4000) AS rationale,
               left(customer_response, 4000) AS customer_response, origin, agent_version, run_id, decision_id,
               decided_by, decided_at, final_usd, final_category, final_outcome, final_priority, final_reply,
               newer_at) AS c),
    'claim', CASE WHEN claimed_until > :now THEN
        json_build_object('reviewer', claimed_by, 'until', claimed_until, 'mine', claimed_by = :reviewer) END,
    'claim_events', (SELECT coalesce(json_agg(e ORDER BY e.at), '[]') FROM (
        SELECT event, reviewer, taken_from, at FROM reviews.claim_events
         WHERE complaint_id = mine.complaint_id ORDER BY event_id DESC LIMIT 20) AS e),
    'draft', (SELECT json_build_object('version', case_version, 'updated_at', updated_at, 'fields', fields)
        FROM reviews.drafts WHERE complaint_id = mine.complaint_id AND reviewer = :reviewer),
    'decisions', (SELECT coalesce(json_agg(d ORDER BY d.entry), '[]') FROM (
        SELECT decision_id, entry, round, step, case_version, action, credit_usd, complaint_category, outcome, priority,
               reply, reason_code, note, decided_by, decided_at, by, policy_version, refers_to, agent_usd,
               agent_decision, agent_category, agent_version, agent_origin
          FROM reviews.complaint_reviews WHERE complaint_id = mine.complaint_id) AS d),
    'policy', (SELECT json_build_object('version', version, 'second_person_above_usd', second_person_above_usd)
        FROM reviews.policies ORDER BY version DESC LIMIT 1),
    'next_id', (SELECT complaint_id FROM reviews.cases AS other
        WHERE status = 'pending' AND (place_in_line, complaint_id) > (mine.place_in_line, mine.complaint_id)
          AND coalesce(claimed_until <= :now OR claimed_by = :reviewer, true)
        ORDER BY place_in_line, complaint_id LIMIT 1)
)::text AS document
  FROM reviews.cases AS mine WHERE complaint_id = :complaint_id
"""

_FIELDS = tuple(field.name for field in fields(Case))


def locked(writer: Writer, complaint_id: str) -> tuple[Case, Policy]:
    """The case, which nobody else changes until the transaction ends, and the policy. Raises `NoSuchCase`."""
    row = writer.row(_LOCK, complaint_id=complaint_id)
    if row is None:
        raise NoSuchCase(complaint_id)
    case = Case(*(getattr(row, name) for name in _FIELDS))
    return case, Policy(row.policy_version, row.second_person_above_usd)


def shown(reader: Reader, complaint_id: str, *, reviewer: str, now: datetime) -> bytes:
    """Everything the database knows of a case, as JSON: case, claim, draft, reviews, what comes next."""
    row = reader.row(_SHOWN, complaint_id=complaint_id, reviewer=reviewer, now=now)
    if row is None:
        raise NoSuchCase(complaint_id)
    return row.document.encode()


def shown_case(reader: Reader, complaint_id: str, *, reviewer: str, now: datetime) -> dict[str, Any]:
    """`shown` for a page, which renders it itself."""
    return orjson.loads(shown(reader, complaint_id, reviewer=reviewer, now=now))
