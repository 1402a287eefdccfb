"""Assembly: the engines, the API families and the home page, each a line in one list."""

import fcntl
import json
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import uvicorn
from fastapi import APIRouter, FastAPI

from local_workspace import errors, ids
from local_workspace.api.files import routes as files
from local_workspace.api.files import upload_routes
from local_workspace.api.files.rules import VolumeFiles
from local_workspace.api.files.uploads import Uploads
from local_workspace.api.oauth import routes as oauth
from local_workspace.api.permissions import routes as permission_routes
from local_workspace.api.permissions.rows import PermissionRows
from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.postgres import routes as postgres
from local_workspace.api.postgres.branch import Branch
from local_workspace.api.postgres.rows import LakebaseRows
from local_workspace.api.postgres.rules import Lakebase
from local_workspace.api.sql.assembly import sql_service
from local_workspace.api.unity_catalog import routes as unity_catalog_routes
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.clock import Clock, SystemClock
from local_workspace.config import Config
from local_workspace.engines.disk import Storage
from local_workspace.engines.spark import Spark
from local_workspace.identity import Identities
from local_workspace.state import State


class CannotStart(Exception):
    """The workspace cannot run here; the message says why and what to do."""


@dataclass
class Workspace:
    """Everything that runs, put together.

    Attributes:
        routers: the API families and pages.
        start: called in order when the server starts; each may take seconds.
        stop: called in reverse order when it stops.
    """

    config: Config
    identities: Identities
    state: State
    routers: list[APIRouter] = field(default_factory=list)
    start: list[Callable[[], None]] = field(default_factory=list)
    stop: list[Callable[[], None]] = field(default_factory=list)


def assemble(config: Config, clock: Clock) -> Workspace:
    """Build every part of the workspace; nothing runs yet."""
    state = State(config.database)
    identities = Identities(state, clock)
    workspace = Workspace(config, identities, state)
    unity_catalog = UnityCatalog(state, identities, clock, Storage(config.catalogs))
    volume_files = VolumeFiles(unity_catalog)
    permissions = Permissions(PermissionRows(state))
    lakebase = Lakebase(LakebaseRows(state), permissions, clock, config.lakebase)
    workspace.start.append(lakebase.start)
    workspace.stop.append(lakebase.stop)
    spark = Spark(config.home / "engine", config.logs / "sql-engine.log", clock)
    sql = sql_service(config, state, identities, spark, clock)
    workspace.start.append(spark.start)
    workspace.stop += [spark.stop, sql.stop]
    workspace.routers += [
        oauth.router(identities, workspace_id(state)),
        permission_routes.router(permissions),
        postgres.router(lakebase, Branch(lakebase)),
        files.router(volume_files),
        upload_routes.router(Uploads(volume_files, unity_catalog.storage, clock)),
        unity_catalog_routes.router(unity_catalog, workspace_id(state)),
    ]
    workspace.routers += sql.routers(clock)
    return workspace


def application(workspace: Workspace) -> FastAPI:
    """The ASGI application of an assembled workspace."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        stopping: list[Callable[[], None]] = []
        try:
            for start in workspace.start:
                start()
            stopping = workspace.stop
            yield
        finally:
            for stop in reversed(stopping or workspace.stop):
                stop()
            workspace.state.close()

    app = FastAPI(title="Local workspace", lifespan=lifespan)
    app.state.identities = workspace.identities
    errors.install(app)
    for router in workspace.routers:
        app.include_router(router)
    return app


def workspace_id(state: State) -> int:
    """The number of this workspace, chosen once."""
    state.define("CREATE TABLE IF NOT EXISTS workspace (id INTEGER NOT NULL)")
    with state.transaction() as connection:
        row = connection.execute("SELECT id FROM workspace").fetchone()
        if row is None:
            row = {"id": ids.new_number()}
            connection.execute("INSERT INTO workspace VALUES (?)", (row["id"],))
        return int(row["id"])


def serve(config: Config) -> None:
    """Run the workspace until SIGTERM or SIGINT.

    Raises:
        CannotStart: the home cannot be used, is in use already, or the port is taken.
    """
    _prepare_home(config)
    lock = _lock(config)
    listener = _listen(config)
    config = Config(config.home, listener.getsockname()[1], config.host)
    workspace = assemble(config, SystemClock())
    server = uvicorn.Server(
        uvicorn.Config(application(workspace), log_level="warning", timeout_graceful_shutdown=5, http="httptools")
    )
    announced = _announce_when_ready(server, workspace)
    try:
        announced.run(sockets=[listener])
    finally:
        config.connection_file.unlink(missing_ok=True)
        lock.close()


class _AnnouncingServer(uvicorn.Server):
    """A server that writes the connection file when it accepts requests."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def _announce_when_ready(server: uvicorn.Server, workspace: Workspace) -> uvicorn.Server:
    config = workspace.config

    def announce() -> None:
        token = _local_token(workspace)
        connection = {"url": f"http://{config.host}:{config.port}", "token": token, "pid": os.getpid()}
        _write_private(config.connection_file, json.dumps(connection))

    return _AnnouncingServer(server.config, announce)


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
    try:
        for directory in (config.home, config.catalogs, config.files, config.lakebase, config.apps, config.pipelines, config.logs):
            directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The home {config.home} cannot be used: {error.strerror}. Choose another with --home.") from error


def _lock(config: Config) -> TextIO:
    try:
        file = config.lock_file.open("a+")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"A workspace is already running on {config.home}. Stop it, or choose another --home.") from None
    except OSError as error:
        raise CannotStart(f"The home {config.home} cannot be used: {error.strerror}. Choose another with --home.") from error
    return file


def _listen(config: Config) -> socket.socket:
    listener = socket.socket()
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


def ignore_interrupts_in_children() -> None:
    """Ctrl-C reaches the whole process group; children wait for our own orderly stop instead."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
