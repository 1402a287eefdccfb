"""The replayer app: two workers, their API and their page, wired together."""

import asyncio
import getpass
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import gettempdir

from caspers.clients.lakebase import control_database
from caspers.clients.postgres import Postgres
from caspers.clients.volume import Volume
from caspers.clients.workspace import workspace_client
from caspers.clock import SystemClock
from caspers.settings import Settings
from caspers.web.app import Look, base_app
from caspers.web.pages import Link
from caspers.worker.loop import WorkerLoop
from fastapi import FastAPI

from replayer import api, pages
from replayer.canonical_data import CanonicalData
from replayer.controls import Controls
from replayer.dataset import Dataset, fetch_dataset
from replayer.replay import Replay
from replayer.standing_orders import WORKER, StandingOrders
from replayer.status import StatusBoard
from replayer.watermark import ReplayMemory

_HERE = Path(__file__).parent


def build_app(settings: Settings) -> FastAPI:
    """The app, not yet running: its workers start and stop with it."""
    clock = SystemClock()
    workspace = workspace_client(product="caspers-replayer")
    database = control_database(workspace, settings)
    cache = Path(gettempdir()) / f"caspers-replayer-{getpass.getuser()}"

    def open_folder(folder: str) -> Dataset:
        return fetch_dataset(Volume(workspace, folder), cache / "fetched")

    names = settings.names
    memory = ReplayMemory(Volume(workspace, names.misc_path))
    replay = Replay(Volume(workspace, names.events_volume_path), memory, open_folder, clock)
    canonical_data = CanonicalData(Volume(workspace, names.canonical_path), cache / "generated")
    replaying = WorkerLoop(WORKER, replay.step, database, clock)
    generating = WorkerLoop("canonical_data", canonical_data.step, database, clock)
    workers = (generating, replaying)
    board = StatusBoard(replay, replaying, generating, clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        for worker in workers:
            worker.start()
        yield
        await asyncio.gather(*(asyncio.to_thread(worker.stop) for worker in workers))
        database.close()

    app = base_app(
        "Casper's replayer",
        settings,
        lifespan=lifespan,
        checks={"volume": memory.sim_start, "control database": lambda: _answers(database)},
        look=Look(_HERE / "templates", _HERE / "static", (Link("Replay", "/"),)),
        clock=clock,
    )
    desk = api.Desk(board, Controls(replay, replaying.wake), StandingOrders(database))
    app.include_router(api.router(desk))
    app.include_router(pages.router(board))
    return app


def _answers(database: Postgres) -> None:
    with database.reading() as reader:
        reader.row("SELECT 1")
