"""Composition root of the admin app."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from caspers.clients.workspace import workspace_client
from caspers.clock import Clock, SystemClock
from caspers.ids import new_id
from caspers.settings import Settings
from caspers.web.app import base_app
from caspers.web.turns import SlowLane, share_few_threads
from databricks.sdk import WorkspaceClient
from fastapi import FastAPI

from admin import api, pages
from admin.activity import Activity
from admin.agent_lines import COMPLAINTS, REFUNDS, LineReader
from admin.connections import Connections
from admin.control_plane import ControlPlane
from admin.control_tables import ControlTables
from admin.demo_stages import DemoStages
from admin.desk import Desk
from admin.engine import Engine
from admin.inspection import Inspection
from admin.overview import Overview
from admin.registry import TableRegistry, registry_columns
from admin.replay_clock import ReplayClock
from admin.resources.kinds import kinds
from admin.resources.principal import OwnPrincipal
from admin.roles import Roles
from admin.run_store import RunStore
from admin.running import Runs
from admin.sources import SOURCES_FOLDER, Sources
from admin.status import StatusReader
from admin.undertaking import Undertakings
from admin.workers import Workers

SHUTDOWN_PATIENCE_S = 8.0
"""How long a run may take to stop; the platform kills the process 15 s after it asked it to end."""


def build(settings: Settings) -> FastAPI:
    """The app, ready to serve. Its working directory is its deployed folder, with the sources it deploys."""
    clock = SystemClock()
    workspace = workspace_client(product="caspers-admin")
    connections = Connections(workspace, settings)
    desk = open_desk(settings, workspace, connections, Sources(Path.cwd() / SOURCES_FOLDER), clock)

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


def open_desk(
    settings: Settings, workspace: WorkspaceClient, connections: Connections, sources: Sources, clock: Clock
) -> Desk:
    """All that the app shows and does, wired together."""
    tables = ControlTables(connections.control, clock)
    names = settings.names
    registry = TableRegistry(names, connections.warehouse, lambda: registry_columns(workspace, names))
    known_kinds = kinds(workspace, connections.warehouse, connections.database, sources)
    engine = Engine(known_kinds, registry, clock, OwnPrincipal(workspace))
    activity = Activity(tables, clock)
    runs = Runs(RunStore(tables), tables, clock, new_id)
    stages = DemoStages(settings, sources)
    workers = Workers(tables, activity, clock, stages.workers())
    inspection = Inspection(known_kinds, workspace.config.host or "")
    overview = Overview(stages, registry, inspection, runs, workers, clock=clock)
    lines = [
        LineReader(line, workspace, connections.warehouse, database, names)
        for line, database in ((REFUNDS, connections.refunds), (COMPLAINTS, connections.complaints))
    ]
    return Desk(
        plane=ControlPlane(Undertakings(stages, engine, registry, runs), runs, overview, activity),
        overview=overview,
        runs=runs,
        workers=workers,
        replay=ReplayClock(workspace, names.replayer_app, activity),
        activity=activity,
        roles=Roles(tables, settings.admin_owner, clock),
        status=StatusReader(workspace, connections.warehouse, names, registry, workers, lines=lines),
        slow=SlowLane(),
    )
