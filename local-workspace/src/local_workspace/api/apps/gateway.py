"""The proxy in front of all apps: each has a loopback port of its own; one thread serves them all."""

import asyncio
import socket
import threading
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

from local_workspace.api.apps.admission import Admission
from local_workspace.api.apps.fleet import Fleet
from local_workspace.api.apps.logs import AppLogs
from local_workspace.api.apps.relay import Relay

BACKLOG = 512
STOP_TIMEOUT_S = 5.0


class Gateway:
    """Listens for apps, from `open` to `close`."""

    def __init__(self, fleet: Fleet, admission: Admission, logs: AppLogs) -> None:
        self._fleet = fleet
        self._admission = admission
        self._logs = logs
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="app gateway", daemon=True)
        self._servers: dict[str, asyncio.Server] = {}
        self._connections: defaultdict[str, set[asyncio.Task[None]]] = defaultdict(set)

    def start(self) -> None:
        """Get ready to open."""
        self._thread.start()
        self._logs.start()

    def open(self, app: str, port: int) -> int:
        """Listen for an app on this port, or on another one if it is taken; the port that it became."""
        self._logs.follow(app)
        listener = _listener(port)
        self._servers[app] = self._do(self._serve(app, listener))
        return listener.getsockname()[1]

    def close(self, app: str) -> None:
        """Stop listening for an app and end its connections."""
        self._logs.forget(app)
        server = self._servers.pop(app, None)
        if server is not None:
            self._loop.call_soon_threadsafe(server.close)
            for connection in tuple(self._connections[app]):
                self._loop.call_soon_threadsafe(connection.cancel)

    def stop(self) -> None:
        """End everything."""
        self._logs.stop()
        for app in list(self._servers):
            self.close(app)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_TIMEOUT_S)

    async def _serve(self, app: str, listener: socket.socket) -> asyncio.Server:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            relay = Relay(app, (reader, writer), self._fleet, self._admission, self._logs)
            relaying = asyncio.create_task(relay.run())
            self._connections[app].add(relaying)
            relaying.add_done_callback(self._connections[app].discard)

        return await asyncio.start_server(connected, sock=listener, backlog=BACKLOG)

    def _do(self, work: Coroutine[Any, Any, asyncio.Server]) -> asyncio.Server:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _listener(port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's delay off only where it knows the protocol to be TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    return listener
