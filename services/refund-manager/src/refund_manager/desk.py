"""The reviewers' desk: everything the console's API and pages work with, opened once on one database."""

from dataclasses import dataclass

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.ids import IdSource, new_id
from caspers.review.claims import Claims, ClaimTables

from refund_manager.approval_policy import ApprovalPolicy
from refund_manager.cases_intake import CHANNEL, CaseIntake
from refund_manager.decisions import Decisions

CLAIMS = ClaimTables("refunds.cases", "refunds.claim_events", "order_id", CHANNEL)


@dataclass(frozen=True)
class Desk:
    """What deciding takes. `intake.step` is the worker `refund_cases`."""

    database: Postgres
    clock: Clock
    claims: Claims
    decisions: Decisions
    policy: ApprovalPolicy
    intake: CaseIntake


def open_desk(database: Postgres, clock: Clock, ids: IdSource = new_id) -> Desk:
    """A desk on the refund manager's database; `schema.apply_schema` makes its tables."""
    decisions = Decisions(database, clock, ids)
    policy = ApprovalPolicy(database, clock, decisions)
    return Desk(database, clock, Claims(CLAIMS), decisions, policy, CaseIntake(database, policy))
