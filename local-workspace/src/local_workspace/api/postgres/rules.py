"""Lakebase projects: each a Postgres cluster, with the branch, endpoint, database and owner's role it comes with.

Every operation is carried out before it is answered; operations of one project wait for each other. A principal may use a
project that it created, that it was given CAN_USE on, or that it has a role in (an app with the database attached).
"""

import re
import shutil
import threading
from collections import defaultdict
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from local_workspace import ids
from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.postgres.rows import LakebaseRows, Resource, rfc3339
from local_workspace.clock import Clock
from local_workspace.config import TOKEN_LIFE
from local_workspace.engines import postgres_roles
from local_workspace.engines.postgres import Cluster, ClusterDown
from local_workspace.engines.postgres_roles import RoleAttributes
from local_workspace.errors import (
    AlreadyExists,
    InvalidParameterValue,
    NotFound,
    NotImplementedHere,
    PermissionDenied,
    TemporarilyUnavailable,
)
from local_workspace.identity import Principal

OBJECT_TYPE = "database-projects"
RESOURCE_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
DEFAULT_DATABASE = "databricks_postgres"
OWNER_ATTRIBUTES = RoleAttributes(superuser_member=True, createdb=True, createrole=True)
POSTGRES_VERSION = 18
CHANGEABLE = {"projects", "endpoints"}


