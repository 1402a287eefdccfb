"""`/api/2.0/postgres`: Lakebase on the wire.

Bodies are the inner objects, ids come in the query, and every change answers an operation (which is done already).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from local_workspace.api.postgres.branch import Branch
from local_workspace.api.postgres.catalogs import DatabaseCatalogs
from local_workspace.api.postgres.rows import rfc3339
from local_workspace.api.postgres.rules import Lakebase
from local_workspace.api.postgres.shapes import ID_FIELDS, Shapes
from local_workspace.errors import InvalidParameterValue, NotFound, NotImplementedHere
from local_workspace.identity import Caller

TOKEN_LIFE_S = (300, 3600)

Json = Annotated[dict[str, Any], Body()]
Answer = dict[str, Any]


def router(lakebase: Lakebase, branch: Branch, catalogs: DatabaseCatalogs) -> APIRouter:
    """The routes of Lakebase."""
    api = APIRouter(prefix="/api/2.0/postgres")
    write = Shapes(lakebase)
    _add_projects(api, lakebase, write)
    _add_databases(api, branch, write)
    _add_roles(api, branch, write)
    _add_catalogs(api, catalogs, write)
    _add_credentials(api, branch)
    _add_any_resource(api, lakebase, write)
    return api


def _add_projects(api: APIRouter, lakebase: Lakebase, write: Shapes) -> None:
    @api.post("/projects")
    def create(body: Json, project_id: str, caller: Caller) -> Answer:
        spec, endpoint = body.get("spec") or {}, body.get("initial_endpoint_spec") or {}
        created = lakebase.create_project(caller, project_id, spec, endpoint)
        return write.changed(created)

    @api.get("/projects")
    def list_projects(
        caller: Caller,
        page_size: int | None = None,
        page_token: str | None = None,
        *,
        show_deleted: bool = False,
    ) -> Answer:
        found = lakebase.projects(caller, show_deleted=show_deleted)
        return write.listing(found, "projects", page_size, page_token)

    @api.post("/projects/{project}/undelete")
    def undelete(project: str, caller: Caller) -> Answer:
        restored = lakebase.undelete_project(caller, f"projects/{project}")
        return write.changed(restored)

    @api.delete("/projects/{project}")
    def delete(project: str, caller: Caller, *, purge: bool = False) -> Answer:
        lakebase.delete_project(caller, f"projects/{project}", purge=purge)
        return write.done(f"projects/{project}")


def _add_databases(api: APIRouter, branch: Branch, write: Shapes) -> None:
    @api.post("/{parent:path}/databases")
    def create(
        parent: str, body: Json, database_id: str, caller: Caller, *, replace_existing: bool = False
    ) -> Answer:
        spec = body.get("spec") or {}
        created = branch.create_database(caller, parent, database_id, spec, replace=replace_existing)
        return write.changed(created)

    @api.delete("/{parent:path}/databases/{database_id}")
    def delete(parent: str, database_id: str, caller: Caller) -> Answer:
        name = f"{parent}/databases/{database_id}"
        branch.delete_database(caller, name)
        return write.done(name)


def _add_roles(api: APIRouter, branch: Branch, write: Shapes) -> None:
    @api.post("/{parent:path}/roles")
    def create(
        parent: str, body: Json, role_id: str, caller: Caller, *, replace_existing: bool = False
    ) -> Answer:
        created = branch.create_role(
            caller, parent, role_id, body.get("spec") or {}, replace=replace_existing
        )
        return write.changed(created)

    @api.delete("/{parent:path}/roles/{role_id}")
    def delete(parent: str, role_id: str, caller: Caller, reassign_owned_to: str | None = None) -> Answer:
        name = f"{parent}/roles/{role_id}"
        branch.delete_role(caller, name, reassign_owned_to)
        return write.done(name)


def _add_catalogs(api: APIRouter, catalogs: DatabaseCatalogs, write: Shapes) -> None:
    @api.post("/catalogs")
    def create(body: Json, catalog_id: str, caller: Caller) -> Answer:
        created = catalogs.create(caller, catalog_id, body.get("spec") or {})
        return write.done(f"catalogs/{created.name}", write.catalog(created))

    @api.get("/catalogs/{catalog_id}")
    def get(catalog_id: str, caller: Caller) -> Answer:
        return write.catalog(catalogs.get(caller, catalog_id))

    @api.delete("/catalogs/{catalog_id}")
    def delete(catalog_id: str, caller: Caller) -> Answer:
        catalogs.delete(caller, catalog_id)
        return write.done(f"catalogs/{catalog_id}")


def _add_credentials(api: APIRouter, branch: Branch) -> None:
    @api.post("/credentials")
    def generate(body: Json, caller: Caller) -> Answer:
        endpoint = body.get("endpoint")
        if not endpoint:
            raise InvalidParameterValue("endpoint is required: projects/P/branches/B/endpoints/E.")
        _check_life(body.get("ttl"))
        password = branch.credential(caller, endpoint)
        return {"token": password.token, "expire_time": rfc3339(password.expires_at)}


def _add_any_resource(api: APIRouter, lakebase: Lakebase, write: Shapes) -> None:
    @api.get("/{parent:path}/{last}")
    def get_or_list(
        parent: str, last: str, caller: Caller, page_size: int | None = None, page_token: str | None = None
    ) -> Answer:
        name = f"{parent}/{last}"
        if parent.endswith("/operations"):
            return _known(lakebase.rows.operation(name), name)
        if last in ID_FIELDS and len(name.split("/")) % 2 == 1:
            return write.listing(lakebase.children(caller, parent, last), last, page_size, page_token)
        return write.resource(lakebase.get(caller, name))

    @api.patch("/{name:path}")
    def update(name: str, body: Json, caller: Caller, update_mask: Annotated[str, Query()]) -> Answer:
        spec = body.get("spec") or {}
        fields = {path.split(".")[1] for path in update_mask.split(",") if "." in path}
        updated = lakebase.update(caller, name, {field: spec[field] for field in fields if field in spec})
        return write.changed(updated)

    @api.api_route("/{name:path}", methods=["POST", "DELETE"])
    def unsupported(name: str, _caller: Caller) -> Answer:
        raise NotImplementedHere(
            f"The local workspace cannot do this to {name}: here a project has one branch with one endpoint, "
            "and there are no snapshots or data APIs."
        )


def _known(operation: Answer | None, name: str) -> Answer:
    if operation is None:
        raise NotFound(f"{name} was not found.")
    return operation


def _check_life(ttl: str | None) -> None:
    shortest, longest = TOKEN_LIFE_S
    if ttl is not None and not shortest <= float(ttl.removesuffix("s")) <= longest:
        raise InvalidParameterValue(f"ttl is between {shortest}s and {longest}s, not {ttl}.")
