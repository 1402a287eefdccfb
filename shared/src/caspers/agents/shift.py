"""How agent workers work: every item is decided once, live ones before the history, and the model is kept busy.

A step is a shift of some seconds. Its slots decide items side by side, enough of them to keep the model as busy as it
may be; meanwhile the shift looks for new items, reads their facts, and writes what is finished. A live item waits for
the next free slot at most. Items whose facts are not there yet are tried again; a model that is away ends the shift
with nothing recorded, and the worker backs off.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Generic

from caspers.agents.model_endpoint import CallLimits, ModelEndpoint
from caspers.agents.runs import Run
from caspers.agents.work import A, F, Finished, I, O, Work, read_orders
from caspers.clock import Clock
from caspers.errors import NotFound, Unavailable
from caspers.worker.step import StepContext, StepOutcome

#: Seconds of a shift, between two looks for new items, and until facts that were not complete are read again.
SHIFT_S = 30.0
LOOK_S = 0.5
RETRY_S = 2.0
#: Seconds that items in hand get when a shift ends.
GRACE_S = 5.0
#: Items in hand for each call that may be in flight: while one is between two turns, another one calls.
SLOTS_A_CALL = 2
#: How few items may be left in the queue before some of the history are added.
FEW_ITEMS = 200
#: Finished items that are written together, and how many seconds they may wait for others.
WRITTEN_TOGETHER = 100
WRITE_S = 1.0
#: Failures of the model in a row that are taken for the items' fault; more are the model's.
FAILURES_IN_A_ROW = 4
#: Seconds over which the rate is measured.
RATE_S = 10.0

OpenModel = Callable[[str, CallLimits], ModelEndpoint]


class ShiftWorker(Generic[O, I, F, A]):
    """An agent worker: `step` is one shift, called by one thread."""

    def __init__(self, work: Work[O, I, F, A], open_model: OpenModel, clock: Clock) -> None:
        self._work = work
        self._open_model = open_model
        self._clock = clock
        self._book: _Book[I, F, A] = _Book(clock)

    def step(self, parameters: Mapping[str, Any], context: StepContext) -> StepOutcome:
        """Work until the shift ends. Raises `Invalid`, and `Unavailable` with nothing recorded for those in hand."""
        orders = read_orders(parameters, self._work.orders)
        try:
            awaited = self._work.begin(orders)
        except NotFound:
            awaited = "tables that are not there yet"
        if awaited:
            return StepOutcome({"state": f"waiting for {awaited}"}, next_in_s=RETRY_S)
        return StepOutcome(asyncio.run(self._shift(orders, context)), again=True)

    async def _shift(self, orders: O, context: StepContext) -> dict[str, Any]:
        limits = CallLimits(in_flight=orders.calls_in_flight, per_minute=orders.calls_per_minute)
        model = self._open_model(orders.endpoint or orders.model, limits)
        try:
            return await _Shift(self._work, self._book, model, self._clock).work(context)
        finally:
            await model.close()


class _Book(Generic[I, F, A]):
    """What outlives a shift: results that are not written yet, figures, and how the model fared."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.unwritten: list[Finished[I, F, A]] = []
        self.by_origin: Counter[str] | None = None
        self._failures_in_a_row = 0
        self._written: deque[tuple[float, int]] = deque()

    def note_written(self, finished: list[Finished[I, F, A]]) -> None:
        self.by_origin = (self.by_origin or Counter()) + Counter(each.run.origin for each in finished)
        self._written.append((self._clock.monotonic(), len(finished)))

    def per_s(self) -> float:
        since_s = self._clock.monotonic() - RATE_S
        while self._written and self._written[0][0] < since_s:
            self._written.popleft()
        return round(sum(count for _, count in self._written) / RATE_S, 1)

    def check_the_model(self, run: Run[A]) -> None:
        """Tell an item that the model cannot do from a model that can do none. Raises `Unavailable`."""
        if run.outcome != "model_failed":
            self._failures_in_a_row = 0
            return
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            raise Unavailable(
                f"the model refuses one order after the other: {run.error}",
                what_now="See whether the endpoint is a chat model that can use tools.",
            )
        self._failures_in_a_row += 1


