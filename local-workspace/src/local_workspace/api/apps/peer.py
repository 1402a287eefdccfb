"""One side of a connection: HTTP/1.1 over a stream."""

import asyncio
from contextlib import suppress

import h11

READ_BYTES = 65_536


class ClientGone(Exception):
    """The client closed the connection before it had its answer."""


class AppGone(Exception):
    """The app is not there, or closed the connection before it had answered."""


class Peer:
    """One side of the relay: HTTP/1.1 over a stream; `gone` is raised when the other end is."""

    def __init__(
        self,
        role: type[h11.CLIENT | h11.SERVER],
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        gone: type[Exception],
    ) -> None:
        self.http = h11.Connection(role)
        self.reader, self.writer = streams
        self._gone = gone

    async def next_event(self) -> h11.Event:
        """What the peer says next; waits for it."""
        while True:
            try:
                event = self.http.next_event()
            except h11.RemoteProtocolError as error:
                raise self._gone from error
            if event is h11.PAUSED:
                return h11.ConnectionClosed()
            if isinstance(event, h11.Event):
                return event
            if self.http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self.http.receive_data(await self.read())

    async def read(self) -> bytes:
        """The next bytes; none at the end."""
        try:
            return await self.reader.read(READ_BYTES)
        except OSError as error:
            raise self._gone from error

    async def write(self, data: bytes) -> None:
        """Send bytes; waits while the peer's buffer is full."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError as error:
            raise self._gone from error

    async def send(self, event: h11.Event) -> None:
        """Say something to the peer."""
        data = self.http.send(event)
        if data:
            await self.write(data)

    async def close(self) -> None:
        """Close the stream; a peer that is gone already is fine."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def answer(self, status: int, content_type: str, body: bytes) -> None:
        """A whole answer, after which the connection is over."""
        headers = [
            ("content-type", content_type),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        await self.send(h11.Response(status_code=status, headers=headers))
        await self.send(h11.Data(data=body))
        await self.send(h11.EndOfMessage())
