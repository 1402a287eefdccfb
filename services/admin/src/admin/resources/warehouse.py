"""A SQL warehouse: an existing one is used; only where there is none we make our own."""

from collections.abc import Callable, Iterable

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.sql import CreateWarehouseRequestWarehouseType, EndpointInfo, State

from admin.resources.kind import Declared, Found

GONE = {State.DELETED, State.DELETING}


class SqlWarehouse:
    """Named as ours would be; specification: `id` (optional, the one to use)."""

    patience_s = 600.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient, whoami: Callable[[], str]) -> None:
        self._workspace = workspace
        self._whoami = whoami

    def read(self, wanted: Declared) -> Found | None:
        if chosen := wanted.spec.get("id"):
            return Found(chosen, outputs={"id": chosen}, shared=True)
        known = self._known(wanted.id) if wanted.id else None
        warehouse = known or choose(self._workspace.warehouses.list(), wanted.name)
        if warehouse is None or not warehouse.id:
            return None
        # A stopped warehouse is as good as a running one: the first statement starts it.
        made_by_us = warehouse.name == wanted.name and warehouse.creator_name == self._whoami()
        return Found(warehouse.id, outputs={"id": warehouse.id}, shared=not made_by_us)

    def _known(self, warehouse_id: str) -> EndpointInfo | None:
        try:
            warehouse = self._workspace.warehouses.get(warehouse_id)
        except NotFound:
            return None
        return (
            None
            if warehouse.state in GONE
            else EndpointInfo(id=warehouse.id, name=warehouse.name, creator_name=warehouse.creator_name)
        )

    def create(self, wanted: Declared) -> str:
        created = self._workspace.warehouses.create(
            name=wanted.name,
            cluster_size="2X-Small",
            max_num_clusters=1,
            auto_stop_mins=10,
            enable_serverless_compute=True,
            warehouse_type=CreateWarehouseRequestWarehouseType.PRO,
        )
        return created.response.id or ""

    def update(self, wanted: Declared) -> None:
        """Size and limits are the operator's choice once it exists."""

    def delete(self, wanted: Declared) -> None:
        self._workspace.warehouses.delete(wanted.id)


def choose(warehouses: Iterable[EndpointInfo], own_name: str) -> EndpointInfo | None:
    """Ours if it exists, else a running one, else any that is not being deleted."""
    usable = [warehouse for warehouse in warehouses if warehouse.state not in GONE]
    return min(
        usable,
        key=lambda warehouse: (
            warehouse.name != own_name,
            warehouse.state is not State.RUNNING,
            warehouse.name or "",
        ),
        default=None,
    )
