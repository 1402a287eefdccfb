"""A Databricks App in three parts, because each is a call of its own: the app, its compute, its deployment."""

from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.apps import (
    App,
    AppDeployment,
    AppDeploymentMode,
    AppDeploymentState,
    ApplicationState,
    AppResource,
    ComputeState,
    EnvVar,
)

from admin.resources.kind import Declared, Found, Readiness

PATIENCE_S = 1_200.0
"""An app's first deployment installs its libraries, which may take ten minutes on the platform."""


class DatabricksApp:
    """The app and what it may use. Specification: `description`, `resources` (JSON of the platform's AppResource).

    Offers `name`, `url` and `principal`, the application id of its service principal. Deleting the app deletes
    its service principal, too.
    """

    patience_s = PATIENCE_S
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._apps = workspace.apps

    def read(self, wanted: Declared) -> Found | None:
        app = _get(self._apps, wanted.name)
        if app is None:
            return None
        app_id, maker = app.id or wanted.name, app.creator or ""
        state = app.compute_status.state if app.compute_status else None
        if state is ComputeState.DELETING:
            return Found(app_id, "going", maker=maker, message="it is being deleted")
        outputs = {
            "name": wanted.name,
            "url": app.url or "",
            "principal": app.service_principal_client_id or "",
        }
        settled = state in {ComputeState.STOPPED, ComputeState.ACTIVE} and bool(outputs["principal"])
        message = "" if settled else f"its compute is {state.value if state else 'unknown'}"
        return Found(app_id, "ready" if settled else "working", outputs, maker=maker, message=message)

    def create(self, wanted: Declared) -> str:
        # Without compute: a deployment that came with the compute would get in the way of ours.
        return self._apps.create(_app(wanted), no_compute=True).response.id or wanted.name

    def update(self, wanted: Declared) -> None:
        self._apps.create_update(wanted.name, "description,resources", app=_app(wanted))

    def delete(self, wanted: Declared) -> None:
        self._apps.delete(wanted.name)


class AppCompute:
    """The compute of an app, running. Named as the app; no specification."""

    patience_s = PATIENCE_S
    stop_patience_s = 120.0
    parents = ("databricks_app",)

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._apps = workspace.apps

    def read(self, wanted: Declared) -> Found | None:
        app = _get(self._apps, wanted.name)
        state = app.compute_status.state if app and app.compute_status else None
        if app is None or state in {None, ComputeState.DELETING}:
            return None
        if state in {ComputeState.STOPPED, ComputeState.STOPPING}:
            return Found(wanted.name, "stopped", message="its compute is stopped")
        if state is ComputeState.ERROR:
            return Found(wanted.name, "failed", message=_compute_message(app))
        # After a start the platform deploys what was deployed last; a deployment of ours would be rejected meanwhile.
        redeploying = app.pending_deployment is not None
        working = state is not ComputeState.ACTIVE or redeploying
        return Found(wanted.name, "working" if working else "ready", message=_compute_message(app))

    def create(self, wanted: Declared) -> str:
        self._apps.start(wanted.name)
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self._apps.start(wanted.name)

    def stop(self, wanted: Declared) -> None:
        self._apps.stop(wanted.name)

    def delete(self, wanted: Declared) -> None:
        self.stop(wanted)


class AppRelease:
    """A version of an app's source, deployed and running. Named as the app.

    Specification: `source_path`, `digest` of the source, `resources` of the app and `env`: a change of any of
    them takes a new deployment to arrive in the app. Offers `url`.
    """

    patience_s = PATIENCE_S
    parents = ("databricks_app",)

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._apps = workspace.apps

    def read(self, wanted: Declared) -> Found | None:
        app = _get(self._apps, wanted.name)
        deployment = app and (app.pending_deployment or app.active_deployment)
        if app is None:
            return None
        if deployment is None or not deployment.deployment_id:
            return _stopped_release(app, wanted)
        state, message = _release_state(app, deployment)
        return Found(deployment.deployment_id, state, {"url": app.url or ""}, message=message)

    def create(self, wanted: Declared) -> str:
        variables = [EnvVar.from_dict(variable) for variable in wanted.spec["env"]]
        deployment = AppDeployment(
            source_code_path=wanted.spec["source_path"],
            mode=AppDeploymentMode.SNAPSHOT,
            env_vars=variables or None,
        )
        return self._apps.deploy(wanted.name, deployment).response.deployment_id or ""

    def update(self, wanted: Declared) -> None:
        self.create(wanted)

    def delete(self, wanted: Declared) -> None:
        """It goes with its app."""


def _stopped_release(app: App, wanted: Declared) -> Found | None:
    """A stopped app shows no deployment; that it had one is known from the source it was deployed from."""
    compute = app.compute_status.state if app.compute_status else None
    if compute is ComputeState.STOPPED and wanted.id and app.default_source_code_path:
        return Found(wanted.id, "stopped", {"url": app.url or ""}, message="its compute is stopped")
    return None


def _app(wanted: Declared) -> App:
    return App(
        name=wanted.name,
        description=wanted.spec["description"],
        resources=[AppResource.from_dict(resource) for resource in wanted.spec["resources"]],
    )


def _get(apps: Any, name: str) -> App | None:
    try:
        return apps.get(name)
    except NotFound:
        return None


def _compute_message(app: App) -> str:
    status = app.compute_status
    return (status.message if status else "") or ""


def _release_state(app: App, deployment: AppDeployment) -> tuple[Readiness, str]:
    status = deployment.status
    if status is not None and status.state in {AppDeploymentState.FAILED, AppDeploymentState.CANCELLED}:
        return "failed", status.message or "the deployment failed"
    application = app.app_status
    if application is not None and application.state is ApplicationState.CRASHED:
        return "failed", application.message or "the app crashed; its log says why"
    running = application is not None and application.state is ApplicationState.RUNNING
    if running and status is not None and status.state is AppDeploymentState.SUCCEEDED:
        return "ready", ""
    return "working", (status.message if status else "") or "deploying"
