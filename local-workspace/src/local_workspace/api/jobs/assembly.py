"""Puts the jobs' parts together."""

from fastapi import APIRouter

from local_workspace.api.jobs.execution import Execution
from local_workspace.api.jobs.routes import router
from local_workspace.api.jobs.rows import JobRows
from local_workspace.api.jobs.rules import Jobs
from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.pipelines.rules import Pipelines
from local_workspace.clock import Clock
from local_workspace.identity import Identities
from local_workspace.state import State


def jobs_service(
    state: State, identities: Identities, permissions: Permissions, pipelines: Pipelines, clock: Clock
) -> tuple[Jobs, APIRouter]:
    """The jobs and their routes."""
    rows = JobRows(state)
    service = Jobs(rows, Execution(rows, pipelines, identities, clock), permissions, clock)
    return service, router(service)
