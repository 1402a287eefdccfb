"""What a console's composition root needs, whichever console it is: the platform it speaks to, and its own tables."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from databricks.sdk import WorkspaceClient
from fastapi import FastAPI
from starlette.types import Lifespan

from caspers.clients.lakebase import control_database
from caspers.clients.postgres import Postgres
from caspers.clients.warehouse import Warehouse
from caspers.clients.warehouse_pool import WarehousePool
from caspers.clients.workspace import workspace_client
from caspers.clock import Clock, SystemClock
from caspers.errors import Unavailable
from caspers.settings import Settings
from caspers.web.app import Look, base_app
from caspers.web.turns import share_few_threads
from caspers.worker.loop import WorkerLoop
from caspers.worker.step import Step, StepContext, StepOutcome


@dataclass(frozen=True)
class Platform:
    """Whom a console speaks to."""

    settings: Settings
    workspace: WorkspaceClient
    control: Postgres
    database: Postgres
    reading: WarehousePool
    clock: Clock

    def warehouse(self) -> Warehouse:
        """A session of its own, for one thread."""
        return Warehouse(self.workspace, self.settings.warehouse_id)

    def checks(self) -> Mapping[str, Callable[[], None]]:
        """What `/readyz` asks."""
        return {
            "control database": lambda: _answers(self.control),
            "own database": lambda: _answers(self.database),
        }

    def close(self) -> None:
        """Close sessions and connections."""
        for resource in (self.reading, self.database, self.control):
            resource.close()


def open_platform(
    settings: Settings, product: str, own_database: Callable[[WorkspaceClient, Settings], Postgres]
) -> Platform:
    """The platform of this process; nothing is connected yet."""
    workspace = workspace_client(product=product)
    return Platform(
        settings,
        workspace,
        control_database(workspace, settings),
        own_database(workspace, settings),
        WarehousePool(lambda: Warehouse(workspace, settings.warehouse_id)),
        SystemClock(),
    )


@dataclass(frozen=True)
class Running:
    """What runs in a console's process: the filling of its queue beside the other workers, and a model to close."""

    filling: "Filling"
    workers: Sequence[WorkerLoop]
    close_model: Callable[[], Awaitable[None]]


def console_app(title: str, look: Look, platform: Platform, running: Running) -> FastAPI:
    """A console's app without its routes."""
    return base_app(
        title,
        platform.settings,
        lifespan=lifespan_of(platform, running.filling, running.workers, running.close_model),
        checks=platform.checks(),
        look=look,
        clock=platform.clock,
    )


class Filling:
    """The worker of a console's cases: it makes the app's own tables before it fills them."""

    def __init__(self, make_tables: Callable[[], None], take_in: Step) -> None:
        self._make_tables = make_tables
        self._take_in = take_in
        self._has_tables = False

    def try_tables(self) -> None:
        """Make the tables if the database answers; the worker insists later."""
        with suppress(Unavailable):
            self._make_tables()

    def step(self, parameters: dict[str, Any], context: StepContext) -> StepOutcome:
        """One step of the intake."""
        if not self._has_tables:
            self._make_tables()
            self._has_tables = True
        return self._take_in(parameters, context)


def lifespan_of(
    platform: Platform,
    filling: Filling,
    workers: Sequence[WorkerLoop],
    close_model: Callable[[], Awaitable[None]],
) -> Lifespan[FastAPI]:
    """The life of a console's process: its tables, its workers, and an end within the platform's limit."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        share_few_threads()
        await asyncio.to_thread(filling.try_tables)
        for worker in workers:
            worker.start()
        yield
        await asyncio.gather(*(asyncio.to_thread(worker.stop) for worker in workers))
        await close_model()
        platform.close()

    return lifespan


def _answers(database: Postgres) -> None:
    with database.reading() as reader:
        reader.row("SELECT 1")
