"""The reviewers' desk: everything the console's API and pages work with, opened once on one database."""

from dataclasses import dataclass

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.ids import IdSource, new_id
from caspers.review.claims import Claims
from caspers.review.desk import ReviewDesk
from caspers.review.drafts import Drafts
from caspers.review.ratings import Example, Ratings

from refund_manager.approval_policy import ApprovalPolicy
from refund_manager.cases_intake import case_intake
from refund_manager.decisions import Decisions, refund_decisions
from refund_manager.schema import TABLES

_EXAMPLE = Example(
    input="""json_build_object('order_total', c.order_total, 'delivery_minutes', c.delivery_minutes,
           'p50_minutes', c.p50_minutes, 'p75_minutes', c.p75_minutes, 'p99_minutes', c.p99_minutes,
           'location_id', c.location_id, 'location', c.location, 'brands', c.brands)""",
    answer="""json_build_object('refund_usd', c.refund_usd, 'refund_class', c.refund_class, 'reason', c.reason,
           'origin', c.origin, 'agent_version', c.agent_version)""",
    decision="""json_build_object('refund_usd', c.final_usd,
           'refund_class', c.final_class, 'decided_by', c.decided_by, 'decided_at', c.decided_at)""",
)


@dataclass(frozen=True)
class Desk(ReviewDesk):
    """What deciding takes. `intake.step` is the worker `refund_cases`."""

    decisions: Decisions
    policy: ApprovalPolicy


def open_desk(database: Postgres, clock: Clock, ids: IdSource = new_id) -> Desk:
    """A desk on the refund manager's database; `schema.apply_schema` makes its tables."""
    decisions = refund_decisions(database, clock, ids)
    policy = ApprovalPolicy(database, clock, decisions)
    ratings = Ratings(database, clock, TABLES, _EXAMPLE)
    intake = case_intake(database, policy)
    return Desk(database, clock, Claims(TABLES), Drafts(TABLES), ratings, intake, decisions, policy)
