"""What a recommendation that reached the synced table becomes: a case of the queue (the worker `refund_cases`).

Its step is `caspers.review.intake`; here stands which columns go where, and what counts as a usable answer.
"""

from typing import LiteralString

from caspers.clients.postgres import Postgres
from caspers.review.intake import Arrivals, Intake

from refund_manager.approval_policy import ApprovalPolicy
from refund_manager.schema import KINDS, TABLES

#: What an agent said is acted on only where it fits the columns it claims to fill; anything else is an error.
_JUDGED: LiteralString = """judged AS (
    SELECT looked.*,
           coalesce(origin IN ('model', 'rules') AND refund_class IN ('none', 'partial', 'full')
                    AND refund_usd >= 0 AND (refund_usd = 0) = (refund_class = 'none'), false) AS usable
      FROM looked
)"""

_ARRIVALS = Arrivals(
    TABLES,
    source="recommender.pg_recommendations",
    made_by="Lakebase_Reverse_ETL",
    judged=_JUDGED,
    columns=(
        ("refund_usd", "CASE WHEN usable THEN judged.refund_usd END"),
        ("refund_class", "CASE WHEN usable THEN judged.refund_class END"),
        ("reason", "judged.reason"),
    ),
    kinds=KINDS,
)


def case_intake(database: Postgres, policy: ApprovalPolicy | None = None) -> Intake:
    """Takes recommendations in; `policy` decides what it may as soon as it is there."""
    return Intake(database, _ARRIVALS, policy.approve_pending if policy else None)