class Lakebase:
    """The projects of the workspace."""

    def __init__(
        self,
        rows: LakebaseRows,
        permissions: Permissions,
        clock: Clock,
        directory: Path,
        *,
        token_life: timedelta = TOKEN_LIFE,
    ) -> None:
        self.rows = rows
        self.token_life = token_life
        self.clock = clock
        self._permissions = permissions
        self._directory = directory
        self._clusters: dict[str, Cluster] = {}
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        permissions.enforce(OBJECT_TYPE, lambda project_id: self.find(f"projects/{project_id}").owner)

    def start(self) -> None:
        """Start the cluster of every project; what a creation that was cut short left behind goes away."""
        kept = {project.id: project for project in self.rows.children("", "projects")}
        for directory in self._directory.iterdir():
            if directory.name not in kept:
                shutil.rmtree(directory)
        for project_id, project in kept.items():
            if project.deleted_at is None:
                self.cluster(project_id).start()

    def stop(self) -> None:
        """Stop all clusters, side by side."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(Cluster.stop, self._clusters.values()))

    def cluster(self, project_id: str) -> Cluster:
        """The Postgres server behind a project."""
        return self._clusters.setdefault(project_id, Cluster(self._directory / project_id, self.clock))

    @contextmanager
    def exclusive(self, project_id: str) -> Generator[Cluster]:
        """The project's cluster for one operation; others of the same project wait.

        Raises:
            TemporarilyUnavailable: the cluster is down; it is being restarted.
        """
        with self._locks[project_id]:
            try:
                yield self.cluster(project_id)
            except ClusterDown as error:
                raise TemporarilyUnavailable(f"{error} Try again in a moment.") from error

    def find(self, name: str) -> Resource:
        """The resource of that name.

        Raises:
            NotFound: it does not exist, or its project was deleted.
        """
        found = self.rows.find(name)
        project = self.rows.find("/".join(name.split("/")[:2]))
        if found is None or project is None or project.deleted_at is not None:
            raise NotFound(f"{name} was not found.")
        return found

    def get(self, caller: Principal, name: str) -> Resource:
        """The same, for a caller that may use the project."""
        found = self.find(name)
        if not self._may_use(caller, found.project_id):
            raise PermissionDenied(f"{caller.name} needs CAN_USE on the Lakebase project {found.project_id}.")
        return found

    def managed(self, caller: Principal, name: str) -> Resource:
        """The same, for a caller that may manage the project."""
        found = self.find(name)
        self._permissions.require(caller, OBJECT_TYPE, found.project_id, "CAN_MANAGE")
        return found

    def children(self, caller: Principal, parent: str, collection: str) -> list[Resource]:
        """The branches of a project; the endpoints, databases or roles of a branch."""
        self.get(caller, parent)
        return self.rows.children(parent, collection)

    def projects(self, caller: Principal, *, show_deleted: bool = False) -> list[Resource]:
        """The projects a caller may use."""
        found = [it for it in self.rows.children("", "projects") if show_deleted or it.deleted_at is None]
        return [it for it in found if caller.admin or self._may_use(caller, it.id)]

    def create_project(
        self, caller: Principal, project_id: str, spec: dict[str, Any], endpoint: dict[str, Any]
    ) -> Resource:
        """A new cluster, with its branch, endpoint, database and the creator's role.

        Raises:
            AlreadyExists: a project of this name is there, or was deleted without purging.
        """
        check_id(project_id)
        with self.exclusive(project_id) as cluster:
            if self.rows.find(f"projects/{project_id}"):
                raise AlreadyExists(f"A project with the id {project_id} already exists.")
            cluster.create()
            cluster.start()
            with cluster.admin() as connection:
                postgres_roles.prepare(connection)
                postgres_roles.ensure_role(connection, caller.name, OWNER_ATTRIBUTES)
                postgres_roles.create_database(connection, DEFAULT_DATABASE, caller.name)
            resources = self._initial_resources(caller, project_id, spec, endpoint)
            self.rows.put(*resources)
        return resources[0]

    def delete_project(self, caller: Principal, name: str, *, purge: bool) -> None:
        """Stop the cluster; `purge` also deletes its data, otherwise `undelete_project` brings it back."""
        project = self._even_deleted(caller, name)
        if project.deleted_at is not None and not purge:
            raise NotFound(f"{name} is deleted already.")
        with self.exclusive(project.id) as cluster:
            if not purge:
                self.rows.put(project.deleted(self.clock.now()))
                cluster.stop()
                return
            self.rows.remove(name)
            self._permissions.forget(OBJECT_TYPE, project.id)
            cluster.remove()

    def undelete_project(self, caller: Principal, name: str) -> Resource:
        """Bring a deleted project back with its data."""
        project = self._even_deleted(caller, name).deleted(None)
        with self.exclusive(project.id) as cluster:
            self.rows.put(project)
            cluster.start()
        return project

    def update(self, caller: Principal, name: str, changes: dict[str, Any]) -> Resource:
        """Keep new settings of a project or an endpoint; capacity and suspension have no effect on one machine."""
        found = self.managed(caller, name)
        if found.collection not in CHANGEABLE:
            raise NotImplementedHere(f"The local workspace cannot change {found.collection}.")
        return self.put(name, found.owner, found.status | changes)

    def put(self, name: str, owner: str, status: dict[str, Any]) -> Resource:
        """Write a resource down, new or changed."""
        resource = self.new(name, owner, status)
        self.rows.put(resource)
        return resource

    def new(self, name: str, owner: str, status: dict[str, Any]) -> Resource:
        """A resource as of now; one that is there already keeps its identity."""
        now = rfc3339(self.clock.now())
        known = self.rows.find(name)
        if known is None:
            return Resource(name, ids.new_uuid(), owner, status, now, now)
        return Resource(name, known.uid, owner, status, known.created_at, now)

    def _initial_resources(
        self, caller: Principal, project_id: str, spec: dict[str, Any], endpoint: dict[str, Any]
    ) -> list[Resource]:
        project = f"projects/{project_id}"
        branch = f"{project}/branches/production"
        role = f"{branch}/roles/{role_id_of(caller)}"
        settings = {
            "autoscaling_limit_min_cu": 1.0,
            "autoscaling_limit_max_cu": 1.0,
            "suspend_timeout_duration": "86400s",
        }
        settings |= spec.get("default_endpoint_settings") or {}
        project_status = {
            "project_id": project_id,
            "display_name": spec.get("display_name") or project_id,
            "owner": caller.name,
            "pg_version": POSTGRES_VERSION,
            "default_branch": branch,
            "default_endpoint_settings": settings,
            "enable_pg_native_login": False,
            "history_retention_duration": spec.get("history_retention_duration") or "604800s",
        }
        branch_status = {
            "branch_id": "production",
            "current_state": "READY",
            "default": True,
            "is_protected": False,
        }
        endpoint_status = (
            {"endpoint_id": "primary", "endpoint_type": "ENDPOINT_TYPE_READ_WRITE"} | settings | endpoint
        )
        database_status = {
            "database_id": "databricks-postgres",
            "postgres_database": DEFAULT_DATABASE,
            "role": role,
        }
        contents = {
            project: project_status,
            branch: branch_status,
            f"{branch}/endpoints/primary": endpoint_status,
            role: role_status(caller.name, role, OWNER_ATTRIBUTES),
            f"{branch}/databases/databricks-postgres": database_status,
        }
        return [self.new(name, caller.name, status) for name, status in contents.items()]

    def _may_use(self, caller: Principal, project_id: str) -> bool:
        roles = self.rows.children(f"projects/{project_id}/branches/production", "roles")
        has_role = any(role.status["postgres_role"] == caller.name for role in roles)
        return has_role or self._permissions.may(caller, OBJECT_TYPE, project_id, "CAN_USE")

    def _even_deleted(self, caller: Principal, name: str) -> Resource:
        project = self.rows.find(name)
        if project is None:
            raise NotFound(f"{name} was not found.")
        if not caller.admin and caller.name != project.owner:
            self._permissions.require(caller, OBJECT_TYPE, project.id, "CAN_MANAGE")
        return project


def check_id(resource_id: str) -> None:
    """Refuse what the platform would not take as an id.

    Raises:
        InvalidParameterValue: it has other characters, or is too long.
    """
    if not RESOURCE_ID.fullmatch(resource_id):
        raise InvalidParameterValue(
            f"{resource_id!r} is no valid id: 1 to 63 lower-case letters, digits and hyphens, a letter first."
        )


def role_id_of(principal: Principal) -> str:
    """The id of a principal's role: sp-CLIENT_ID, or a user's name before the @."""
    if not principal.is_user:
        return f"sp-{principal.name}"
    return re.sub(r"[^a-z0-9]", "-", principal.name.partition("@")[0].lower())


def role_status(postgres_role: str, name: str, attributes: RoleAttributes) -> dict[str, Any]:
    """What the API says about a role."""
    return {
        "role_id": name.rpartition("/")[2],
        "postgres_role": postgres_role,
        "auth_method": "LAKEBASE_OAUTH_V1",
        "identity_type": "USER" if "@" in postgres_role else "SERVICE_PRINCIPAL",
        "membership_roles": ["DATABRICKS_SUPERUSER"] if attributes.superuser_member else [],
        "attributes": {
            "createdb": attributes.createdb,
            "createrole": attributes.createrole,
            "bypassrls": attributes.bypassrls,
        },
    }
