"""Ratings of the agent's answers: what an example of the evaluation set says about a refund."""

from caspers.clients.postgres import Postgres
from caspers.clock import Clock
from caspers.review import ratings

from refund_manager.schema import TABLES

_EXAMPLE = ratings.Example(
    input="""json_build_object('order_total', c.order_total, 'delivery_minutes', c.delivery_minutes,
           'p50_minutes', c.p50_minutes, 'p75_minutes', c.p75_minutes, 'p99_minutes', c.p99_minutes,
           'location_id', c.location_id, 'location', c.location, 'brands', c.brands)""",
    answer="""json_build_object('refund_usd', c.refund_usd, 'refund_class', c.refund_class, 'reason', c.reason,
           'origin', c.origin, 'agent_version', c.agent_version)""",
    decision="""json_build_object('refund_usd', c.final_usd,
           'refund_class', c.final_class, 'decided_by', c.decided_by, 'decided_at', c.decided_at)""",
)


class Ratings(ratings.Ratings):
    """The ratings in the refund manager's database."""

    def __init__(self, database: Postgres, clock: Clock) -> None:
        super().__init__(database, clock, TABLES, _EXAMPLE)
