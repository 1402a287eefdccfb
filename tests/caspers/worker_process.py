"""A whole worker process for the tests that kill it: python worker_process.py DATABASE_URL PORT."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from caspers.clients.postgres import Postgres
from caspers.clock import SystemClock
from caspers.settings import Settings
from caspers.web.app import base_app, serve
from caspers.worker.loop import WorkerLoop
from caspers.worker.step import StepContext, StepOutcome
from fastapi import FastAPI

from tests.caspers.crew import BRISK, WORKER


def main(url: str, port: int) -> None:
    database = Postgres(lambda: psycopg.connect(url))
    loop = WorkerLoop(WORKER, long_step, database, SystemClock(), pace=BRISK)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        loop.start()
        yield
        loop.stop()

    settings = Settings.model_validate({"app_name": "worker", "app_port": port})
    serve(base_app("Worker", settings, lifespan=lifespan), settings)


def long_step(parameters: dict[str, Any], context: StepContext) -> StepOutcome:
    """Work until asked to end, then end well."""
    context.tell({"state": "in hand", **parameters})
    context.wait(120)
    return StepOutcome({"state": "ended well", "interrupted": context.interrupted})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
