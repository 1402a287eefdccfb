"""What every reviewers' desk works with, opened once on one database; consoles add their decisions and their policy."""

from dataclasses import dataclass

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.review.claims import Claims
from caspers.review.drafts import Drafts
from caspers.review.intake import Intake
from caspers.review.ratings import Ratings


@dataclass(frozen=True)
class ReviewDesk:
    """The parts that are alike. `intake.step` is the worker that fills the queue."""

    database: Postgres
    clock: Clock
    claims: Claims
    drafts: Drafts
    ratings: Ratings
    intake: Intake
