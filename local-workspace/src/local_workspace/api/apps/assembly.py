"""The parts of the apps family, put together."""

from dataclasses import dataclass

from fastapi import APIRouter

from local_workspace.api.apps import routes
from local_workspace.api.apps.admission import Admission
from local_workspace.api.apps.attachments import Attachments
from local_workspace.api.apps.deployments import Deployments, Surroundings
from local_workspace.api.apps.fleet import Fleet
from local_workspace.api.apps.gateway import Gateway
from local_workspace.api.apps.logs import AppLogs
from local_workspace.api.apps.rows import AppRows
from local_workspace.api.apps.rules import Apps
from local_workspace.api.apps.shapes import Shapes
from local_workspace.api.permissions.rules import Permissions
from local_workspace.clock import Clock
from local_workspace.identity import Identities
from local_workspace.state import State


@dataclass(frozen=True)
class AppsService:
    """The family: its rules, and what writes them to the wire."""

    apps: Apps
    shapes: Shapes

    def router(self) -> APIRouter:
        """Its routes."""
        return routes.router(self.apps, self.shapes)


def apps_service(
    state: State,
    identities: Identities,
    permissions: Permissions,
    attachments: Attachments,
    surroundings: Surroundings,
    *,
    clock: Clock,
) -> AppsService:
    """Build the family; nothing runs yet."""
    rows = AppRows(state)
    fleet = Fleet(clock, surroundings.log)
    deployments = Deployments(rows, fleet, attachments, surroundings, clock)
    admission = Admission(identities, permissions, surroundings.workspace_id)
    gateway = Gateway(fleet, admission, AppLogs(clock, surroundings.log))
    apps = Apps(rows, identities, permissions, deployments, gateway)
    return AppsService(apps, Shapes(rows, fleet, identities))
