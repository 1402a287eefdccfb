"""The REST API of the control plane; the panel, the command line and scripts all use it."""

from caspers.web.problems import PROBLEMS
from fastapi import APIRouter, Depends, FastAPI

from admin.api import activity, conflicts, events, replay, resources, roles, run_events, runs, stages, workers
from admin.api.access import asking
from admin.desk import Desk


def install(app: FastAPI, desk: Desk) -> None:
    """All addresses under /api/v1. Whoever asks must say who they are."""
    app.state.roles = desk.roles
    conflicts.install(app)
    api = APIRouter(prefix="/api/v1", responses=PROBLEMS, dependencies=[Depends(asking)])
    for noun in (stages, runs, run_events, workers, replay, resources, activity, roles, events):
        api.include_router(noun.router(desk))
    app.include_router(api)
