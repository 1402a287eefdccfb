"""One case: what a decision needs to know of it, and what a reviewer sees of it."""

from dataclasses import fields
from typing import Any, LiteralString

from caspers.clients.postgres import Reader, Writer
from caspers.review.shown_case import Showing
from caspers.review.tables import NoSuchCase

from refund_manager.approval_rules import Case, Policy
from refund_manager.schema import TABLES

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

#: What a reviewer sees of a case.
SHOWING = Showing(
    TABLES,
    case_columns="refund_usd, refund_class, left(reason, 4000) AS reason, final_class",
    decision_columns="refund_usd, refund_class, agent_class",
    line="recommended_at",
    descending=True,
)

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
