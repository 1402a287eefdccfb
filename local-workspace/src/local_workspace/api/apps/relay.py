"""One connection to an app: requests go to its process, answers come back as they are made, web sockets pass through."""

import asyncio
from contextlib import suppress

import h11

from local_workspace.api.apps import log_view, pages
from local_workspace.api.apps.admission import Admission, Headers, Refusal, is_log
from local_workspace.api.apps.fleet import Fleet
from local_workspace.api.apps.logs import AppLogs
from local_workspace.api.apps.peer import AppGone, ClientGone, Peer

REQUEST_LIMIT_S = 120.0
"""The platform's proxy cuts every request after this time; web sockets are exempt."""


class Relay:
    """A client's connection, and the one to the app that goes with it."""

    def __init__(
        self,
        app: str,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        fleet: Fleet,
        admission: Admission,
        logs: AppLogs,
    ) -> None:
        self._app = app
        self._logs = logs
        self._client = Peer(h11.SERVER, streams, ClientGone)
        self._upstream: Peer | None = None
        self._fleet = fleet
        self._admission = admission

    async def run(self) -> None:
        """Serve request after request until one side has enough."""
        try:
            while await self._exchange():
                self._client.http.start_next_cycle()
        except (ClientGone, AppGone, h11.ProtocolError):
            pass  # there is nobody left to tell, or the answer has begun and cannot be taken back
        finally:
            for peer in filter(None, (self._client, self._upstream)):
                await peer.close()

    async def _exchange(self) -> bool:
        """One request and its answer; whether the connection can carry another."""
        request = await self._client.next_event()
        if not isinstance(request, h11.Request):
            return False
        headers = list(request.headers)
        verdict = self._admission.decide(self._app, request.method, request.target, headers)
        if isinstance(verdict, Refusal):
            await self._client.answer(verdict.status, *pages.refusal(verdict))
            return False
        if is_log(request.target):
            await log_view.show(self._client, request, self._logs, self._app)
            return False
        try:
            async with asyncio.timeout(REQUEST_LIMIT_S) as limit:
                await self._forward(request, verdict, limit)
        except (AppGone, TimeoutError) as error:
            await self._say_unavailable(headers, 504 if isinstance(error, TimeoutError) else 502)
            return False
        return self._client.http.our_state is h11.DONE and self._client.http.their_state is h11.DONE

    async def _forward(self, request: h11.Request, headers: Headers, limit: asyncio.Timeout) -> None:
        upstream = await self._connected()
        try:
            await upstream.send(h11.Request(method=request.method, target=request.target, headers=headers))
            switched = await self._both_ways(upstream)
        except BaseException:
            self._upstream = None
            await upstream.close()
            raise
        if switched:
            limit.reschedule(None)
            await _pass_bytes(self._client, upstream)
        if upstream.http.our_state is h11.DONE and upstream.http.their_state is h11.DONE:
            upstream.http.start_next_cycle()
        else:
            self._upstream = None
            await upstream.close()

    async def _connected(self) -> Peer:
        """The connection to the app: the last one, if the app keeps it open."""
        if self._upstream is not None and not self._upstream.reader.at_eof():
            return self._upstream
        port = self._fleet.status(self._app).port
        if port is None:
            raise AppGone
        try:
            self._upstream = Peer(h11.CLIENT, await asyncio.open_connection("127.0.0.1", port), AppGone)
        except OSError as error:
            raise AppGone from error
        return self._upstream

    async def _both_ways(self, upstream: Peer) -> bool:
        """Pass the request's body and the answer, at the same time; True if they went on to speak another protocol."""
        sending = asyncio.create_task(self._pass_request(upstream))
        receiving = asyncio.create_task(self._pass_answer(upstream))
        try:
            await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            return await receiving
        finally:
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)

    async def _pass_request(self, upstream: Peer) -> None:
        """Pass the body; then notice if the client goes while its answer is made."""
        event = await self._client.next_event()
        while isinstance(event, h11.Data):
            await self._tell(upstream, event)
            event = await self._client.next_event()
        if not isinstance(event, h11.EndOfMessage):
            raise ClientGone
        await self._tell(upstream, event)
        early = await self._client.read()
        if not early:
            raise ClientGone
        self._client.http.receive_data(early)

    async def _tell(self, upstream: Peer, event: h11.Event) -> None:
        with suppress(AppGone):  # it may have answered already; that is seen on the way back
            await upstream.send(event)

    async def _pass_answer(self, upstream: Peer) -> bool:
        while True:
            event = await upstream.next_event()
            match event:
                case h11.InformationalResponse(status_code=101):
                    await self._client.send(event)
                    return True
                case h11.InformationalResponse():
                    continue
                case h11.Response():
                    await self._client.send(_without_connection(event))
                case h11.Data():
                    await self._client.send(event)
                case h11.EndOfMessage():
                    await self._client.send(event)
                    return False
                case _:
                    raise AppGone

    async def _say_unavailable(self, headers: Headers, status: int) -> None:
        if self._client.http.our_state is h11.SEND_RESPONSE:
            html = b"text/html" in dict(headers).get(b"accept", b"")
            body = pages.unavailable(self._app, self._fleet.status(self._app), html=html)
            await self._client.answer(status, *body)


async def _pass_bytes(client: Peer, upstream: Peer) -> None:
    """Let two peers that have switched protocols talk until one of them stops."""

    async def pump(source: Peer, target: Peer) -> None:
        data, _closed = source.http.trailing_data
        while data or not source.reader.at_eof():
            await target.write(data)
            data = await source.read()

    pumps = {asyncio.create_task(pump(client, upstream)), asyncio.create_task(pump(upstream, client))}
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


def _without_connection(response: h11.Response) -> h11.Response:
    headers = [
        (name, value) for name, value in response.headers if name not in {b"connection", b"keep-alive"}
    ]
    return h11.Response(status_code=response.status_code, headers=headers, reason=response.reason)
