"""The refund recommender: every delivered order gets one recommendation, live ones before the history.

How it works through them is `caspers.agents.shift`, where they come from `caspers.agents.delivery_work`; here stands
what is its own: how an order is decided, and where recommendations go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from caspers.agents.deliveries import Deliveries, Delivery
from caspers.agents.delivery_work import LOST_AFTER, DeliveryWork
from caspers.agents.loop import without_facts
from caspers.agents.model_endpoint import ModelEndpoint
from caspers.agents.order_facts import FactsReader, OrderFacts
from caspers.agents.runs import Run
from caspers.agents.shift import OpenModel, ShiftWorker
from caspers.agents.work import ShiftOrders
from caspers.clock import Clock
from caspers.settings import Share

from refund_manager.agent import SPEC, NotAnOrderId, RefundAgent, RefundAnswer, ask_endpoint
from refund_manager.recommendations import Recommendation, RecommendationStore

WORKER = "refund_recommender"


class RecommenderOrders(ShiftOrders):
    """The parameters of worker `refund_recommender`."""

    history_share: Share = 0.1
    live_share: Share = 1.0


@dataclass(frozen=True)
class Desk:
    """What the recommender works with."""

    deliveries: Deliveries
    facts: FactsReader
    store: RecommendationStore
    open_model: OpenModel
    clock: Clock
    lost_after: timedelta = LOST_AFTER


class Recommender(ShiftWorker[RecommenderOrders, Delivery, OrderFacts | None, RefundAnswer]):
    """The worker."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(_Recommending(desk), desk.open_model, desk.clock)


class _Recommending(DeliveryWork[RecommenderOrders]):
    done_word = "recommended"
    orders = RecommenderOrders

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.deliveries, desk.facts, desk.clock, desk.lost_after)
        self._store = desk.store

    def shares(self, orders: RecommenderOrders) -> tuple[float, float]:
        return orders.live_share, orders.history_share

    async def decide(
        self, item: Delivery, facts: OrderFacts | None, model: ModelEndpoint
    ) -> Run[RefundAnswer]:
        if facts is None:
            return self._undecided(item, f"nothing is known of what was ordered with {item.order_id}")
        try:
            if self.followed.endpoint:
                return await ask_endpoint(model, facts, self._clock)
            agent = RefundAgent(model, facts.tools(), self._clock)
            return await agent.decide(facts.order_id, facts.location_id)
        except NotAnOrderId as error:
            return self._undecided(item, error.message)

    def keep(self, finished: Sequence[Recommendation]) -> None:
        self._store.keep(finished)

    def by_origin(self) -> dict[str, int]:
        return self._store.by_origin()

    def _undecided(self, order: Delivery, why: str) -> Run[RefundAnswer]:
        return without_facts(SPEC, order.order_id, why, self._clock)
