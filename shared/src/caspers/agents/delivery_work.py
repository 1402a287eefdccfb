"""Work on delivered orders: where they come from, and the facts that belong to them.

An order whose items are not there yet is tried again, until they have been missing for so long that nobody knows what
was ordered: then its facts are None. What to decide about an order, and where the results go, is left to others.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, Generic

from caspers.agents.deliveries import Deliveries, Delivery
from caspers.agents.order_facts import LONG_LOOKBACK, FactsReader, OrderFacts
from caspers.agents.work import O
from caspers.clock import Clock

#: How long an order's delivery may be known before its items are; after that nobody knows what was ordered.
LOST_AFTER = timedelta(minutes=10)


class DeliveryWork(ABC, Generic[O]):
    """The half of a `caspers.agents.work.Work` that delivered orders have in common."""

    def __init__(
        self, deliveries: Deliveries, facts: FactsReader, clock: Clock, lost_after: timedelta = LOST_AFTER
    ) -> None:
        self._deliveries = deliveries
        self._facts = facts
        self._clock = clock
        self._lost_after = lost_after
        self._orders: O | None = None

    @abstractmethod
    def shares(self, orders: O) -> tuple[float, float]:
        """Which share of the live orders is worked on, and which of the history."""

    @property
    def followed(self) -> O:
        """The orders that the work follows, once it has begun."""
        assert self._orders is not None
        return self._orders

    def begin(self, orders: O) -> str:
        if self._deliveries.boundary() is None:
            return "the first events"
        if orders != self._orders:
            self._deliveries.look_at_all()
        self._orders = orders
        return ""

    def news(self) -> bool:
        return self._deliveries.news()

    def live(self, unfinished: Sequence[Delivery], skipped: AbstractSet[str]) -> list[Delivery]:
        share, _ = self.shares(self.followed)
        return self._deliveries.live(share, unfinished, skipped)

    def history(self, skipped: AbstractSet[str]) -> list[Delivery]:
        _, share = self.shares(self.followed)
        return self._deliveries.history(share, skipped)

    def history_left(self) -> int:
        _, history = self._deliveries.pending(*self.shares(self.followed))
        return history

    def facts_of(self, items: Sequence[Delivery]) -> dict[str, OrderFacts | None]:
        facts = self._facts.facts_of([order.key for order in items])
        return {**facts, **self._searched([order for order in items if order.order_id not in facts])}

    def progress(self) -> dict[str, Any]:
        boundary = self._deliveries.boundary()
        return {"history_until": boundary.isoformat() if boundary else None}

    def _searched(self, missing: Sequence[Delivery]) -> dict[str, OrderFacts | None]:
        """Orders without facts although those of later orders are there: what is found after all, and the lost ones.

        Files come in in any order, so only one whose delivery has been known for a good while is given up.
        """
        newest = self._deliveries.newest_item() if missing else None
        overdue = [order for order in missing if newest and newest > order.delivered_ts]
        facts = self._facts.facts_of([order.key for order in overdue], LONG_LOOKBACK)
        long_ago = self._clock.now() - self._lost_after
        lost = [order for order in overdue if order.order_id not in facts and order.ingested_at < long_ago]
        return {**facts, **dict.fromkeys((order.order_id for order in lost), None)}
