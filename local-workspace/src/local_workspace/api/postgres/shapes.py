"""Lakebase resources and operations in the shape of the wire."""

from datetime import UTC, datetime
from typing import Any

from local_workspace import ids
from local_workspace.api.postgres.rows import Resource, rfc3339
from local_workspace.api.postgres.rules import Lakebase
from local_workspace.api.unity_catalog.securables import Catalog
from local_workspace.wire import page, without_empty

ID_FIELDS = {
    "projects": "project_id",
    "branches": "branch_id",
    "endpoints": "endpoint_id",
    "databases": "database_id",
    "roles": "role_id",
}
"""The collections of resources, and the field that holds an id of each."""


class Shapes:
    """Writes answers; an endpoint's state and host are asked of its cluster."""

    def __init__(self, lakebase: Lakebase) -> None:
        self._lakebase = lakebase

    def resource(self, resource: Resource) -> dict[str, Any]:
        """One resource; the platform answers `status` only, never `spec`."""
        status = dict(resource.status)
        if resource.collection == "endpoints":
            cluster = self._lakebase.cluster(resource.project_id)
            status["hosts"] = {"host": cluster.host}
            status["current_state"] = "ACTIVE" if cluster.running else "INIT"
        fields = {
            "name": resource.name,
            "uid": resource.uid,
            "parent": resource.parent or None,
            ID_FIELDS[resource.collection]: resource.id,
            "status": status,
            "create_time": resource.created_at,
            "update_time": resource.updated_at,
            "delete_time": resource.deleted_at,
        }
        return without_empty(fields)

    def listing(
        self, found: list[Resource], collection: str, size: int | None, token: str | None
    ) -> dict[str, Any]:
        """A page of resources."""
        items, following = page(found, size=size, token=token)
        return without_empty({collection: [self.resource(it) for it in items], "next_page_token": following})

    def catalog(self, catalog: Catalog) -> dict[str, Any]:
        """A database that is registered in Unity Catalog."""
        branch = catalog.options["branch"]
        project = "/".join(branch.split("/")[:2])
        status = {
            "branch": branch,
            "project": project,
            "postgres_database": catalog.options["postgres_database"],
        }
        return {
            "name": f"catalogs/{catalog.name}",
            "catalog_id": catalog.name,
            "status": status,
            "create_time": rfc3339(datetime.fromtimestamp(catalog.created_at / 1000, UTC)),
            "update_time": rfc3339(datetime.fromtimestamp(catalog.updated_at / 1000, UTC)),
        }

    def done(self, name: str, response: dict[str, Any] | None = None) -> dict[str, Any]:
        """The finished operation on what is called `name`, with what came of it."""
        operation = {
            "name": f"{name}/operations/{ids.new_uuid()}",
            "done": True,
            "metadata": {},
            "response": response or {},
        }
        self._lakebase.rows.record_operation(operation)
        return operation

    def changed(self, resource: Resource) -> dict[str, Any]:
        """The finished operation that led to a resource."""
        return self.done(resource.name, self.resource(resource))
