"""One case: what a decision needs to know of it, and what a reviewer sees of it."""

from dataclasses import fields
from datetime import datetime
from typing import Any, LiteralString

import orjson
from caspers.clients.postgres import Reader, Writer
from caspers.review.tables import NoSuchCase

from refund_manager.approval_rules import Case, Policy

#: With the policy in force, because both are needed for every decision.
_LOCK: LiteralString = """
SELECT order_id, mine.version, status, round, order_total, refund_usd, refund_class, origin, agent_version, run_id,
       decision_id, decided_by, decided_at, final_usd, final_class, claimed_by, claimed_until,
       policy.version AS policy_version, enabled, approve_below_usd, approve_classes, approve_origins,
       second_person_above_usd
  FROM refunds.cases AS mine,
       (SELECT * FROM refunds.policies ORDER BY version DESC LIMIT 1) AS policy
 WHERE order_id = :order_id FOR UPDATE OF mine
"""

_BY_IDS: LiteralString = """
SELECT order_id, version, status, round, order_total, refund_usd, refund_class, origin, agent_version, run_id,
       decision_id, decided_by, decided_at, final_usd, final_class, claimed_by, claimed_until
  FROM refunds.cases WHERE order_id = ANY(:order_ids)
 ORDER BY array_position(CAST(:order_ids AS text[]), order_id)
"""

_SHOWN: LiteralString = """
SELECT json_build_object(
    'case', (SELECT row_to_json(c) FROM (
        SELECT mine.order_id, version, status, recommended_at, order_ts, delivered_ts, location_id, location, brands,
               customer_addr, order_total, delivery_minutes, p50_minutes, p75_minutes, p99_minutes, refund_usd,
               refund_class, left(reason, 4000) AS reason, origin, agent_version, run_id, decision_id, decided_by,
               decided_at, final_usd, final_class, newer_at) AS c),
    'claim', CASE WHEN claimed_until > :now THEN
        json_build_object('reviewer', claimed_by, 'until', claimed_until, 'mine', claimed_by = :reviewer) END,
    'claim_events', (SELECT coalesce(json_agg(e ORDER BY e.at), '[]') FROM (
        SELECT event, reviewer, taken_from, at FROM refunds.claim_events
         WHERE order_id = mine.order_id ORDER BY event_id DESC LIMIT 20) AS e),
    'draft', (SELECT json_build_object('version', case_version, 'updated_at', updated_at, 'fields', fields)
        FROM refunds.drafts WHERE order_id = mine.order_id AND reviewer = :reviewer),
    'decisions', (SELECT coalesce(json_agg(d ORDER BY d.decided_at, d.step), '[]') FROM (
        SELECT decision_id, round, step, case_version, action, refund_usd, refund_class, reason_code, note, decided_by,
               decided_at, by, policy_version, refers_to, agent_usd, agent_class, agent_version, agent_origin
          FROM refunds.refund_decisions WHERE order_id = mine.order_id) AS d),
    'policy', (SELECT json_build_object('version', version, 'second_person_above_usd', second_person_above_usd)
        FROM refunds.policies ORDER BY version DESC LIMIT 1),
    'next_order_id', (SELECT order_id FROM refunds.cases AS other
        WHERE status = 'pending' AND (recommended_at, order_id) < (mine.recommended_at, mine.order_id)
          AND coalesce(claimed_until <= :now OR claimed_by = :reviewer, true)
        ORDER BY recommended_at DESC, order_id DESC LIMIT 1)
)::text AS document
  FROM refunds.cases AS mine WHERE order_id = :order_id
"""


_FIELDS = tuple(field.name for field in fields(Case))


def locked(writer: Writer, order_id: str) -> tuple[Case, Policy]:
    """The case, which nobody else changes until the transaction ends, and the policy. Raises `NoSuchCase`."""
    row = writer.row(_LOCK, order_id=order_id)
    if row is None:
        raise NoSuchCase(order_id)
    return case_from(row), policy_from(row)


def by_ids(reader: Reader, order_ids: list[str]) -> list[Case]:
    """Those of the cases that there are, in the order of the ids."""
    return [case_from(row) for row in reader.rows(_BY_IDS, order_ids=order_ids)]


def case_from(row: Any) -> Case:
    """A case from a row that has its columns."""
    return Case(*(getattr(row, name) for name in _FIELDS))


def policy_from(row: Any) -> Policy:
    """A policy from a row that has its columns."""
    return Policy(
        version=row.policy_version,
        enabled=row.enabled,
        approve_below_usd=row.approve_below_usd,
        approve_classes=tuple(row.approve_classes),
        approve_origins=tuple(row.approve_origins),
        second_person_above_usd=row.second_person_above_usd,
    )


def shown(reader: Reader, order_id: str, *, reviewer: str, now: datetime) -> bytes:
    """Everything the database knows of a case, as JSON: case, claim, draft, decisions, what comes next."""
    row = reader.row(_SHOWN, order_id=order_id, reviewer=reviewer, now=now)
    if row is None:
        raise NoSuchCase(order_id)
    return row.document.encode()


def shown_case(reader: Reader, order_id: str, *, reviewer: str, now: datetime) -> dict[str, Any]:
    """`shown` for a page, which renders it itself."""
    return orjson.loads(shown(reader, order_id, reviewer=reviewer, now=now))
