"""The refund recommender: every delivered order gets one recommendation, live ones before the history.

A step is a shift of some seconds. Its slots decide orders side by side, enough of them to keep the model as busy as it
may be; meanwhile the shift looks for new orders, reads their facts, and writes what is finished. A live order waits for the
next free slot at most. Orders whose items are not there yet are tried again; a model that is away ends the shift with
nothing recorded, and the worker backs off.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from caspers.agents.model_endpoint import CallLimits, ModelEndpoint
from caspers.agents.runs import Run, run_id
from caspers.clock import Clock
from caspers.errors import Invalid, NotFound, Unavailable
from caspers.settings import PositiveInt, Share
from caspers.worker.step import StepContext, StepOutcome
from pydantic import BaseModel, ValidationError

from refund_manager.agent import NotAnOrderId, RefundAgent, RefundAnswer, ask_endpoint
from refund_manager.delivered import Deliveries, Delivery
from refund_manager.order_facts import LONG_LOOKBACK, FactsReader, OrderFacts
from refund_manager.prompt import AGENT, AGENT_VERSION
from refund_manager.recommendations import Recommendation, RecommendationStore

WORKER = "refund_recommender"

#: Seconds of a shift, between two looks for new orders, and until facts that were not complete are read again.
SHIFT_S = 30.0
LOOK_S = 0.5
RETRY_S = 2.0
#: Seconds that orders in hand get when a shift ends.
GRACE_S = 5.0
#: Orders in hand for each call that may be in flight: while one is between two turns, another one calls.
SLOTS_A_CALL = 2
#: How few orders may be left in the queue before some of the history are added.
FEW_ORDERS = 200
#: Finished orders that are written together, and how many seconds they may wait for others.
WRITTEN_TOGETHER = 100
WRITE_S = 1.0
#: How long an order's delivery may be known before its items are; after that nobody knows what was ordered.
LOST_AFTER = timedelta(minutes=10)
#: Failures of the model in a row that are taken for the orders' fault; more are the model's.
FAILURES_IN_A_ROW = 4
#: Seconds over which the rate is measured.
RATE_S = 10.0


class RecommenderOrders(BaseModel):
    """The parameters of worker `refund_recommender`; `endpoint` is a serving endpoint that is an agent, if any."""

    model: str = ""
    endpoint: str = ""
    history_share: Share = 0.1
    live_share: Share = 1.0
    calls_in_flight: PositiveInt = 8
    calls_per_minute: PositiveInt = 3_000


class InvalidOrders(Invalid):
    """The parameters of the orders make no recommender."""


OpenModel = Callable[[str, CallLimits], ModelEndpoint]


@dataclass(frozen=True)
class Desk:
    """What the recommender works with."""

    deliveries: Deliveries
    facts: FactsReader
    store: RecommendationStore
    open_model: OpenModel
    clock: Clock
    lost_after: timedelta = LOST_AFTER


class Recommender:
    """The worker: `step` is one shift, called by one thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._book = _Book(desk.clock)
        self._orders: RecommenderOrders | None = None

    def step(self, parameters: Mapping[str, Any], context: StepContext) -> StepOutcome:
        """Recommend until the shift ends. Raises `Invalid`, and `Unavailable` with nothing recorded for those in hand."""
        orders = _orders(parameters)
        try:
            if self._desk.deliveries.boundary() is None:
                return StepOutcome({"state": "waiting for the first events"}, next_in_s=RETRY_S)
        except NotFound:
            return StepOutcome({"state": "waiting for the pipeline's tables"}, next_in_s=RETRY_S)
        if orders != self._orders:
            self._desk.deliveries.look_at_all()
        self._orders = orders
        progress = asyncio.run(self._shift(orders, context))
        return StepOutcome(progress, again=True)

    async def _shift(self, orders: RecommenderOrders, context: StepContext) -> dict[str, Any]:
        limits = CallLimits(in_flight=orders.calls_in_flight, per_minute=orders.calls_per_minute)
        model = self._desk.open_model(orders.endpoint or orders.model, limits)
        try:
            return await _Shift(self._desk, self._book, orders, model).work(context)
        finally:
            await model.close()


