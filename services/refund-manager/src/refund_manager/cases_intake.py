"""What a recommendation that reached the synced table becomes: a case of the queue (the worker `refund_cases`).

Its step is `caspers.review.intake`; here stands which columns go where, and what counts as a usable answer.
"""

from typing import LiteralString

from caspers.clients.postgres import Postgres
from caspers.review.intake import Arrivals, Intake

from refund_manager.approval_policy import ApprovalPolicy
from refund_manager.schema import KINDS, TABLES

#: What an agent said is acted on only where it fits the columns it claims to fill; anything else is an error.
_TAKE_IN: LiteralString = """, checked AS (
    SELECT looked.*, coalesce(ts, now()) AS recommended_at,
           coalesce(origin IN ('model', 'rules') AND refund_class IN ('none', 'partial', 'full')
                    AND refund_usd >= 0 AND (refund_usd = 0) = (refund_class = 'none'), false) AS usable
      FROM looked
), arrived AS (
    INSERT INTO refunds.cases AS mine (
        order_id, recommended_at, order_ts, delivered_ts, location_id, location, brands, customer_addr, order_total,
        delivery_minutes, p50_minutes, p75_minutes, p99_minutes, refund_usd, refund_class, reason, origin,
        agent_version, run_id)
    SELECT order_id, checked.recommended_at, checked.order_ts, checked.delivered_ts, checked.location_id,
           checked.location, string_to_array(coalesce(checked.brands, ''), ', '), checked.customer_addr,
           checked.order_total, checked.delivery_minutes, checked.p50_minutes, checked.p75_minutes,
           checked.p99_minutes, CASE WHEN usable THEN checked.refund_usd END,
           CASE WHEN usable THEN checked.refund_class END, checked.reason,
           CASE WHEN usable THEN checked.origin ELSE 'error' END, checked.agent_version, checked.run_id
      FROM checked LEFT JOIN refunds.cases AS known USING (order_id)
     WHERE known.order_id IS NULL OR known.status = 'pending' AND checked.ts > known.recommended_at
     ORDER BY order_id
    ON CONFLICT (order_id) DO UPDATE SET
        version = mine.version + 1, newer_at = NULL, recommended_at = excluded.recommended_at,
        order_ts = excluded.order_ts, delivered_ts = excluded.delivered_ts, location_id = excluded.location_id,
        location = excluded.location, brands = excluded.brands, customer_addr = excluded.customer_addr,
        order_total = excluded.order_total, delivery_minutes = excluded.delivery_minutes,
        p50_minutes = excluded.p50_minutes, p75_minutes = excluded.p75_minutes, p99_minutes = excluded.p99_minutes,
        refund_usd = excluded.refund_usd, refund_class = excluded.refund_class, reason = excluded.reason,
        origin = excluded.origin, agent_version = excluded.agent_version, run_id = excluded.run_id
     WHERE mine.status = 'pending'
    RETURNING 1
), noted AS (
    UPDATE refunds.cases AS known SET newer_at = looked.ts FROM looked
     WHERE known.order_id = looked.order_id AND known.status <> 'pending'
       AND looked.ts > greatest(known.recommended_at, known.newer_at)
    RETURNING 1
)"""

_ARRIVALS = Arrivals(
    TABLES,
    source="recommender.pg_recommendations",
    made_by="Lakebase_Reverse_ETL",
    take_in=_TAKE_IN,
    kinds=KINDS,
)


def case_intake(database: Postgres, policy: ApprovalPolicy | None = None) -> Intake:
    """Takes recommendations in; `policy` decides what it may as soon as it is there."""
    return Intake(database, _ARRIVALS, policy.approve_pending if policy else None)
