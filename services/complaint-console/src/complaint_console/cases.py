"""One case: what a review needs to know of it, and what a reviewer sees of it."""

from dataclasses import fields
from typing import LiteralString

from caspers.clients.postgres import Writer
from caspers.review.shown_case import Showing
from caspers.review.tables import NoSuchCase

from complaint_console.review_rules import Case, Policy
from complaint_console.schema import TABLES

#: With the policy in force, because both are needed for every review.
_LOCK: LiteralString = """
SELECT complaint_id, mine.version, status, order_total, complaint_category, decision, credit_usd, priority,
       customer_response, origin, decision_id, decided_by, decided_at, final_usd, final_category, final_reply,
       claimed_by, claimed_until, policy.version AS policy_version, second_person_above_usd
  FROM reviews.cases AS mine,
       (SELECT * FROM reviews.policies ORDER BY version DESC LIMIT 1) AS policy
 WHERE complaint_id = :complaint_id FOR UPDATE OF mine
"""

#: What a reviewer sees of a case.
SHOWING = Showing(
    TABLES,
    case_columns="""mine.order_id, complained_at, left(complaint_text, 8000) AS complaint_text, complaint_category,
        decision, credit_usd, confidence, priority, left(rationale, 4000) AS rationale,
        left(customer_response, 4000) AS customer_response, final_category, final_outcome, final_priority, final_reply""",
    decision_columns="credit_usd, complaint_category, outcome, priority, reply, agent_decision, agent_category",
    line="place_in_line",
)

_FIELDS = tuple(field.name for field in fields(Case))


def locked(writer: Writer, complaint_id: str) -> tuple[Case, Policy]:
    """The case, which nobody else changes until the transaction ends, and the policy. Raises `NoSuchCase`."""
    row = writer.row(_LOCK, complaint_id=complaint_id)
    if row is None:
        raise NoSuchCase(complaint_id)
    case = Case(*(getattr(row, name) for name in _FIELDS))
    return case, Policy(row.policy_version, row.second_person_above_usd)
