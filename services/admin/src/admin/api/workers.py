"""Workers: desired and observed state, pause, resume, parameters, tick."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from admin.api import examples
from admin.api.access import Asking
from admin.api.answers import writer_of
from admin.desk import Desk
from admin.shapes import WorkerView


class WorkerChange(BaseModel):
    """New orders for a worker; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"desired": "stopped"}, {"parameters": {"speed_multiplier": 120}}]},
    )

    desired: Literal["running", "stopped"] | None = None
    parameters: dict[str, Any] | None = Field(None, description="on top of those it has")


def router(desk: Desk) -> APIRouter:
    """The addresses of workers."""
    api = APIRouter(prefix="/workers", tags=["workers"])
    write = writer_of(list[WorkerView])

    @api.get("", summary="All workers", response_model=list[WorkerView], responses=examples.WORKERS)
    def get_workers() -> Response:
        """What each is told to do, what it says it does, how much it has done and what waits."""
        return write(desk.workers.all())

    @api.get("/{name}", summary="One worker", responses=examples.WORKER)
    def get_worker(name: str) -> WorkerView:
        """Its orders and its report."""
        return desk.workers.get(name)

    @api.patch("/{name}", summary="Pause, resume or re-parameterise a worker", responses=examples.WORKER)
    def change_worker(name: str, change: WorkerChange, actor: Asking) -> WorkerView:
        """The worker hears of it at once; its `observed_generation` tells when it follows."""
        return desk.workers.change(name, actor, desired=change.desired, parameters=change.parameters)

    @api.post("/{name}/tick", summary="Let a worker look for work now", responses=examples.WORKER)
    def tick_worker(name: str, actor: Asking) -> WorkerView:
        """Instead of at its next interval; nothing is interrupted."""
        return desk.workers.tick(name, actor)

    return api
