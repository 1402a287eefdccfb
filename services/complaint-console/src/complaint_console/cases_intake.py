"""What a triaged complaint that reached the synced table becomes: a case of the queue (the worker `complaint_cases`).

Its step is `caspers.review.intake`; here stands which columns go where, and what counts as a usable answer. What no agent
may say is an escalation for a person, never a credit.
"""

from typing import LiteralString

from caspers.clients.postgres import Postgres
from caspers.review.intake import Arrivals, Intake

from complaint_console.schema import KINDS, TABLES

_JUDGED: LiteralString = """checked AS (
    SELECT looked.*,
           coalesce(origin IN ('model', 'rules') AND
               CASE decision WHEN 'suggest_credit' THEN credit_amount >= 0 AND credit_amount <= order_total
                             WHEN 'escalate' THEN priority IN ('standard', 'urgent') END, false) AS usable
      FROM looked
), judged AS (
    SELECT checked.*, CASE WHEN usable THEN decision ELSE 'escalate' END AS said,
           CASE WHEN NOT usable THEN 'standard' WHEN decision = 'escalate' THEN priority END AS urgency
      FROM checked
)"""
#: Urgent escalations before other ones, those before suggestions; within each the oldest first.
_PLACE_IN_LINE: LiteralString = """CASE urgency WHEN 'urgent' THEN 0 WHEN 'standard' THEN 1e11 ELSE 2e11 END
    + extract(epoch FROM coalesce(judged.complained_at, judged.ts, now()))"""

_ARRIVALS = Arrivals(
    TABLES,
    source="complaints.pg_complaint_responses",
    made_by="Complaint_Lakebase",
    judged=_JUDGED,
    columns=(
        ("order_id", "judged.order_id"),
        ("complained_at", "judged.complained_at"),
        ("complaint_text", "coalesce(judged.complaint_text, '')"),
        ("complaint_category", "judged.complaint_category"),
        ("decision", "judged.said"),
        ("credit_usd", "CASE WHEN said = 'suggest_credit' THEN judged.credit_amount END"),
        ("confidence", "CASE WHEN said = 'suggest_credit' THEN judged.confidence END"),
        ("priority", "urgency"),
        ("rationale", "judged.rationale"),
        ("customer_response", "judged.customer_response"),
        ("place_in_line", _PLACE_IN_LINE),
    ),
    kinds=KINDS,
)


def case_intake(database: Postgres) -> Intake:
    """Takes triaged complaints in."""
    return Intake(database, _ARRIVALS)
