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
from fastapi.sse import format_sse_event
from starlette.responses import StreamingResponse

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
) -> StreamingResponse:
    """Answer with the feed's content now, and again whenever it changes."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = _events(request, feed, event, life or Life())
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def passed(event: asyncio.Event, seconds: float) -> None:
    """Return after `seconds`, or as soon as `event` is set."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


async def _events(request: Request, feed: Feed, event: str, life: Life) -> AsyncGenerator[bytes, None]:
    shutting_down: asyncio.Event = request.app.state.shutting_down
    clock = SystemClock()
    ends_s = clock.monotonic() + life.longest_s
    known = request.headers.get("last-event-id", "")
    yield format_sse_event(retry=RECONNECT_MS)
    said_s = clock.monotonic()
    while clock.monotonic() < ends_s and not shutting_down.is_set():
        try:
            snapshot = await feed.current()
        except CaspersError as error:
            told = format_sse_event(event="trouble", data_str=json.dumps({"detail": error.message}))
        else:
            told = _news(snapshot, event, known)
            known = snapshot.id
        if told is None and clock.monotonic() - said_s >= life.heartbeat_s:
            # An event, not a comment: browsers do not tell a page about comments.
            told = format_sse_event(event="heartbeat", data_str="{}")
        if told is not None:
            said_s = clock.monotonic()
            yield told
        await passed(shutting_down, feed.every_s)


def _news(snapshot: Snapshot, event: str, known: str) -> bytes | None:
    if snapshot.id == known:
        return None
    return format_sse_event(event=event, id=snapshot.id, data_str=snapshot.data)


def _snapshot(content: Any) -> Snapshot:
    data = content if isinstance(content, str) else json.dumps(jsonable_encoder(content))
    return Snapshot(hashlib.blake2b(data.encode(), digest_size=8).hexdigest(), data)
