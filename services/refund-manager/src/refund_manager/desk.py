"""The reviewers' desk: everything the console's API and pages work with, opened once on one database."""

from dataclasses import dataclass

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.ids import IdSource, new_id
from caspers.review.claims import Claims
from caspers.review.drafts import Drafts
from caspers.review.intake import Intake

from refund_manager.approval_policy import ApprovalPolicy
from refund_manager.cases_intake import case_intake
from refund_manager.decisions import Decisions, refund_decisions
from refund_manager.schema import TABLES


@dataclass(frozen=True)
class Desk:
    """What deciding takes. `intake.step` is the worker `refund_cases`."""

    database: Postgres
    clock: Clock
    claims: Claims
    drafts: Drafts
    decisions: Decisions
    policy: ApprovalPolicy
    intake: Intake


def open_desk(database: Postgres, clock: Clock, ids: IdSource = new_id) -> Desk:
    """A desk on the refund manager's database; `schema.apply_schema` makes its tables."""
    decisions = refund_decisions(database, clock, ids)
    policy = ApprovalPolicy(database, clock, decisions)
    intake = case_intake(database, policy)
    return Desk(database, clock, Claims(TABLES), Drafts(TABLES), decisions, policy, intake)
