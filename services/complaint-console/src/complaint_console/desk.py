"""The reviewers' desk: everything the console's API and pages work with, opened once on one database."""

from dataclasses import dataclass

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.ids import IdSource, new_id
from caspers.review.claims import Claims
from caspers.review.desk import ReviewDesk
from caspers.review.drafts import Drafts
from caspers.review.ratings import Example, Ratings

from complaint_console.cases_intake import case_intake
from complaint_console.reviews import ReviewPolicy, Reviews, complaint_reviews
from complaint_console.schema import TABLES

_EXAMPLE = Example(
    input="""json_build_object('complaint_text', c.complaint_text, 'order_id', c.order_id,
           'order_total', c.order_total, 'delivery_minutes', c.delivery_minutes, 'p50_minutes', c.p50_minutes,
           'p75_minutes', c.p75_minutes, 'p99_minutes', c.p99_minutes, 'location', c.location)""",
    answer="""json_build_object('complaint_category', c.complaint_category, 'decision', c.decision,
           'credit_amount', c.credit_usd, 'confidence', c.confidence, 'priority', c.priority,
           'rationale', c.rationale, 'customer_response', c.customer_response, 'origin', c.origin,
           'agent_version', c.agent_version)""",
    decision="""json_build_object('outcome', c.final_outcome, 'credit_usd', c.final_usd,
           'complaint_category', c.final_category, 'reply', c.final_reply, 'decided_by', c.decided_by,
           'decided_at', c.decided_at)""",
)


@dataclass(frozen=True)
class Desk(ReviewDesk):
    """What reviewing takes. `intake.step` is the worker `complaint_cases`."""

    reviews: Reviews
    policy: ReviewPolicy


def open_desk(database: Postgres, clock: Clock, ids: IdSource = new_id) -> Desk:
    """A desk on the complaint console's database; `schema.apply_schema` makes its tables."""
    reviews = complaint_reviews(database, clock, ids)
    ratings = Ratings(database, clock, TABLES, _EXAMPLE)
    intake = case_intake(database)
    policy = ReviewPolicy(database, clock)
    return Desk(database, clock, Claims(TABLES), Drafts(TABLES), ratings, intake, reviews, policy)
