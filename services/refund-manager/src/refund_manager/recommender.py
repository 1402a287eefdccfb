"""The refund recommender: every delivered order gets one recommendation, live ones before the history.

How it works through them is `caspers.agents.shift`; here stands what is its own. An order whose items are not there yet
is tried again, until they have been missing for so long that nobody knows what was ordered: that is an error, too.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from caspers.agents.deliveries import Deliveries, Delivery
from caspers.agents.model_endpoint import ModelEndpoint
from caspers.agents.order_facts import LONG_LOOKBACK, FactsReader, OrderFacts
from caspers.agents.runs import Run, run_id
from caspers.agents.shift import OpenModel, ShiftWorker
from caspers.agents.work import ShiftOrders
from caspers.clock import Clock
from caspers.settings import Share

from refund_manager.agent import NotAnOrderId, RefundAgent, RefundAnswer, ask_endpoint
from refund_manager.prompt import AGENT, AGENT_VERSION
from refund_manager.recommendations import Recommendation, RecommendationStore

WORKER = "refund_recommender"

#: How long an order's delivery may be known before its items are; after that nobody knows what was ordered.
LOST_AFTER = timedelta(minutes=10)


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


class _Recommending:
    """The work of the recommender; an order of which nothing will ever be known has the facts None."""

    done_word = "recommended"
    orders = RecommenderOrders

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._orders: RecommenderOrders | None = None

    def begin(self, orders: RecommenderOrders) -> str:
        if self._desk.deliveries.boundary() is None:
            return "the first events"
        if orders != self._orders:
            self._desk.deliveries.look_at_all()
        self._orders = orders
        return ""

    def news(self) -> bool:
        return self._desk.deliveries.news()

    def live(self, unfinished: Sequence[Delivery], skipped: AbstractSet[str]) -> list[Delivery]:
        return self._desk.deliveries.live(self._followed.live_share, unfinished, skipped)

    def history(self, skipped: AbstractSet[str]) -> list[Delivery]:
        return self._desk.deliveries.history(self._followed.history_share, skipped)

    def history_left(self) -> int:
        orders = self._followed
        _, history = self._desk.deliveries.pending(orders.live_share, orders.history_share)
        return history

    def facts_of(self, items: Sequence[Delivery]) -> dict[str, OrderFacts | None]:
        facts = self._desk.facts.facts_of([order.key for order in items])
        missing = [order for order in items if order.order_id not in facts]
        return {**facts, **self._searched(missing)}

    async def decide(
        self, item: Delivery, facts: OrderFacts | None, model: ModelEndpoint
    ) -> Run[RefundAnswer]:
        if facts is None:
            return self._undecided(item, f"nothing is known of what was ordered with {item.order_id}")
        try:
            if self._followed.endpoint:
                return await ask_endpoint(model, facts, self._desk.clock)
            agent = RefundAgent(model, facts.tools(), self._desk.clock)
            return await agent.decide(facts.order_id, facts.location_id)
        except NotAnOrderId as error:
            return self._undecided(item, error.message)

    def keep(self, finished: Sequence[Recommendation]) -> None:
        self._desk.store.keep(finished)

    def by_origin(self) -> dict[str, int]:
        return self._desk.store.by_origin()

    def progress(self) -> dict[str, Any]:
        boundary = self._desk.deliveries.boundary()
        return {"history_until": boundary.isoformat() if boundary else None}

    @property
    def _followed(self) -> RecommenderOrders:
        assert self._orders is not None
        return self._orders

    def _searched(self, missing: Sequence[Delivery]) -> dict[str, OrderFacts | None]:
        """Orders without facts although those of later orders are there: the lost ones, and what is found after all.

        Files come in in any order, so only one whose delivery has been known for a good while is given up.
        """
        newest = self._desk.deliveries.newest_item() if missing else None
        overdue = [order for order in missing if newest and newest > order.delivered_ts]
        facts = self._desk.facts.facts_of([order.key for order in overdue], LONG_LOOKBACK)
        long_ago = self._desk.clock.now() - self._desk.lost_after
        lost = [order for order in overdue if order.order_id not in facts and order.ingested_at < long_ago]
        return {**facts, **dict.fromkeys((order.order_id for order in lost), None)}

    def _undecided(self, order: Delivery, why: str) -> Run[RefundAnswer]:
        now = self._desk.clock.now()
        return Run(
            run_id=run_id(AGENT, order.order_id, now),
            agent=AGENT,
            agent_version=AGENT_VERSION,
            subject=order.order_id,
            started_at=now,
            took_ms=0.0,
            outcome="no_facts",
            error=why,
        )
