"""A running server around an app of the shared base, for tests that speak HTTP to it."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from caspers.settings import Settings
from caspers.web.app import server
from fastapi import FastAPI

from tests.support.waiting import wait_for

PERSON = {
    "X-Forwarded-User": "42",
    "X-Forwarded-Email": "ada@example.com",
    "X-Forwarded-Preferred-Username": "ada",
}


@dataclass(frozen=True)
class Served:
    """A server, the thread it runs in, and a client that speaks to it."""

    client: httpx.Client
    server: uvicorn.Server
    thread: threading.Thread

    def terminate(self) -> None:
        """What SIGTERM does to the server."""
        self.server.handle_exit(signal.SIGTERM, None)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def settings(**values: object) -> Settings:
    return Settings.model_validate({"app_name": "test", "app_port": free_port(), **values})


@contextmanager
def serving(app: FastAPI) -> Iterator[Served]:
    """Run the app's server until the end of the block."""
    running = server(app, app.state.settings)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    wait_for(lambda: running.started, what="the server listens")
    with httpx.Client(base_url=f"http://127.0.0.1:{app.state.settings.app_port}") as client:
        yield Served(client, running, thread)
    running.should_exit = True
    thread.join(10)
