"""Puts the pipelines' parts together."""

from fastapi import APIRouter

from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.pipelines.routes import router
from local_workspace.api.pipelines.rows import PipelineRows
from local_workspace.api.pipelines.rules import Pipelines
from local_workspace.api.pipelines.runs import Runs, Surroundings
from local_workspace.clock import Clock
from local_workspace.state import State


def pipelines_service(
    state: State, permissions: Permissions, surroundings: Surroundings, clock: Clock
) -> tuple[Pipelines, APIRouter]:
    """The pipelines and their routes."""
    rows = PipelineRows(state)
    runs = Runs(rows, surroundings, clock)
    service = Pipelines(rows, runs, surroundings.catalog, permissions, clock)
    return service, router(service)
