"""Puts the pipelines' parts together."""

from pathlib import Path

from fastapi import APIRouter

from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.pipelines.routes import router
from local_workspace.api.pipelines.rows import PipelineRows
from local_workspace.api.pipelines.rules import Pipelines
from local_workspace.api.pipelines.runs import Runs
from local_workspace.api.pipelines.spec import WorkspacePaths
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.clock import Clock
from local_workspace.engines.spark import Spark
from local_workspace.identity import Identities
from local_workspace.state import State


def pipelines_service(
    state: State,
    identities: Identities,
    permissions: Permissions,
    catalog: UnityCatalog,
    workspace: WorkspacePaths,
    *,
    spark: Spark,
    directory: Path,
    clock: Clock,
) -> tuple[Pipelines, APIRouter]:
    """The pipelines and their routes.

    Args:
        directory: the pipelines' own state; on the file system of the tables.
    """
    rows = PipelineRows(state)
    runs = Runs(rows, catalog, identities, workspace, spark=spark, directory=directory, clock=clock)
    service = Pipelines(rows, runs, catalog, permissions, clock)
    return service, router(service)
