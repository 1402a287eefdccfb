"""Composition root of the admin app."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from caspers.clients.workspace import workspace_client
from caspers.clock import Clock, SystemClock
from caspers.ids import new_id
from caspers.settings import Settings
from caspers.web.app import base_app
from caspers.web.turns import share_few_threads
from databricks.sdk import WorkspaceClient
from fastapi import FastAPI

from admin import api, pages
from admin.assembly import Ground, assemble
from admin.connections import Connections
from admin.control_tables import ControlTables
from admin.demo_stages import DemoStages
from admin.engine.table_registry import TableRegistry, registry_columns
from admin.resources.kinds import kinds
from admin.resources.principal import OwnPrincipal
from admin.sources import SOURCES_FOLDER, Sources

SHUTDOWN_PATIENCE_S = 8.0
"""How long a run may take to stop; the platform kills the process 15 s after it asked it to end."""


def build(settings: Settings) -> FastAPI:
    """The app, ready to serve. Its working directory is its deployed folder, with the sources it deploys."""
    clock = SystemClock()
    workspace = workspace_client(product="caspers-admin")
    connections = Connections(workspace, settings)
    desk = assemble(ground(settings, workspace, connections, clock))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        share_few_threads()
        desk.runs.settle_in_background()
        yield
        desk.runs.close(patience_s=SHUTDOWN_PATIENCE_S)
        desk.replay.close()
        connections.close()

    app = base_app(
        "Casper's admin",
        settings,
        lifespan=lifespan,
        checks={"workspace": workspace.current_user.me},
        look=pages.LOOK,
        clock=clock,
    )
    api.install(app, desk)
    pages.install(app, desk, clock)
    return app


def ground(settings: Settings, workspace: WorkspaceClient, connections: Connections, clock: Clock) -> Ground:
    """What the app stands on: the platform, and the sources that it deploys."""
    names = settings.names
    sources = Sources(Path.cwd() / SOURCES_FOLDER)
    return Ground(
        settings=settings,
        workspace=workspace,
        connections=connections,
        tables=ControlTables(connections.control, clock),
        registry=TableRegistry(names, connections.warehouse, lambda: registry_columns(workspace, names)),
        kinds=kinds(workspace, connections.warehouse, connections.database, sources),
        whoami=OwnPrincipal(workspace),
        stages=DemoStages(settings, sources),
        clock=clock,
        new_id=new_id,
    )
