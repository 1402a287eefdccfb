"""The warehouses API: /api/2.0/sql/warehouses."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body

from local_workspace.api.sql.warehouses import Warehouses
from local_workspace.errors import InvalidParameterValue
from local_workspace.identity import Caller

Given = Annotated[dict[str, Any], Body()]


def router(warehouses: Warehouses, on_stop: Callable[[str], None]) -> APIRouter:
    """The routes; `on_stop` is told the id of a warehouse that stops or goes."""
    api = APIRouter(prefix="/api/2.0/sql/warehouses")

    @api.get("")
    def every(caller: Caller) -> dict[str, Any]:
        return {"warehouses": [warehouse.described() for warehouse in warehouses.visible(caller)]}

    @api.post("")
    def create(caller: Caller, given: Given) -> dict[str, Any]:
        name = given.get("name")
        if not isinstance(name, str) or not name:
            raise InvalidParameterValue("A SQL warehouse needs a name.")
        return {"id": warehouses.create(caller, name, given).id}

    @api.get("/{warehouse_id}")
    def get(caller: Caller, warehouse_id: str) -> dict[str, Any]:
        return warehouses.allowed(caller, warehouse_id, "CAN_VIEW").described()

    @api.post("/{warehouse_id}/edit")
    def edit(caller: Caller, warehouse_id: str, given: Given) -> dict[str, Any]:
        return {"id": warehouses.edit(caller, warehouse_id, given.get("name"), given).id}

    @api.post("/{warehouse_id}/start")
    def start(caller: Caller, warehouse_id: str) -> dict[str, Any]:
        warehouses.use(caller, warehouse_id)
        return {}

    @api.post("/{warehouse_id}/stop")
    def stop(caller: Caller, warehouse_id: str) -> dict[str, Any]:
        warehouses.stop(caller, warehouse_id)
        on_stop(warehouse_id)
        return {}

    @api.delete("/{warehouse_id}")
    def delete(caller: Caller, warehouse_id: str) -> dict[str, Any]:
        warehouses.delete(caller, warehouse_id)
        on_stop(warehouse_id)
        return {}

    return api
