"""Composition root of the admin app."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from caspers.clients.workspace import workspace_client
from caspers.clock import SystemClock
from caspers.ids import new_id
from caspers.settings import Settings
from caspers.web.app import Look, base_app
from caspers.web.pages import Link
from databricks.sdk import WorkspaceClient
from fastapi import FastAPI

from admin import api, pages
from admin.agent_lines import COMPLAINTS, REFUNDS, LineReader
from admin.connections import Connections
from admin.control_plane import ControlPlane
from admin.engine import Engine
from admin.registry import TableRegistry
from admin.resources.kinds import kinds
from admin.run_history import RunHistory
from admin.runs import Runs
from admin.sources import SOURCES_FOLDER, Sources
from admin.status import StatusReader
from admin.workers import Workers

SHUTDOWN_PATIENCE_S = 8.0
"""How long a run may take to stop; the platform kills the process 15 s after it asked it to end."""

HERE = Path(__file__).parent


def build(settings: Settings) -> FastAPI:
    """The app, ready to serve. Its working directory is its deployed folder, with the sources it deploys."""
    clock = SystemClock()
    workspace = workspace_client(product="caspers-admin")
    connections = Connections(workspace, settings)
    sources = Sources(Path.cwd() / SOURCES_FOLDER)
    registry = TableRegistry(
        settings.names, connections.warehouse, lambda: _has_registry(workspace, settings)
    )
    engine = Engine(kinds(workspace, connections.warehouse, connections.database, sources), registry, clock)
    runs = Runs(clock, new_id, RunHistory(connections.control))
    workers = Workers(connections.control, clock)
    plane = ControlPlane(settings, sources, engine, registry, runs)
    lines = [
        LineReader(line, workspace, connections.warehouse, database, settings.names)
        for line, database in ((REFUNDS, connections.refunds), (COMPLAINTS, connections.complaints))
    ]
    status = StatusReader(workspace, connections.warehouse, settings.names, registry, workers, lines=lines)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        runs.remember()
        yield
        runs.close(patience_s=SHUTDOWN_PATIENCE_S)
        connections.close()

    app = base_app(
        "Casper's admin",
        settings,
        lifespan=lifespan,
        checks={"workspace": workspace.current_user.me},
        look=Look(templates=HERE / "templates", navigation=(Link("Status", "/"), Link("API", "/docs"))),
        clock=clock,
    )
    app.include_router(api.router(plane, workers, status))
    app.include_router(pages.router(plane, workers, status))
    return app


def _has_registry(workspace: WorkspaceClient, settings: Settings) -> bool:
    return bool(workspace.tables.exists(settings.names.resources_table).table_exists)
