"""Running the workspace: one per home, on one port, announced by a file once it answers."""

import asyncio
import fcntl
import gc
import json
import os
import re
import signal
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import uvicorn

from local_workspace import errors
from local_workspace.bad_days import ClosableProtocol
from local_workspace.clock import SystemClock
from local_workspace.config import Config
from local_workspace.server import Workspace, application, assemble

PLAIN_PATH = re.compile(r"[A-Za-z0-9/._@+=-]+")
"""Sail writes percent signs for anything else, and would not find its own files again."""


class CannotStart(Exception):
    """The workspace cannot run here; the message says why and what to do."""


def serve(config: Config) -> None:
    """Run the workspace until SIGTERM or SIGINT.

    Raises:
        CannotStart: the home cannot be used, is in use already, or the port is taken.
    """
    _prepare_home(config)
    lock = _lock(config)
    listener = _listen(config)
    config = replace(config, port=listener.getsockname()[1])
    workspace = assemble(config, SystemClock())
    server = _AnnouncingServer(workspace)
    # Once it has stopped, the server raises the signal again; without a handler of ours we would end right there.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    # What is loaded stays for good; to search it for garbage again would hold all requests for a tenth of a second.
    gc.freeze()
    try:
        server.run(sockets=[listener])
    finally:
        config.connection_file.unlink(missing_ok=True)
        lock.close()


class _AnnouncingServer(uvicorn.Server):
    """A server that writes the connection file when it accepts requests, and stops what runs before it closes."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            uvicorn.Config(
                application(workspace),
                log_level="warning",
                timeout_graceful_shutdown=5,
                http=ClosableProtocol if workspace.config.bad_days else "httptools",
            )
        )
        self._workspace = workspace

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.to_thread(self._workspace.stop_all)
        await super().shutdown(sockets)

    def _announce(self) -> None:
        config = self._workspace.config
        url = f"http://{config.host}:{config.port}"
        connection = {"url": url, "token": _local_token(self._workspace), "pid": os.getpid()}
        _write_private(config.connection_file, json.dumps(connection))


def _local_token(workspace: Workspace) -> str:
    """The local user's personal token: one for the life of the home."""
    kept = workspace.config.home / "token"
    with suppress(FileNotFoundError, errors.Unauthenticated):
        token = kept.read_text()
        workspace.identities.authenticate(token)
        return token
    token = workspace.identities.issue_personal_token(workspace.identities.ensure_local_user())
    _write_private(kept, token)
    return token


def _write_private(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.replace(path)


def _prepare_home(config: Config) -> None:
    if not PLAIN_PATH.fullmatch(str(config.home)):
        raise CannotStart(
            f"The home {config.home} has characters that the SQL engine cannot keep tables under. "
            "Choose one of plain letters, digits and ._- with --home."
        )
    try:
        for directory in (
            config.home,
            config.catalogs,
            config.files,
            config.lakebase,
            config.apps,
            config.pipelines,
            config.logs,
        ):
            directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"The home {config.home} cannot be used: {error.strerror}. Choose another with --home."
        ) from error


def _lock(config: Config) -> TextIO:
    try:
        file = config.lock_file.open("a+")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(
            f"A workspace is already running on {config.home}. Stop it, or choose another --home."
        ) from None
    except OSError as error:
        raise CannotStart(
            f"The home {config.home} cannot be used: {error.strerror}. Choose another with --home."
        ) from error
    return file


def _listen(config: Config) -> socket.socket:
    # The protocol is named, or asyncio leaves Nagle's algorithm on and every small answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"Port {config.port} on {config.host} cannot be used: {error.strerror}. Choose another with --port."
        ) from error
    listener.listen(2048)
    return listener
