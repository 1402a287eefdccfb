"""An app's log as the platform shows it: a page at /logz, all lines at /logz/batch, a web socket at /logz/stream.

A client of the socket first sends a text to search for, which may be empty, gets the lines there are, and then those that
come: {"source": "APP" or "SYSTEM", "timestamp": Unix seconds, "message": text}. A single NUL says that there are none.
"""

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template

import h11
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.utils import accept_key

from local_workspace.api.apps.logs import AppLogs, Line
from local_workspace.api.apps.peer import Peer

NOTHING = "\0"
LOOK_EVERY_S = 0.25
ALIVE_EVERY_S = 20
"""A silent socket gets a ping this often, so that a client that is gone is noticed."""

PAGE = Path(__file__).with_name("log_page.html")


async def show(client: Peer, request: h11.Request, logs: AppLogs, app: str) -> None:
    """Answer a request below /logz."""
    headers = dict(request.headers)
    match request.target.partition(b"?")[0].rstrip(b"/"):
        case b"/logz":
            await client.answer(200, "text/html; charset=utf-8", page(app, logs.lines(app)))
        case b"/logz/batch":
            told = [_told(line) for line in logs.lines(app)]
            await client.answer(200, "application/json", json.dumps(told).encode())
        case b"/logz/stream" if b"sec-websocket-key" in headers:
            await _Stream(client, logs, app).run(headers[b"sec-websocket-key"].decode("latin-1"))
        case b"/logz/stream":
            await client.answer(426, "text/plain", b"The log is streamed over a web socket.")
        case _:
            await client.answer(404, "text/plain", b"There are /logz, /logz/batch and /logz/stream.")


def page(app: str, lines: list[Line]) -> bytes:
    """The log as a page that follows it."""
    text = "\n".join(f"{_clock_time(it.timestamp)} {it.source:6} {it.message}" for it in lines)
    filled = Template(PAGE.read_text()).substitute(app=escape(app), lines=escape(text))
    return filled.encode()


class _Stream:
    """One web socket that follows a log."""

    def __init__(self, client: Peer, logs: AppLogs, app: str) -> None:
        self._client = client
        self._logs = logs
        self._app = app
        self._frames = ServerProtocol(state=State.OPEN)
        self._search: str | None = None
        self._last = 0
        self._silent_s = 0.0

    async def run(self, key: str) -> None:
        headers = [("upgrade", "websocket"), ("connection", "Upgrade")]
        accepted = [*headers, ("sec-websocket-accept", accept_key(key))]
        await self._client.send(h11.InformationalResponse(status_code=101, headers=accepted))
        await self._hear(self._client.http.trailing_data[0])
        reading = asyncio.ensure_future(self._client.read())
        try:
            while self._frames.state is State.OPEN:
                done, _ = await asyncio.wait({reading}, timeout=LOOK_EVERY_S)
                if done and not reading.result():
                    return
                if done:
                    await self._hear(reading.result())
                    reading = asyncio.ensure_future(self._client.read())
                await self._stay_alive(told=await self._tell())
        finally:
            reading.cancel()

    async def _stay_alive(self, *, told: bool) -> None:
        self._silent_s = 0.0 if told else self._silent_s + LOOK_EVERY_S
        if self._silent_s >= ALIVE_EVERY_S:
            self._silent_s = 0.0
            self._frames.send_ping(b"")
            await self._flush()

    async def _hear(self, data: bytes) -> None:
        """Take in what the client says; its first message is what to search for."""
        if data:
            self._frames.receive_data(data)
        for event in self._frames.events_received():
            if self._search is None and getattr(event, "opcode", None) in {Opcode.TEXT, Opcode.BINARY}:
                self._search = bytes(getattr(event, "data", b"")).decode(errors="replace")
                await self._begin()
        await self._flush()

    async def _begin(self) -> None:
        if not await self._tell():
            self._frames.send_text(NOTHING.encode())

    async def _tell(self) -> bool:
        """Send the lines that came; whether there were any."""
        if self._search is None:
            return False
        new = self._logs.lines(self._app, after=self._last)
        self._last = new[-1].number if new else self._last
        found = [line for line in new if self._search.lower() in line.message.lower()]
        for line in found:
            self._frames.send_text(json.dumps(_told(line)).encode())
        await self._flush()
        return bool(found)

    async def _flush(self) -> None:
        for data in self._frames.data_to_send():
            if data:
                await self._client.write(data)


def _told(line: Line) -> dict[str, object]:
    fields = asdict(line)
    del fields["number"]
    return fields


def _clock_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S")
