"""The refund manager: its workers, its API and its pages, wired together."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from caspers.clients.lakebase import control_database, refund_database
from caspers.clients.postgres import Postgres
from caspers.clients.workspace import workspace_client
from caspers.clock import SystemClock
from caspers.settings import Settings
from caspers.web.app import Look, base_app
from caspers.web.pages import Link
from fastapi import FastAPI

_HERE = Path(__file__).parent


def build_app(settings: Settings) -> FastAPI:
    """The app, not yet running: its workers start and stop with it."""
    clock = SystemClock()
    workspace = workspace_client(product="caspers-refund-manager")
    control = control_database(workspace, settings)
    database = refund_database(workspace, settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        yield
        database.close()
        control.close()

    return base_app(
        "Casper's refunds",
        settings,
        lifespan=lifespan,
        checks={
            "control database": lambda: _answers(control),
            "refund database": lambda: _answers(database),
        },
        look=Look(_HERE / "templates", _HERE / "static", (Link("Queue", "/"),)),
        clock=clock,
    )


def _answers(database: Postgres) -> None:
    with database.reading() as reader:
        reader.row("SELECT 1")