class _Shift(Generic[I, F, A]):
    """One shift; everything in it runs on one event loop."""

    def __init__(
        self, work: Work[Any, I, F, A], book: _Book[I, F, A], model: ModelEndpoint, clock: Clock
    ) -> None:
        self._work, self._book, self._model, self._clock = work, book, model, clock
        self._queue: asyncio.PriorityQueue[tuple[bool, int, I, F]] = asyncio.PriorityQueue()
        self._places = 0
        self._taken = {done.item.subject: done.item for done in book.unwritten}
        self._waiting: dict[str, tuple[I, float]] = {}
        self._change = asyncio.Event()
        self._history_left = 0
        self._next_look_s = self._next_write_s = float("-inf")
        self._more_live = True
        self._no_more_history = False

    async def work(self, context: StepContext) -> dict[str, Any]:
        """Work until the shift is over or interrupted; the progress at its end."""
        ends_s = self._clock.monotonic() + SHIFT_S
        await self._count()
        slots = [
            asyncio.create_task(self._slot()) for _ in range(SLOTS_A_CALL * self._model.limits.in_flight)
        ]
        try:
            while not context.interrupted and self._clock.monotonic() < ends_s:
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
        if self._book.by_origin is None:
            self._book.by_origin = Counter(await asyncio.to_thread(self._work.by_origin))
        self._history_left = await asyncio.to_thread(self._work.history_left)

    async def _look(self) -> None:
        """Queue live items that came in, and some of the history when there is little else to do."""
        now_s = self._clock.monotonic()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + LOOK_S
            few = self._more_live and self._queue.qsize() < FEW_ITEMS
            if await asyncio.to_thread(self._work.news) or few or self._retry_is_due(live=True):
                found = await asyncio.to_thread(self._look_for_live)
                self._more_live = bool(found)
                await self._enqueue(found)
        if self._queue.qsize() < FEW_ITEMS and (not self._no_more_history or self._retry_is_due(live=False)):
            found = await asyncio.to_thread(self._work.history, self._skipped())
            self._no_more_history = not found
            await self._enqueue(found)

    def _look_for_live(self) -> list[I]:
        return self._work.live([item for item in self._in_line() if item.live], self._skipped())

    async def _enqueue(self, found: list[I]) -> None:
        if not found:
            return
        facts = await asyncio.to_thread(self._work.facts_of, found)
        for item in found:
            if item.subject in facts:
                self._waiting.pop(item.subject, None)
                self._taken[item.subject] = item
                self._places += 1
                self._queue.put_nowait((not item.live, self._places, item, facts[item.subject]))
            else:
                self._waiting[item.subject] = (item, self._clock.monotonic() + RETRY_S)

    async def _slot(self) -> None:
        """Decide one item after the other."""
        while True:
            _, _, item, facts = await self._queue.get()
            run = await self._work.decide(item, facts, self._model)
            self._book.check_the_model(run)
            self._book.unwritten.append(Finished(item, facts, run, self._clock.now()))
            self._history_left -= not item.live
            if not self._busy:
                self._change.set()

    async def _write_what_is_due(self) -> None:
        """Write when enough is finished, when nothing else is left to do, or when it is time."""
        enough = len(self._book.unwritten) >= WRITTEN_TOGETHER
        if enough or not self._busy or self._clock.monotonic() >= self._next_write_s:
            await self._write()

    async def _write(self) -> None:
        self._next_write_s = self._clock.monotonic() + WRITE_S
        finished = list(self._book.unwritten)
        if not finished:
            return
        await asyncio.to_thread(self._work.keep, finished)
        del self._book.unwritten[: len(finished)]
        self._book.note_written(finished)
        for done in finished:
            self._taken.pop(done.item.subject, None)

    async def _something_happens(self, slots: list["asyncio.Task[None]"]) -> None:
        """Wait until there is something to write or it is time to look again. Raises what a slot died of."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._change.wait(), LOOK_S)
        self._change.clear()
        for slot in slots:
            if slot.done():
                slot.result()

    async def _finish(self, slots: list["asyncio.Task[None]"]) -> None:
        """Let the items in hand come to an end, for a while; those that are only queued are left for the next shift."""
        while not self._queue.empty():
            _, _, item, _ = self._queue.get_nowait()
            self._taken.pop(item.subject)
        ends_s = self._clock.monotonic() + GRACE_S
        while self._busy and self._clock.monotonic() < ends_s:
            await self._something_happens(slots)

    def _in_line(self) -> list[I]:
        return [*self._taken.values(), *(item for item, _ in self._waiting.values())]

    def _retry_is_due(self, *, live: bool) -> bool:
        now_s = self._clock.monotonic()
        return any(due_s <= now_s for item, due_s in self._waiting.values() if item.live is live)

    def _skipped(self) -> set[str]:
        now_s = self._clock.monotonic()
        return set(self._taken) | {name for name, (_, due_s) in self._waiting.items() if due_s > now_s}

    def _progress(self) -> dict[str, Any]:
        by_origin = self._book.by_origin or Counter()
        return {
            self._work.done_word: by_origin.total(),
            "by_origin": dict(by_origin),
            "pending_live": sum(item.live for item in self._in_line()),
            "pending_history": max(0, self._history_left),
            "per_s": self._book.per_s(),
            "model": self._model.name,
            "model_state": self._model.state,
        } | self._work.progress()
