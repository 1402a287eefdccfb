"""`/api/2.0/postgres`: Lakebase on the wire. Bodies are the inner objects, ids come in the query, changes answer an operation."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from local_workspace import ids
from local_workspace.api.postgres.branch import Branch
from local_workspace.api.postgres.rows import Resource, rfc3339
from local_workspace.api.postgres.rules import Lakebase
from local_workspace.errors import InvalidParameterValue, NotFound, NotImplementedHere
from local_workspace.identity import Caller
from local_workspace.wire import page, without_empty

ID_FIELDS = {
    "projects": "project_id",
    "branches": "branch_id",
    "endpoints": "endpoint_id",
    "databases": "database_id",
    "roles": "role_id",
}
TOKEN_LIFE_S = (300, 3600)

Json = Annotated[dict[str, Any], Body()]


def router(lakebase: Lakebase, branch: Branch) -> APIRouter:
    """The routes of Lakebase."""
    api = APIRouter(prefix="/api/2.0/postgres")

    def operation(resource: Resource | None, name: str) -> dict[str, Any]:
        done = {
            "name": f"{name}/operations/{ids.new_uuid()}",
            "done": True,
            "metadata": {},
            "response": wire(resource) if resource else {},
        }
        lakebase.rows.record_operation(done)
        return done

    def wire(resource: Resource) -> dict[str, Any]:
        status = dict(resource.status)
        if resource.collection == "endpoints":
            cluster = lakebase.cluster(resource.project_id)
            status["hosts"] = {"host": str(cluster.address)}
            status["current_state"] = "ACTIVE" if cluster.running else "INIT"
        return without_empty(
            {
                "name": resource.name,
                "uid": resource.uid,
                "parent": resource.parent or None,
                ID_FIELDS[resource.collection]: resource.id,
                "status": status,
                "create_time": resource.created_at,
                "update_time": resource.updated_at,
                "delete_time": resource.deleted_at,
            }
        )

    def listing(found: list[Resource], key: str, size: int | None, token: str | None) -> dict[str, Any]:
        items, following = page(found, size=size, token=token)
        return without_empty({key: [wire(item) for item in items], "next_page_token": following})

    @api.post("/projects")
    def create_project(body: Json, project_id: str, caller: Caller) -> dict[str, Any]:
        created = lakebase.create_project(
            caller, project_id, body.get("spec") or {}, body.get("initial_endpoint_spec") or {}
        )
        return operation(created, created.name)

    @api.get("/projects")
    def list_projects(
        caller: Caller,
        page_size: int | None = None,
        page_token: str | None = None,
        *,
        show_deleted: bool = False,
    ) -> dict[str, Any]:
        return listing(
            lakebase.projects(caller, show_deleted=show_deleted), "projects", page_size, page_token
        )

    @api.post("/projects/{project}/undelete")
    def undelete_project(project: str, caller: Caller) -> dict[str, Any]:
        restored = lakebase.undelete_project(caller, f"projects/{project}")
        return operation(restored, restored.name)

    @api.delete("/projects/{project}")
    def delete_project(project: str, caller: Caller, *, purge: bool = False) -> dict[str, Any]:
        lakebase.delete_project(caller, f"projects/{project}", purge=purge)
        return operation(None, f"projects/{project}")

    @api.post("/projects/{project}/branches/{branch_id}/databases")
    def create_database(
        project: str,
        branch_id: str,
        body: Json,
        database_id: str,
        caller: Caller,
        *,
        replace_existing: bool = False,
    ) -> dict[str, Any]:
        parent = f"projects/{project}/branches/{branch_id}"
        created = branch.create_database(
            caller, parent, database_id, body.get("spec") or {}, replace=replace_existing
        )
        return operation(created, created.name)

    @api.delete("/projects/{project}/branches/{branch_id}/databases/{database_id}")
    def delete_database(project: str, branch_id: str, database_id: str, caller: Caller) -> dict[str, Any]:
        name = f"projects/{project}/branches/{branch_id}/databases/{database_id}"
        branch.delete_database(caller, name)
        return operation(None, name)

    @api.post("/projects/{project}/branches/{branch_id}/roles")
    def create_role(
        project: str,
        branch_id: str,
        body: Json,
        role_id: str,
        caller: Caller,
        *,
        replace_existing: bool = False,
    ) -> dict[str, Any]:
        parent = f"projects/{project}/branches/{branch_id}"
        created = branch.create_role(
            caller, parent, role_id, body.get("spec") or {}, replace=replace_existing
        )
        return operation(created, created.name)

    @api.delete("/projects/{project}/branches/{branch_id}/roles/{role_id}")
    def delete_role(
        project: str, branch_id: str, role_id: str, caller: Caller, reassign_owned_to: str | None = None
    ) -> dict[str, Any]:
        name = f"projects/{project}/branches/{branch_id}/roles/{role_id}"
        branch.delete_role(caller, name, reassign_owned_to)
        return operation(None, name)

    @api.post("/credentials")
    def generate_credential(body: Json, caller: Caller) -> dict[str, Any]:
        endpoint = body.get("endpoint")
        if not endpoint:
            raise InvalidParameterValue("endpoint is required: projects/P/branches/B/endpoints/E.")
        _check_life(body.get("ttl"))
        password = branch.credential(caller, endpoint)
        return {"token": password.token, "expire_time": rfc3339(password.expires_at)}

    @api.get("/{parent:path}/{collection}")
    def list_or_get(
        parent: str,
        collection: str,
        caller: Caller,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> dict[str, Any]:
        name = f"{parent}/{collection}"
        if "/operations/" in name:
            return _known(lakebase.rows.operation(name), name)
        if collection in ID_FIELDS and len(name.split("/")) % 2 == 1:
            return listing(lakebase.children(caller, parent, collection), collection, page_size, page_token)
        return wire(lakebase.get(caller, name))

    @api.patch("/{name:path}")
    def update(
        name: str, body: Json, caller: Caller, update_mask: Annotated[str, Query()] = "*"
    ) -> dict[str, Any]:
        spec = body.get("spec") or {}
        fields = (
            spec
            if update_mask == "*"
            else {path.split(".")[1] for path in update_mask.split(",") if "." in path}
        )
        updated = lakebase.update(caller, name, {field: spec[field] for field in fields if field in spec})
        return operation(updated, name)

    @api.api_route("/{name:path}", methods=["POST", "DELETE"])
    def unsupported(name: str, _caller: Caller) -> dict[str, Any]:
        raise NotImplementedHere(
            f"The local workspace has one branch and one endpoint a project; it cannot do this to {name}."
        )

    return api


def _known(operation: dict[str, Any] | None, name: str) -> dict[str, Any]:
    if operation is None:
        raise NotFound(f"{name} was not found.")
    return operation


def _check_life(ttl: str | None) -> None:
    shortest, longest = TOKEN_LIFE_S
    if ttl is not None and not shortest <= float(ttl.removesuffix("s")) <= longest:
        raise InvalidParameterValue(f"ttl is between {shortest}s and {longest}s, not {ttl}.")