class _Book:
    """What outlives a shift: orders that are not written yet, figures, and how the model fared."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.unwritten: list[Recommendation] = []
        self.by_origin: Counter[str] | None = None
        self.failures_in_a_row = 0
        self._written: deque[tuple[float, int]] = deque()

    def note_written(self, recommendations: list[Recommendation]) -> None:
        self.by_origin = (self.by_origin or Counter()) + Counter(each.run.origin for each in recommendations)
        self._written.append((self._clock.monotonic(), len(recommendations)))

    def orders_per_s(self) -> float:
        since_s = self._clock.monotonic() - RATE_S
        while self._written and self._written[0][0] < since_s:
            self._written.popleft()
        return round(sum(count for _, count in self._written) / RATE_S, 1)


class _Shift:
    """One shift; everything in it runs on one event loop."""

    def __init__(self, desk: Desk, book: _Book, orders: RecommenderOrders, model: ModelEndpoint) -> None:
        self._desk, self._book, self._orders, self._model = desk, book, orders, model
        self._queue: asyncio.PriorityQueue[tuple[bool, int, Delivery, OrderFacts]] = asyncio.PriorityQueue()
        self._places = 0
        self._taken = {done.delivery.order_id: done.delivery for done in book.unwritten}
        self._waiting: dict[str, tuple[Delivery, float]] = {}
        self._change = asyncio.Event()
        self._history_left = 0
        self._next_look_s = self._next_write_s = float("-inf")
        self._no_more_history = False

    async def work(self, context: StepContext) -> dict[str, Any]:
        """Recommend until the shift is over or interrupted; the progress at its end."""
        ends_s = self._desk.clock.monotonic() + SHIFT_S
        await self._count()
        slots = [
            asyncio.create_task(self._slot()) for _ in range(SLOTS_A_CALL * self._orders.calls_in_flight)
        ]
        try:
            while not context.interrupted and self._desk.clock.monotonic() < ends_s:
                await self._look()
                await self._write_what_is_due()
                context.tell(self._progress())
                await self._something_happens(slots)
            await self._finish(slots)
        finally:
            for slot in slots:
                slot.cancel()
            await asyncio.gather(*slots, return_exceptions=True)
        await self._write()
        return self._progress()

    @property
    def _busy(self) -> bool:
        return len(self._taken) > len(self._book.unwritten)

    async def _count(self) -> None:
        deliveries, orders = self._desk.deliveries, self._orders
        if self._book.by_origin is None:
            self._book.by_origin = Counter(await asyncio.to_thread(self._desk.store.by_origin))
        _, self._history_left = await asyncio.to_thread(
            deliveries.pending, orders.live_share, orders.history_share
        )

    async def _look(self) -> None:
        """Queue live orders that came in, and some of the history when there is little else to do."""
        now_s = self._desk.clock.monotonic()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + LOOK_S
            if await asyncio.to_thread(self._desk.deliveries.news) or self._retry_is_due(live=True):
                await self._enqueue(await asyncio.to_thread(self._look_for_live))
        if self._queue.qsize() < FEW_ORDERS and (not self._no_more_history or self._retry_is_due(live=False)):
            found = await asyncio.to_thread(self._look_into_history)
            self._no_more_history = not found
            await self._enqueue(found)

    def _look_for_live(self) -> list[Delivery]:
        unfinished = [order for order in self._in_line() if order.live]
        return self._desk.deliveries.live(self._orders.live_share, unfinished, self._skipped())

    def _look_into_history(self) -> list[Delivery]:
        return self._desk.deliveries.history(self._orders.history_share, self._skipped())

    async def _enqueue(self, found: list[Delivery]) -> None:
        facts = await asyncio.to_thread(self._desk.facts.facts_of, [order.key for order in found])
        missing = [order for order in found if order.order_id not in facts]
        lost, found_after_all = await asyncio.to_thread(self._search, missing)
        facts |= found_after_all
        for order in found:
            if known := facts.get(order.order_id):
                self._take(order)
                self._places += 1
                self._queue.put_nowait((not order.live, self._places, order, known))
            elif order in lost:
                self._take(order)
                nothing = f"nothing is known of what was ordered with {order.order_id}"
                self._done(order, None, self._without_facts(order, nothing))
            else:
                self._waiting[order.order_id] = (order, self._desk.clock.monotonic() + RETRY_S)

    def _take(self, order: Delivery) -> None:
        self._waiting.pop(order.order_id, None)
        self._taken[order.order_id] = order

    def _search(self, missing: list[Delivery]) -> tuple[list[Delivery], dict[str, OrderFacts]]:
        """Orders without facts although those of later orders are there: the lost ones, and what is found after all.

        Files come in in any order, so only one whose delivery has been known for a good while is given up.
        """
        newest = self._desk.deliveries.newest_item() if missing else None
        overdue = [order for order in missing if newest and newest > order.delivered_ts]
        facts = self._desk.facts.facts_of([order.key for order in overdue], LONG_LOOKBACK)
        long_ago = self._desk.clock.now() - self._desk.lost_after
        lost = [order for order in overdue if order.order_id not in facts and order.ingested_at < long_ago]
        return lost, facts

    async def _slot(self) -> None:
        """Decide one order after the other."""
        while True:
            _, _, order, facts = await self._queue.get()
            run = await self._decide(facts)
            self._check_the_model(run)
            self._done(order, facts, run)

    async def _decide(self, facts: OrderFacts) -> Run[RefundAnswer]:
        clock = self._desk.clock
        try:
            if self._orders.endpoint:
                return await ask_endpoint(self._model, facts, clock)
            return await RefundAgent(self._model, facts.tools(), clock).decide(
                facts.order_id, facts.location_id
            )
        except NotAnOrderId as error:
            return self._without_facts(facts, error.message)

    def _check_the_model(self, run: Run[RefundAnswer]) -> None:
        """Tell an order that the model cannot do from a model that can do none. Raises `Unavailable`."""
        if run.outcome != "model_failed":
            self._book.failures_in_a_row = 0
            return
        if self._book.failures_in_a_row >= FAILURES_IN_A_ROW:
            raise Unavailable(
                f"the model refuses one order after the other: {run.error}",
                what_now="See whether the endpoint is a chat model that can use tools.",
            )
        self._book.failures_in_a_row += 1

    def _done(self, order: Delivery, facts: OrderFacts | None, run: Run[RefundAnswer]) -> None:
        self._book.unwritten.append(Recommendation(order, facts, run, self._desk.clock.now()))
        self._history_left -= not order.live
        if not self._busy:
            self._change.set()

    def _without_facts(self, order: Delivery | OrderFacts, why: str) -> Run[RefundAnswer]:
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

    async def _write_what_is_due(self) -> None:
        """Write when enough is finished, when nothing else is left to do, or when it is time."""
        enough = len(self._book.unwritten) >= WRITTEN_TOGETHER
        if enough or not self._busy or self._desk.clock.monotonic() >= self._next_write_s:
            await self._write()

    async def _write(self) -> None:
        self._next_write_s = self._desk.clock.monotonic() + WRITE_S
        finished = list(self._book.unwritten)
        if not finished:
            return
        await asyncio.to_thread(self._desk.store.keep, finished)
        del self._book.unwritten[: len(finished)]
        self._book.note_written(finished)
        for done in finished:
            self._taken.pop(done.delivery.order_id, None)

    async def _something_happens(self, slots: list["asyncio.Task[None]"]) -> None:
        """Wait until there is something to write or it is time to look again. Raises what a slot died of."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._change.wait(), LOOK_S)
        self._change.clear()
        for slot in slots:
            if slot.done():
                slot.result()

    async def _finish(self, slots: list["asyncio.Task[None]"]) -> None:
        """Let the orders in hand come to an end, for a while; those that are only queued are left for the next shift."""
        while not self._queue.empty():
            _, _, order, _ = self._queue.get_nowait()
            self._taken.pop(order.order_id)
        ends_s = self._desk.clock.monotonic() + GRACE_S
        while self._busy and self._desk.clock.monotonic() < ends_s:
            await self._something_happens(slots)

    def _in_line(self) -> list[Delivery]:
        return [*self._taken.values(), *(order for order, _ in self._waiting.values())]

    def _retry_is_due(self, *, live: bool) -> bool:
        now_s = self._desk.clock.monotonic()
        return any(due_s <= now_s for order, due_s in self._waiting.values() if order.live is live)

    def _skipped(self) -> set[str]:
        now_s = self._desk.clock.monotonic()
        return set(self._taken) | {name for name, (_, due_s) in self._waiting.items() if due_s > now_s}

    def _progress(self) -> dict[str, Any]:
        by_origin = self._book.by_origin or Counter()
        boundary = self._desk.deliveries.boundary()
        return {
            "recommended": by_origin.total(),
            "by_origin": dict(by_origin),
            "pending_live": sum(order.live for order in self._in_line()),
            "pending_history": max(0, self._history_left),
            "orders_per_s": self._book.orders_per_s(),
            "model": self._model.name,
            "model_state": self._model.state,
            "history_until": boundary.isoformat() if boundary else None,
        }


def _orders(parameters: Mapping[str, Any]) -> RecommenderOrders:
    try:
        orders = RecommenderOrders.model_validate(dict(parameters))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise InvalidOrders(
            f"the orders make no recommender: {faults}", what_now="Correct the worker's parameters."
        ) from error
    if not (orders.model or orders.endpoint):
        raise InvalidOrders(
            "the orders name neither a model nor an endpoint", what_now="Set the worker's parameter model."
        )
    return orders
