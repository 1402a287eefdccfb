"""What a triaged complaint that reached the synced table becomes: a case of the queue (the worker `complaint_cases`).

Its step is `caspers.review.intake`; here stands which columns go where, and what counts as a usable answer. What no agent
may say is an escalation for a person, never a credit.
"""

from typing import LiteralString

from caspers.clients.postgres import Postgres
from caspers.review.intake import Arrivals, Intake

from complaint_console.schema import KINDS, TABLES

_TAKE_IN: LiteralString = """, checked AS (
    SELECT looked.*, coalesce(ts, now()) AS recommended_at,
           coalesce(origin IN ('model', 'rules') AND
               CASE decision WHEN 'suggest_credit' THEN credit_amount >= 0 AND credit_amount <= order_total
                             WHEN 'escalate' THEN priority IN ('standard', 'urgent') END, false) AS usable
      FROM looked
), judged AS (
    SELECT checked.*, CASE WHEN usable THEN decision ELSE 'escalate' END AS said,
           CASE WHEN NOT usable THEN 'standard' WHEN decision = 'escalate' THEN priority END AS urgency
      FROM checked
), arrived AS (
    INSERT INTO reviews.cases AS mine (
        complaint_id, order_id, recommended_at, complained_at, order_ts, delivered_ts, location_id, location, brands,
        customer_addr, order_total, delivery_minutes, p50_minutes, p75_minutes, p99_minutes, complaint_text,
        complaint_category, decision, credit_usd, confidence, priority, rationale, customer_response, origin,
        agent_version, run_id, place_in_line)
    SELECT complaint_id, judged.order_id, judged.recommended_at, judged.complained_at, judged.order_ts,
           judged.delivered_ts, judged.location_id, judged.location,
           string_to_array(coalesce(judged.brands, ''), ', '), judged.customer_addr, judged.order_total,
           judged.delivery_minutes, judged.p50_minutes, judged.p75_minutes, judged.p99_minutes,
           coalesce(judged.complaint_text, ''), judged.complaint_category, judged.said,
           CASE WHEN judged.said = 'suggest_credit' THEN judged.credit_amount END,
           CASE WHEN judged.said = 'suggest_credit' THEN judged.confidence END,
           urgency, judged.rationale, judged.customer_response,
           CASE WHEN usable THEN judged.origin ELSE 'error' END, judged.agent_version, judged.run_id,
           CASE urgency WHEN 'urgent' THEN 0 WHEN 'standard' THEN 1e11 ELSE 2e11 END
               + extract(epoch FROM coalesce(judged.complained_at, judged.recommended_at))
      FROM judged LEFT JOIN reviews.cases AS known USING (complaint_id)
     WHERE known.complaint_id IS NULL OR known.status = 'pending' AND judged.ts > known.recommended_at
     ORDER BY complaint_id
    ON CONFLICT (complaint_id) DO UPDATE SET
        version = mine.version + 1, newer_at = NULL, order_id = excluded.order_id,
        recommended_at = excluded.recommended_at, complained_at = excluded.complained_at,
        order_ts = excluded.order_ts, delivered_ts = excluded.delivered_ts, location_id = excluded.location_id,
        location = excluded.location, brands = excluded.brands, customer_addr = excluded.customer_addr,
        order_total = excluded.order_total, delivery_minutes = excluded.delivery_minutes,
        p50_minutes = excluded.p50_minutes, p75_minutes = excluded.p75_minutes, p99_minutes = excluded.p99_minutes,
        complaint_text = excluded.complaint_text, complaint_category = excluded.complaint_category,
        decision = excluded.decision, credit_usd = excluded.credit_usd, confidence = excluded.confidence,
        priority = excluded.priority, rationale = excluded.rationale,
        customer_response = excluded.customer_response, origin = excluded.origin,
        agent_version = excluded.agent_version, run_id = excluded.run_id, place_in_line = excluded.place_in_line
     WHERE mine.status = 'pending'
    RETURNING 1
), noted AS (
    UPDATE reviews.cases AS known SET newer_at = looked.ts FROM looked
     WHERE known.complaint_id = looked.complaint_id AND known.status <> 'pending'
       AND looked.ts > greatest(known.recommended_at, known.newer_at)
    RETURNING 1
)"""

_ARRIVALS = Arrivals(
    TABLES,
    source="complaints.pg_complaint_responses",
    made_by="Complaint_Lakebase",
    take_in=_TAKE_IN,
    kinds=KINDS,
)


def case_intake(database: Postgres) -> Intake:
    """Takes triaged complaints in."""
    return Intake(database, _ARRIVALS)
