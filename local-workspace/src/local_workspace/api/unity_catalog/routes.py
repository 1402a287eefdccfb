"""`/api/2.1/unity-catalog`: catalogs, schemas, volumes, tables, functions, grants and the metastore."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from local_workspace.api.unity_catalog import external_tables, shapes
from local_workspace.api.unity_catalog.bodies import (
    GrantChanges,
    NewCatalog,
    NewSchema,
    NewTable,
    NewVolume,
    Update,
)
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import Catalog, Function, Schema, Table, Volume
from local_workspace.api.unity_catalog.shapes import Shapes
from local_workspace.errors import NotImplementedHere
from local_workspace.identity import Caller
from local_workspace.wire import page

PREFIX = "/api/2.1/unity-catalog"
MAX_PAGE = 1000

PageSize = Annotated[int | None, Query(alias="max_results", ge=0)]
PageToken = Annotated[str | None, Query(alias="page_token")]


def router(service: UnityCatalog, workspace_id: int) -> APIRouter:
    """All routes of Unity Catalog."""
    api = APIRouter(prefix=PREFIX)
    write = Shapes(service.metastore.full_name)
    _add_catalogs(api, service, write)
    _add_schemas(api, service, write)
    _add_volumes(api, service, write)
    _add_tables(api, service, write)
    _add_functions(api, service, write)
    _add_grants(api, service)
    _add_metastore(api, service, workspace_id)
    return api


def _add_catalogs(api: APIRouter, service: UnityCatalog, write: Shapes) -> None:
    @api.post("/catalogs")
    async def create(caller: Caller, body: NewCatalog) -> dict[str, Any]:
        body.refuse("connection_name", "provider_name", "share_name", "storage_root")
        catalog = service.create_catalog(
            caller, body.name, comment=body.comment, properties=body.properties, options=body.options
        )
        return write.catalog(catalog)

    @api.get("/catalogs")
    async def list_catalogs(caller: Caller, size: PageSize = None, token: PageToken = None) -> dict[str, Any]:
        found = service.visible(caller, service.catalogs())
        return _page("catalogs", [write.catalog(item) for item in found], size, token)

    @api.get("/catalogs/{name}")
    async def get(caller: Caller, name: str) -> dict[str, Any]:
        catalog = service.catalog(name)
        service.require_visible(caller, catalog)
        return write.catalog(catalog)

    @api.patch("/catalogs/{name}")
    async def update(caller: Caller, name: str, body: Update) -> dict[str, Any]:
        changes = body.changes("owner", "comment", "properties", "options")
        return write.catalog(service.update(caller, Catalog, name, **changes))

    @api.delete("/catalogs/{name}")
    def delete(caller: Caller, name: str, *, force: bool = False) -> dict[str, Any]:
        service.drop_catalog(caller, name, cascade=force)
        return {}


def _add_schemas(api: APIRouter, service: UnityCatalog, write: Shapes) -> None:
    @api.post("/schemas")
    async def create(caller: Caller, body: NewSchema) -> dict[str, Any]:
        body.refuse("storage_root")
        full_name = f"{body.catalog_name}.{body.name}"
        schema = service.create_schema(caller, full_name, comment=body.comment, properties=body.properties)
        return write.schema(schema)

    @api.get("/schemas")
    async def list_schemas(
        caller: Caller, catalog_name: str, size: PageSize = None, token: PageToken = None
    ) -> dict[str, Any]:
        found = service.visible(caller, service.schemas(catalog_name))
        return _page("schemas", [write.schema(item) for item in found], size, token)

    @api.get("/schemas/{full_name}")
    async def get(caller: Caller, full_name: str) -> dict[str, Any]:
        schema = service.schema(full_name)
        service.require_visible(caller, schema)
        return write.schema(schema)

    @api.patch("/schemas/{full_name}")
    async def update(caller: Caller, full_name: str, body: Update) -> dict[str, Any]:
        changes = body.changes("owner", "comment", "properties")
        return write.schema(service.update(caller, Schema, full_name, **changes))

    @api.delete("/schemas/{full_name}")
    def delete(caller: Caller, full_name: str, *, force: bool = False) -> dict[str, Any]:
        service.drop_schema(caller, full_name, cascade=force)
        return {}


def _add_volumes(api: APIRouter, service: UnityCatalog, write: Shapes) -> None:
    @api.post("/volumes")
    async def create(caller: Caller, body: NewVolume) -> dict[str, Any]:
        if body.volume_type != "MANAGED" or body.storage_location:
            raise NotImplementedHere("The local workspace has managed volumes only, in its own storage.")
        full_name = f"{body.catalog_name}.{body.schema_name}.{body.name}"
        return write.volume(service.create_volume(caller, full_name, comment=body.comment))

    @api.get("/volumes")
    async def list_volumes(
        caller: Caller, catalog_name: str, schema_name: str, size: PageSize = None, token: PageToken = None
    ) -> dict[str, Any]:
        found = service.visible(caller, service.volumes(f"{catalog_name}.{schema_name}"))
        return _page("volumes", [write.volume(item) for item in found], size, token)

    @api.get("/volumes/{full_name}")
    async def read(caller: Caller, full_name: str) -> dict[str, Any]:
        volume = service.volume(full_name)
        service.require_visible(caller, volume)
        return write.volume(volume)

    @api.patch("/volumes/{full_name}")
    async def update(caller: Caller, full_name: str, body: Update) -> dict[str, Any]:
        changes = body.changes("owner", "comment")
        return write.volume(service.update(caller, Volume, full_name, **changes))

    @api.delete("/volumes/{full_name}")
    def delete(caller: Caller, full_name: str) -> dict[str, Any]:
        service.drop_volume(caller, full_name)
        return {}


def _add_tables(api: APIRouter, service: UnityCatalog, write: Shapes) -> None:
    @api.post("/tables")
    def create(caller: Caller, body: NewTable) -> dict[str, Any]:
        spec = external_tables.spec(body, service.storage.root)
        return write.table(service.register_table(caller, spec))

    @api.get("/tables")
    async def list_tables(
        caller: Caller,
        catalog_name: str,
        schema_name: str,
        size: PageSize = None,
        token: PageToken = None,
        *,
        omit_columns: bool = False,
        omit_properties: bool = False,
    ) -> dict[str, Any]:
        found = service.visible(caller, service.tables(catalog_name, schema_name))
        written = [
            write.table(item, columns=not omit_columns, properties=not omit_properties) for item in found
        ]
        return _page("tables", written, size, token)

    @api.get("/table-summaries")
    async def summaries(
        caller: Caller,
        catalog_name: str,
        schema_name_pattern: str = "%",
        table_name_pattern: str = "%",
        *,
        size: PageSize = None,
        token: PageToken = None,
    ) -> dict[str, Any]:
        found = service.visible(
            caller, service.tables_like(catalog_name, schema_name_pattern, table_name_pattern)
        )
        written = [{"full_name": item.full_name, "table_type": item.table_type} for item in found]
        return _page("tables", written, size, token)

    @api.get("/tables/{full_name}")
    async def get(caller: Caller, full_name: str) -> dict[str, Any]:
        table = service.table(full_name)
        service.require_visible(caller, table)
        return write.table(table)

    @api.get("/tables/{full_name}/exists")
    async def exists(caller: Caller, full_name: str) -> dict[str, Any]:
        table = service.find_table(full_name)
        return {"table_exists": table is not None and bool(service.visible(caller, [table]))}

    @api.patch("/tables/{full_name}")
    async def update(caller: Caller, full_name: str, body: Update) -> dict[str, Any]:
        return write.table(service.update(caller, Table, full_name, **body.changes("owner", "comment")))

    @api.delete("/tables/{full_name}")
    def delete(caller: Caller, full_name: str) -> dict[str, Any]:
        service.drop_table(caller, full_name)
        return {}


def _add_functions(api: APIRouter, service: UnityCatalog, write: Shapes) -> None:
    @api.post("/functions")
    async def create(_caller: Caller) -> dict[str, Any]:
        raise NotImplementedHere("Create functions with CREATE FUNCTION on a warehouse.")

    @api.get("/functions")
    async def list_functions(
        caller: Caller, catalog_name: str, schema_name: str, size: PageSize = None, token: PageToken = None
    ) -> dict[str, Any]:
        found = service.visible(caller, service.functions(catalog_name, schema_name))
        return _page("functions", [write.function(item) for item in found], size, token)

    @api.get("/functions/{full_name}")
    async def get(caller: Caller, full_name: str) -> dict[str, Any]:
        function = service.function(full_name)
        service.require_visible(caller, function)
        return write.function(function)

    @api.patch("/functions/{full_name}")
    async def update(caller: Caller, full_name: str, body: Update) -> dict[str, Any]:
        return write.function(service.update(caller, Function, full_name, **body.changes("owner")))

    @api.delete("/functions/{full_name}")
    async def delete(caller: Caller, full_name: str) -> dict[str, Any]:
        service.drop_function(caller, full_name)
        return {}


def _add_grants(api: APIRouter, service: UnityCatalog) -> None:
    @api.patch("/permissions/{kind}/{full_name}")
    async def change(caller: Caller, kind: str, full_name: str, body: GrantChanges) -> dict[str, Any]:
        kind = kind.lower()
        service.change_grants(caller, kind, full_name, body.changes)
        return {"privilege_assignments": shapes.assignments(service.grants(kind, full_name))}

    @api.get("/permissions/{kind}/{full_name}")
    @api.get("/privilege-assignments/{kind}/{full_name}")
    async def direct(
        caller: Caller, kind: str, full_name: str, principal: str | None = None
    ) -> dict[str, Any]:
        service.require_visible(caller, service.securable(kind.lower(), full_name))
        found = shapes.assignments(service.grants(kind.lower(), full_name))
        return {"privilege_assignments": [item for item in found if principal in {None, item["principal"]}]}

    @api.get("/effective-permissions/{kind}/{full_name}")
    @api.get("/effective-privilege-assignments/{kind}/{full_name}")
    async def effective(
        caller: Caller, kind: str, full_name: str, principal: str | None = None
    ) -> dict[str, Any]:
        securable = service.securable(kind.lower(), full_name)
        service.require_visible(caller, securable)
        found = shapes.effective_assignments(
            service.effective_grants(securable.kind, securable.full_name),
            (securable.kind, securable.full_name),
        )
        chosen = [item for item in found if principal in {None, item["principal"]}]
        return {"privilege_assignments": chosen, "effective_privilege_assignments": chosen}


def _add_metastore(api: APIRouter, service: UnityCatalog, workspace_id: int) -> None:
    metastore = service.metastore
    summary = {
        "metastore_id": metastore.full_name,
        "name": "local",
        "owner": metastore.owner,
        "privilege_model_version": "1.0",
        "created_at": metastore.created_at,
        "created_by": metastore.created_by,
    }

    @api.get("/metastore_summary")
    async def summarised(_caller: Caller) -> dict[str, Any]:
        return summary

    @api.get("/metastores")
    async def list_metastores(_caller: Caller) -> dict[str, Any]:
        return {"metastores": [summary]}

    @api.get("/metastores/{metastore_id}")
    async def get(_caller: Caller, metastore_id: str) -> dict[str, Any]:
        service.securable("metastore", metastore_id)
        return summary

    @api.get("/current-metastore-assignment")
    async def current(_caller: Caller) -> dict[str, Any]:
        return {"metastore_id": metastore.full_name, "workspace_id": workspace_id, "default_catalog_name": ""}


def _page(field: str, items: list[dict[str, Any]], size: int | None, token: str | None) -> dict[str, Any]:
    """One page; a size of 0 leaves it to the server."""
    chosen, next_token = page(items, size=min(size or MAX_PAGE, MAX_PAGE), token=token)
    return {field: list(chosen)} | ({"next_page_token": next_token} if next_token else {})
