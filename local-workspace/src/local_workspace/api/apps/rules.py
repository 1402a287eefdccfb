"""Apps: each has a service principal, attached resources, a URL, and deployments that run as a process here.

What is wanted is written down before it is done, so that a restarted workspace brings back what ran. Admins and an app's
creator manage it; others use it through its URL when they were given CAN_USE.
"""

import os
import re
import shutil
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

from local_workspace import ids
from local_workspace.api.apps.deployments import Deployments
from local_workspace.api.apps.gateway import Gateway
from local_workspace.api.apps.rows import App, AppRows, Deployment, rfc3339
from local_workspace.api.permissions.rules import Permissions
from local_workspace.errors import (
    ApiError,
    BadRequest,
    InvalidParameterValue,
    NotFound,
    ResourceAlreadyExists,
)
from local_workspace.identity import Identities, Principal

OBJECT_TYPE = "apps"
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SETTINGS = ("compute_size", "budget_policy_id", "usage_policy_id", "user_api_scopes")
"""Fields that are kept and answered, and have no effect here."""


class Apps:
    """The apps of the workspace."""

    def __init__(
        self,
        rows: AppRows,
        identities: Identities,
        permissions: Permissions,
        deployments: Deployments,
        gateway: Gateway,
    ) -> None:
        self.rows = rows
        self.deployments = deployments
        self._identities = identities
        self._permissions = permissions
        self._gateway = gateway
        permissions.enforce(OBJECT_TYPE, lambda name: self.find(name).creator)

    def start_all(self) -> None:
        """Bring back what the workspace ran when it ended, and finish deletions that it had begun."""
        self._gateway.start()
        for known in self.rows.all():
            app = self.rows.put(replace(known, port=self._gateway.open(known.name, known.port)))
            if app.compute == "DELETING":
                self._delete(app)
            elif app.compute == "ACTIVE":
                with suppress(
                    ApiError, OSError
                ):  # the app's own state says what is wrong; the others still start
                    self.deployments.run(app, self.principal(app))

    def stop_all(self) -> None:
        """Stop the processes and the proxy; what is wanted stays as it is."""
        self.deployments.fleet.stop_all()
        self._gateway.stop()

    def find(self, name: str) -> App:
        """The app of that name.

        Raises:
            NotFound: there is none.
        """
        app = self.rows.find(name)
        if app is None:
            raise NotFound(f"App with name {name} does not exist or is deleted.")
        return app

    def get(self, caller: Principal, name: str) -> App:
        """The same, for a caller that may use it."""
        app = self.find(name)
        if caller.name != app.client_id:
            self._permissions.require(caller, OBJECT_TYPE, name, "CAN_USE")
        return app

    def managed(self, caller: Principal, name: str) -> App:
        """The same, for a caller that may manage it."""
        app = self.find(name)
        self._permissions.require(caller, OBJECT_TYPE, name, "CAN_MANAGE")
        return app

    def visible(self, caller: Principal) -> list[App]:
        """The apps that a caller may use."""
        return [
            app for app in self.rows.all() if self._permissions.may(caller, OBJECT_TYPE, app.name, "CAN_USE")
        ]

    def principal(self, app: App) -> Principal:
        """The app's service principal."""
        found = self._identities.find(app.client_id)
        assert found is not None, "an app's principal lives as long as the app"
        return found

    def create(self, caller: Principal, body: dict[str, Any], *, no_compute: bool) -> App:
        """A new app with its service principal and URL; it runs nothing before it is deployed.

        Raises:
            ResourceAlreadyExists: there is an app of this name, or one that is being deleted.
        """
        name = body.get("name") or ""
        if not NAME.fullmatch(name):
            raise InvalidParameterValue(
                f"{name!r} is no valid app name: lower-case letters, digits and hyphens only."
            )
        if self.rows.find(name) is not None:
            raise ResourceAlreadyExists(f"An app with the same name already exists: {name}.")
        with ExitStack() as undo:
            principal, secret = self._identities.create_service_principal(f"app-{name}")
            undo.callback(self._identities.delete, principal.name)
            port = self._gateway.open(name, 0)
            undo.callback(self._gateway.close, name)
            undo.callback(shutil.rmtree, self.deployments.surroundings.directory / name, ignore_errors=True)
            self._keep_secret(name, secret)
            now = rfc3339(self.deployments.clock.now())
            app = App(
                name=name,
                id=ids.new_uuid(),
                port=port,
                creator=caller.name,
                client_id=principal.name,
                compute="STOPPED" if no_compute else "ACTIVE",
                created_at=now,
                updated_at=now,
                description=body.get("description") or "",
                resources=body.get("resources") or [],
                settings={field: body[field] for field in SETTINGS if field in body},
            )
            self.deployments.attachments.replace(caller, principal, [], app.resources)
            undo.pop_all()
        return self.rows.put(app)

    def update(self, caller: Principal, name: str, body: dict[str, Any], fields: set[str]) -> App:
        """Replace the named fields; new resources take effect with the next deployment or start."""
        app = self.managed(caller, name)
        if "resources" in fields:
            wanted = body.get("resources") or []
            self.deployments.attachments.replace(caller, self.principal(app), app.resources, wanted)
            app = replace(app, resources=wanted)
        if "description" in fields:
            app = replace(app, description=body.get("description") or "")
        kept = {field: value for field, value in app.settings.items() if field not in fields}
        changed = {field: body[field] for field in SETTINGS if field in fields and field in body}
        now = rfc3339(self.deployments.clock.now())
        return self.rows.put(replace(app, settings=kept | changed, updated_at=now, updated=True))

    def deploy(self, caller: Principal, name: str, request: dict[str, Any]) -> Deployment:
        """Run a new version of the app's source."""
        app = self.managed(caller, name)
        return self.deployments.create(caller, app, self.principal(app), request)

    def start(self, caller: Principal, name: str) -> App:
        """Run the app's last deployment again."""
        app = self.managed(caller, name)
        _refuse_if_deleting(app)
        if app.compute == "ACTIVE":
            return app
        app = self.rows.put(replace(app, compute="ACTIVE"))
        self.deployments.run(app, self.principal(app))
        return app

    def stop(self, caller: Principal, name: str) -> App:
        """Stop the app's process; its URL says so."""
        app = self.managed(caller, name)
        _refuse_if_deleting(app)
        app = self.rows.put(replace(app, compute="STOPPED"))
        self.deployments.fleet.stop(name)
        return app

    def delete(self, caller: Principal, name: str) -> App:
        """Begin to delete an app: its process, what it was granted, its principal, its files."""
        app = self.managed(caller, name)
        _refuse_if_deleting(app)
        app = self.rows.put(replace(app, compute="DELETING"))
        threading.Thread(target=self._delete, args=(app,), name=f"delete app {name}").start()
        return app

    def _delete(self, app: App) -> None:
        self.deployments.fleet.stop(app.name)
        self.deployments.attachments.replace(
            self._identities.ensure_local_user(), self.principal(app), app.resources, []
        )
        self._gateway.close(app.name)
        self._permissions.forget(OBJECT_TYPE, app.name)
        shutil.rmtree(self.deployments.surroundings.directory / app.name, ignore_errors=True)
        self._permissions.forget_principal(app.client_id)
        self._identities.delete(app.client_id)
        self.rows.remove(app.name)

    def _keep_secret(self, name: str, secret: str) -> None:
        file = self.deployments.surroundings.secret(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as private:
            private.write(secret)


def _refuse_if_deleting(app: App) -> None:
    if app.compute == "DELETING":
        raise BadRequest(f"App {app.name} is being deleted.")
