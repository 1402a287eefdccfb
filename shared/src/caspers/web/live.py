"""Live pages by server-sent events, politely: nothing is held while idle, a stream ends by itself and is resumed.

The platform's proxy cuts a request at 120 s and may hold bytes back, so a stream sends heartbeats, ends before the
cut and at shutdown, and the browser reconnects with `Last-Event-ID`; an event it already has is not sent again.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from sse_starlette import EventSourceResponse, ServerSentEvent

from caspers.clock import Clock, SystemClock
from caspers.errors import CaspersError

#: How long the browser waits before it reconnects.
RECONNECT_MS = 1_000


@dataclass(frozen=True)
class Life:
    """The life of one stream, in seconds: how long it may be silent, and how long it lasts (the proxy cuts at 120)."""

    heartbeat_s: float = 10.0
    longest_s: float = 90.0


@dataclass(frozen=True)
class Snapshot:
    """What there is to show at a moment; the id follows from the content, so equal content has equal ids."""

    id: str
    data: str


class Feed:
    """The current content behind a live page. However many pages are open, it is read once per `every_s` seconds."""

    def __init__(self, read: Callable[[], Any], *, every_s: float = 1.0, clock: Clock | None = None) -> None:
        self.every_s = every_s
        self._read = read
        self._clock = clock or SystemClock()
        self._latest: Snapshot | None = None
        self._read_at_s = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def current(self) -> Snapshot:
        """The content, at most `every_s` old. Raises what reading raises."""
        async with self._one_at_a_time:
            if self._latest is None or self._clock.monotonic() - self._read_at_s >= self.every_s:
                self._latest = _snapshot(await asyncio.to_thread(self._read))
                self._read_at_s = self._clock.monotonic()
            return self._latest


def stream(
    request: Request, feed: Feed, *, event: str = "update", life: Life | None = None
) -> EventSourceResponse:
    """Answer with the feed's content now, and again whenever it changes."""
    events = _events(request, feed, event, life or Life())
    # Heartbeats are events of ours: browsers do not tell a page about the comments that a ping would send.
    return EventSourceResponse(events, ping=0, headers={"X-Accel-Buffering": "no"})


async def _events(
    request: Request, feed: Feed, event: str, life: Life
) -> AsyncGenerator[ServerSentEvent, None]:
    shutting_down: asyncio.Event = request.app.state.shutting_down
    clock = SystemClock()
    ends_s = clock.monotonic() + life.longest_s
    known = request.headers.get("last-event-id", "")
    yield ServerSentEvent(comment="welcome", retry=RECONNECT_MS)
    said_s = clock.monotonic()
    while clock.monotonic() < ends_s and not shutting_down.is_set():
        told = await _news(feed, event, known)
        if told is None and clock.monotonic() - said_s >= life.heartbeat_s:
            told = ServerSentEvent(event="heartbeat", data="{}")
        if told is not None:
            known = told.id or known
            said_s = clock.monotonic()
            yield told
        await _passed(shutting_down, feed.every_s)


async def _news(feed: Feed, event: str, known: str) -> ServerSentEvent | None:
    """The content if it is another than the one `known`, or the trouble with reading it."""
    try:
        snapshot = await feed.current()
    except CaspersError as error:
        return ServerSentEvent(event="trouble", data=json.dumps({"detail": error.message}))
    return None if snapshot.id == known else ServerSentEvent(event=event, id=snapshot.id, data=snapshot.data)


async def _passed(event: asyncio.Event, seconds: float) -> None:
    """Return after `seconds`, or as soon as `event` is set."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _snapshot(content: Any) -> Snapshot:
    data = content if isinstance(content, str) else json.dumps(jsonable_encoder(content))
    return Snapshot(hashlib.blake2b(data.encode(), digest_size=8).hexdigest(), data)
