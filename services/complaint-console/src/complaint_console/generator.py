"""The generator of complaints: a share of the delivered orders complains, each once, live ones before the history.

How it works through them is `caspers.agents.shift`, where they come from `caspers.agents.delivery_work`. Which orders
complain follows from their lots, so a higher rate adds complaints and never takes one back. Of the history only some
complain, so that the console begins with work but not with years of it.
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

from complaint_console.complaint_mix import plan_of
from complaint_console.complaint_texts import SPECS, ComplaintText, ComplaintWriter
from complaint_console.raw_complaints import Complaint, RawComplaints

WORKER = "complaint_generator"


class GeneratorOrders(ShiftOrders):
    """The parameters of worker `complaint_generator`: `rate` of the orders complain, `history_share` of those of the history."""

    rate: Share = 0.15
    history_share: Share = 0.1


@dataclass(frozen=True)
class Desk:
    """What the generator works with."""

    deliveries: Deliveries
    facts: FactsReader
    complaints: RawComplaints
    open_model: OpenModel
    clock: Clock
    lost_after: timedelta = LOST_AFTER


class Generator(ShiftWorker[GeneratorOrders, Delivery, OrderFacts | None, ComplaintText]):
    """The worker."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(_Writing(desk), desk.open_model, desk.clock)


class _Writing(DeliveryWork[GeneratorOrders]):
    """The work of the generator."""

    done_word = "written"
    orders = GeneratorOrders

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.deliveries, desk.facts, desk.clock, desk.lost_after)
        self._complaints = desk.complaints

    def shares(self, orders: GeneratorOrders) -> tuple[float, float]:
        return orders.rate, orders.rate * orders.history_share

    async def decide(
        self, item: Delivery, facts: OrderFacts | None, model: ModelEndpoint
    ) -> Run[ComplaintText]:
        if facts is None:
            spec = SPECS[plan_of(item.order_id).category]
            nothing = f"nothing is known of what was ordered with {item.order_id}"
            return without_facts(spec, item.order_id, nothing, self._clock)
        return await ComplaintWriter(model, self._clock).write(facts)

    def keep(self, finished: Sequence[Complaint]) -> None:
        self._complaints.keep(finished)

    def by_origin(self) -> dict[str, int]:
        return self._complaints.by_origin()
