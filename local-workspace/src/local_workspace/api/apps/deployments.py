"""Deployments: a copy of the source as it was, and the process that runs it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local_workspace import ids
from local_workspace.api.apps.attachments import Attachments, by_key
from local_workspace.api.apps.fleet import Fleet, crash_message
from local_workspace.api.apps.manifest import Launch, Manifest, launch, overridden, read_manifest
from local_workspace.api.apps.rows import App, AppRows, Deployment, DeploymentState, rfc3339
from local_workspace.clock import Clock
from local_workspace.config import child_environment
from local_workspace.engines.processes import ProcessStatus, free_port
from local_workspace.errors import ApiError, InvalidParameterValue, InvalidState, NotFound, NotImplementedHere
from local_workspace.identity import Principal

LARGEST_FILE_BYTES = 10_485_760
KEPT = 5
NOT_COPIED = shutil.ignore_patterns("__pycache__", ".git", ".venv")


@dataclass(frozen=True)
class Surroundings:
    """What an app is told about the workspace, and where its things are kept.

    Attributes:
        url: the workspace's own URL.
        directory: holds a folder per app: its secret, its log, its deployments.
        source: the directory behind a workspace path; raises if there is none.
    """

    url: str
    workspace_id: int
    directory: Path
    source: Callable[[str], Path]

    def log(self, app: str) -> Path:
        """Where the output of an app goes."""
        return self.directory / app / "app.log"

    def secret(self, app: str) -> Path:
        """Where the app's OAuth secret is kept."""
        return self.directory / app / "client-secret"

    def folder(self, app: str, deployment_id: str) -> Path:
        """The copy of the source that a deployment runs."""
        return self.directory / app / "deployments" / deployment_id


class Deployments:
    """Makes deployments and runs them."""

    def __init__(
        self, rows: AppRows, fleet: Fleet, attachments: Attachments, surroundings: Surroundings, clock: Clock
    ) -> None:
        self._rows = rows
        self.fleet = fleet
        self.attachments = attachments
        self.surroundings = surroundings
        self.clock = clock

    def create(
        self, caller: Principal, app: App, principal: Principal, request: dict[str, Any]
    ) -> Deployment:
        """Copy the source and start it in place of what runs now.

        Raises:
            InvalidState: the app's compute is stopped.
            InvalidParameterValue: the source or its app.yaml cannot be used.
        """
        if app.compute != "ACTIVE":
            raise InvalidState(f"App {app.name} is stopped: start it before deploying.")
        if request.get("git_source"):
            raise NotImplementedHere("The local workspace deploys from workspace files, not from Git.")
        path = request.get("source_code_path") or app.source_code_path
        if not path:
            raise InvalidParameterValue(
                "source_code_path is required: a workspace folder with the app's source."
            )
        deployment_id = ids.new_hex() + ids.new_hex()
        manifest = self._snapshot(app.name, deployment_id, path, request)
        now = rfc3339(self.clock.now())
        deployment = Deployment(
            deployment_id=deployment_id,
            app=app.name,
            creator=caller.name,
            source_code_path=path,
            mode=request.get("mode") or "SNAPSHOT",
            command=manifest.command,
            environment=[it.model_dump(exclude_none=True) for it in manifest.env],
            state="IN_PROGRESS",
            message="Starting the app.",
            created_at=now,
            updated_at=now,
        )
        self._supersede(app)
        self._rows.put_deployment(deployment)
        app = self._rows.put(replace(app, deployment=deployment_id, source_code_path=path, updated_at=now))
        self.run(app, principal)
        self._prune(app)
        return deployment

    def run(self, app: App, principal: Principal) -> None:
        """Start the process of the app's current deployment, if it has one.

        Raises:
            ApiError: a resource that its environment names is gone; the app's state says so, too.
        """
        deployment = self._rows.find_deployment(app.name, app.deployment) if app.deployment else None
        if deployment is None:
            return
        try:
            ready = self._launch(app, principal, deployment)
        except (ApiError, OSError) as error:
            self._conclude(deployment, "FAILED", str(error))
            self.fleet.refuse(app.name, f"The app cannot be started: {error}")
            raise
        folder = self.surroundings.folder(app.name, deployment.deployment_id)
        self.fleet.start(app.name, ready, folder, lambda status: self._observe(deployment, status))

    def find(self, app: str, deployment_id: str) -> Deployment:
        """One deployment.

        Raises:
            NotFound: the app has no such deployment.
        """
        found = self._rows.find_deployment(app, deployment_id)
        if found is None:
            raise NotFound(f"App {app} has no deployment {deployment_id}.")
        return found

    def _snapshot(self, app: str, deployment_id: str, path: str, request: dict[str, Any]) -> Manifest:
        source = self.surroundings.source(path)
        folder = self.surroundings.folder(app, deployment_id)
        for file in source.rglob("*"):
            if file.is_file() and file.stat().st_size > LARGEST_FILE_BYTES:
                raise InvalidParameterValue(f"{file.name}: File is larger than {LARGEST_FILE_BYTES} bytes.")
        try:
            shutil.copytree(source, folder, ignore=NOT_COPIED)
            manifest = overridden(
                read_manifest(folder), request.get("command") or [], request.get("env_vars") or []
            )
            found = self._rows.find(app)
            for variable in manifest.env:
                if variable.value_from is not None:
                    by_key(found.resources if found else [], variable.value_from)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return manifest

    def _launch(self, app: App, principal: Principal, deployment: Deployment) -> Launch:
        manifest = Manifest.model_validate({"command": deployment.command, "env": deployment.environment})
        injected = self._injected(app, principal)
        return launch(
            manifest, injected, lambda key: self.attachments.value(by_key(app.resources, key)), free_port()
        )

    def _injected(self, app: App, principal: Principal) -> dict[str, str]:
        about_postgres = self.attachments.postgres_environment(app.resources, principal, app.name)
        return child_environment(
            DATABRICKS_APP_NAME=app.name,
            DATABRICKS_HOST=self.surroundings.url,
            DATABRICKS_WORKSPACE_ID=str(self.surroundings.workspace_id),
            DATABRICKS_CLIENT_ID=principal.name,
            DATABRICKS_CLIENT_SECRET=self.surroundings.secret(app.name).read_text(),
            **about_postgres,
        )

    def _observe(self, deployment: Deployment, status: ProcessStatus) -> None:
        """The first thing that happens to a new process decides how its deployment went."""
        if status.state == "running":
            self._conclude(deployment, "SUCCEEDED", "App started successfully.")
        elif status.state in {"backing_off", "exited"}:
            self._conclude(deployment, "FAILED", crash_message(status, self.fleet.last_words(deployment.app)))

    def _conclude(self, deployment: Deployment, state: DeploymentState, message: str) -> None:
        current = self._rows.find_deployment(deployment.app, deployment.deployment_id)
        if current is not None and current.state == "IN_PROGRESS":
            now = rfc3339(self.clock.now())
            self._rows.put_deployment(replace(current, state=state, message=message, updated_at=now))

    def _supersede(self, app: App) -> None:
        for earlier in self._rows.deployments(app.name):
            self._conclude(earlier, "CANCELLED", "A newer deployment took its place.")

    def _prune(self, app: App) -> None:
        for old in self._rows.deployments(app.name)[KEPT:]:
            self._rows.remove_deployment(old.deployment_id)
            shutil.rmtree(self.surroundings.folder(app.name, old.deployment_id), ignore_errors=True)
