"""Apps and deployments in the shape of the wire."""

from typing import Any

from local_workspace.api.apps.fleet import Fleet
from local_workspace.api.apps.rows import App, AppRows, Deployment
from local_workspace.identity import Identities
from local_workspace.wire import without_empty

COMPUTE_MESSAGES = {
    "ACTIVE": "App compute is running.",
    "STOPPED": "App compute is stopped.",
    "DELETING": "App is being deleted.",
}


class Shapes:
    """Writes answers; what an app does is asked of its process."""

    def __init__(self, rows: AppRows, fleet: Fleet, identities: Identities) -> None:
        self._rows = rows
        self._fleet = fleet
        self._identities = identities

    def app(self, app: App) -> dict[str, Any]:
        """One app with its state."""
        status = self._fleet.status(app.name)
        principal = self._identities.find(app.client_id)
        active, pending = self._deployments(app)
        fields = {
            "name": app.name,
            "id": app.id,
            "url": url(app),
            "description": app.description,
            "creator": app.creator,
            "updater": app.creator,
            "create_time": app.created_at,
            "update_time": app.updated_at,
            "service_principal_client_id": app.client_id,
            "service_principal_id": principal.id if principal else None,
            "service_principal_name": principal.display_name if principal else None,
            "oauth2_app_client_id": app.client_id,
            "compute_status": {"state": app.compute, "message": COMPUTE_MESSAGES[app.compute]},
            "app_status": {"state": status.state, "message": status.message},
            "resources": app.resources,
            "default_source_code_path": app.source_code_path,
            "active_deployment": active,
            "pending_deployment": pending,
        }
        return without_empty(app.settings | fields)

    def deployment(self, deployment: Deployment) -> dict[str, Any]:
        """One deployment; the values of its variables stay here."""
        return {
            "deployment_id": deployment.deployment_id,
            "source_code_path": deployment.source_code_path,
            "mode": deployment.mode,
            "command": deployment.command,
            "env_vars": [
                {key: value for key, value in variable.items() if key != "value"}
                for variable in deployment.environment
            ],
            "creator": deployment.creator,
            "create_time": deployment.created_at,
            "update_time": deployment.updated_at,
            "status": {"state": deployment.state, "message": deployment.message},
            "deployment_artifacts": {"source_code_path": deployment.source_code_path},
        }

    def _deployments(self, app: App) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """The deployment that runs, and the one that is on its way; a stopped app has neither."""
        if app.compute != "ACTIVE":
            return None, None
        found = self._rows.deployments(app.name)
        active = next((it for it in found if it.state == "SUCCEEDED"), None)
        pending = next((it for it in found if it.state == "IN_PROGRESS"), None)
        return (
            self.deployment(active) if active else None,
            self.deployment(pending) if pending else None,
        )


def url(app: App) -> str:
    """Where people and other apps reach it."""
    return f"http://127.0.0.1:{app.port}"
