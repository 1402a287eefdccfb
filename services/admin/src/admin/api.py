"""The REST API of the control plane; the panel, the command line and scripts all use it."""

from typing import Any, Literal

from caspers.web.identity import Caller
from caspers.web.problems import PROBLEMS
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from structlog import get_logger

from admin.control_plane import ControlPlane, Wish
from admin.status import StatusReader
from admin.verify import troubles
from admin.workers import Workers

log = get_logger(__name__)


class RunRequest(BaseModel):
    """What to run: a target or some stages, and the parameters that differ from their defaults."""

    model_config = ConfigDict(extra="forbid")

    target: str | None = Field(None, description="a target, see GET /api/targets")
    stages: list[str] | None = Field(
        None, description="stages, see GET /api/stages; what they need comes along"
    )
    parameters: dict[str, Any] = Field(default_factory=dict, description="parameters of the demo by name")
    on_top_of: Literal["defaults", "last_run"] = Field(
        "defaults",
        description="where the parameters that are not given come from: the last successful run, if any",
    )


class RunBefore(BaseModel):
    """A run of the past."""

    run_id: str
    started: str


class RunStarted(BaseModel):
    """The run goes on in the background."""

    run_id: str
    parameters_of: RunBefore | None = Field(description="the run whose parameters it began with, if any")


class OrdersRequest(BaseModel):
    """New orders for a worker."""

    model_config = ConfigDict(extra="forbid")

    desired: Literal["running", "stopped"]
    parameters: dict[str, Any] | None = Field(None, description="left out: the worker keeps those it has")


def router(plane: ControlPlane, workers: Workers, status: StatusReader) -> APIRouter:
    """All addresses under /api."""
    api = APIRouter(prefix="/api", responses=PROBLEMS)
    api.include_router(_demo(plane, status))
    api.include_router(_runs(plane))
    api.include_router(_workers(workers))
    return api


def _demo(plane: ControlPlane, status: StatusReader) -> APIRouter:
    api = APIRouter()

    @api.get("/status", tags=["status"])
    def get_status(*, versions: bool = True) -> dict[str, Any]:
        """Every part of the demo: its state and its figures; quicker without the tables' versions."""
        return status.read(versions=versions)

    @api.get("/verify", tags=["status"])
    def verify() -> dict[str, Any]:
        """What is not as desired, in words."""
        found = troubles(status.read())
        return {"as_desired": not found, "troubles": found}

    @api.get("/targets", tags=["stages"])
    def get_targets() -> dict[str, Any]:
        """Named sets of stages with their parameters."""
        return plane.targets()

    @api.get("/stages", tags=["stages"])
    def get_stages() -> list[dict[str, Any]]:
        """Every stage, what it needs and how much of it is there."""
        return plane.stages()

    @api.get("/parameters", tags=["stages"])
    def get_parameters() -> dict[str, Any]:
        """The parameters of this demo as they are before a run sets some."""
        return plane.parameters().model_dump()

    @api.get("/resources", tags=["stages"])
    def get_resources() -> list[dict[str, Any]]:
        """Everything that was made and will be removed by a teardown."""
        return plane.resources()

    return api


def _runs(plane: ControlPlane) -> APIRouter:
    api = APIRouter()

    @api.post("/runs", status_code=202, tags=["runs"])
    def start_run(request: RunRequest, caller: Caller) -> RunStarted:
        """Bring about a target or some stages. Safe to repeat: what is as wanted stays untouched."""
        before = plane.runs.last_success() if request.on_top_of == "last_run" else None
        remembered = before["parameters"] if before else {}
        wish = Wish(request.target, tuple(request.stages or ()), {**remembered, **request.parameters})
        run = plane.provision(wish, by=caller.label)
        return RunStarted(
            run_id=run.run_id, parameters_of=RunBefore.model_validate(before) if before else None
        )

    @api.get("/runs", tags=["runs"])
    def get_runs() -> list[dict[str, Any]]:
        """Runs with their steps, newest first."""
        return plane.runs.all()

    @api.get("/runs/{run_id}", tags=["runs"])
    def get_run(run_id: str) -> dict[str, Any]:
        """One run with its steps."""
        return plane.runs.get(run_id)

    @api.post("/runs/{run_id}/cancel", tags=["runs"])
    def cancel_run(run_id: str, caller: Caller) -> dict[str, Any]:
        """Begin nothing new and stop waiting; what was made stays and is found by the next run."""
        log.info("run cancelled", run_id=run_id, by=caller.label)
        return plane.runs.cancel(run_id)

    @api.post("/teardown", status_code=202, tags=["runs"])
    def tear_down(caller: Caller) -> RunStarted:
        """Remove everything that was made, dependents first. Safe to repeat."""
        return RunStarted(run_id=plane.teardown(by=caller.label).run_id, parameters_of=None)

    return api


def _workers(workers: Workers) -> APIRouter:
    api = APIRouter()

    @api.get("/workers", tags=["workers"])
    def get_workers() -> dict[str, dict[str, Any]]:
        """Every worker: its orders and its report."""
        return workers.all()

    @api.put("/workers/{name}", tags=["workers"])
    def order_worker(name: str, request: OrdersRequest, caller: Caller) -> dict[str, Any]:
        """Start, stop or re-parameterise a worker."""
        log.info("orders given", worker=name, desired=request.desired, by=caller.label)
        return workers.order(name, request.desired, request.parameters)

    return api
