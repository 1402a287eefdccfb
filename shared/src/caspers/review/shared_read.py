"""One read for everybody who asks at the same time: what is asked for often and is the same for all.

Whoever asks gets an answer that was read after they asked, so nobody misses what they have just written; however
many ask while a read is on its way share the one that follows it.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedRead(Generic[T]):
    """Shares `read`, a blocking function that runs in a thread. For one event loop."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._now: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """The answer of a read that begins from now on. Raises what reading raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._now))
        # Whoever goes away must not take the answer from the others.
        return await asyncio.shield(self._next)

    async def _after(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._now, self._next = self._next, None
        return await asyncio.to_thread(self._read)
