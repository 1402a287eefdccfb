"""A run as it goes, by server-sent events: `run` whenever it changes, `log` for each line; the end of the run ends it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

from caspers.clock import SystemClock
from caspers.web.live import RECONNECT_MS, Life, passed
from fastapi import APIRouter, Header, Request, Response
from fastapi.sse import format_sse_event
from pydantic import TypeAdapter
from starlette.responses import StreamingResponse

from admin.desk import Desk
from admin.runs.run import GOING_ON
from admin.runs.store import LogFilters
from admin.shapes import LogLine, RunDetail

LOOK_EVERY_S = 0.25
MOST_LINES = 1_000
"""Lines that are sent at one look; the rest follow with the next."""

RUN = TypeAdapter(RunDetail)
LINE = TypeAdapter(LogLine)
OVER = "over"


def router(desk: Desk) -> APIRouter:
    """The stream of one run."""
    api = APIRouter(prefix="/runs", tags=["live"])

    @api.get(
        "/{run_id}/events",
        summary="Follow a run",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}, 204: {"description": "There is no more"}},
    )
    async def follow(
        request: Request,
        run_id: str,
        last_event_id: Annotated[str, Header(description="sent by browsers when they come back")] = "",
    ) -> Response:
        """Events `run` (the run with its steps) and `log` (a line). A stream ends after 90 s or with the run."""
        if last_event_id == OVER:
            return Response(status_code=204)
        await asyncio.to_thread(desk.runs.detail, run_id)
        following = _Following(desk, run_id, _line_of(last_event_id))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(following.events(request), media_type="text/event-stream", headers=headers)

    return api


class _Following:
    """One watcher of one run; the id of each event tells up to which line of the log the watcher is."""

    def __init__(self, desk: Desk, run_id: str, line: int) -> None:
        self._desk = desk
        self._run_id = run_id
        self._line = line
        self._version: int | None = None

    async def events(self, request: Request) -> AsyncGenerator[bytes, None]:
        shutting_down: asyncio.Event = request.app.state.shutting_down
        life, clock = Life(), SystemClock()
        ends_s = clock.monotonic() + life.longest_s
        said_s = clock.monotonic()
        yield format_sse_event(retry=RECONNECT_MS)
        while clock.monotonic() < ends_s and not shutting_down.is_set():
            news, over = await asyncio.to_thread(self._news)
            if not news and clock.monotonic() - said_s >= life.heartbeat_s:
                news = [format_sse_event(event="heartbeat", data_str="{}")]
            for event in news:
                said_s = clock.monotonic()
                yield event
            if over:
                return
            await passed(shutting_down, LOOK_EVERY_S)

    def _news(self) -> tuple[list[bytes], bool]:
        """What is new, and whether the run is over and all of it told."""
        own = self._desk.runs.own(self._run_id)
        version = None if own is None else own.version
        if version is not None and version == self._version:
            return [], False
        self._version = version
        run = self._desk.runs.detail(self._run_id)
        log = self._desk.runs.log(self._run_id, LogFilters(after=self._line), MOST_LINES)
        self._line = log.next
        over = run.state not in GOING_ON and not log.more
        if log.more:
            self._version = None
        lines = [
            format_sse_event(event="log", id=str(line.seq), data_str=LINE.dump_json(line).decode())
            for line in log.entries
        ]
        event_id = OVER if over else str(self._line)
        return [
            *lines,
            format_sse_event(event="run", id=event_id, data_str=RUN.dump_json(run).decode()),
        ], over


def _line_of(event_id: str) -> int:
    return int(event_id) if event_id.isdecimal() and len(event_id) < 10 else 0
