"""The complaint console: its workers, its API and its pages, wired together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from caspers.clients.lakebase import complaint_database, control_database
from caspers.clients.postgres import Postgres
from caspers.clients.workspace import workspace_client
from caspers.clock import SystemClock
from caspers.settings import Settings
from caspers.web.app import base_app
from fastapi import FastAPI


def build_app(settings: Settings) -> FastAPI:
    """The app, not yet running: its workers start and stop with it."""
    clock = SystemClock()
    workspace = workspace_client(product="caspers-complaint-console")
    control = control_database(workspace, settings)
    database = complaint_database(workspace, settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        yield
        database.close()
        control.close()

    return base_app(
        "Casper's complaints",
        settings,
        lifespan=lifespan,
        checks={
            "control database": lambda: _answers(control),
            "complaint database": lambda: _answers(database),
        },
        clock=clock,
    )


def _answers(database: Postgres) -> None:
    with database.reading() as reader:
        reader.row("SELECT 1")
