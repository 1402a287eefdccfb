"""The admin's connections to what may not exist yet: a warehouse, the control database."""

from collections.abc import Callable
from threading import Lock

from caspers.clients.lakebase import Lakebase
from caspers.clients.platform_errors import PLATFORM_ERRORS, from_platform
from caspers.clients.warehouse import Warehouse
from caspers.errors import NotFound
from caspers.names import endpoint_path
from caspers.settings import Settings
from databricks.sdk import WorkspaceClient
from databricks.sdk import errors as platform

from admin.resources.warehouse import choose
from admin.stages import complaints, refunds
from admin.stages.specifications import CONTROL_DATABASE


class Connections:
    """Opened on first use, shared afterwards; safe between threads."""

    def __init__(self, workspace: WorkspaceClient, settings: Settings) -> None:
        self._workspace = workspace
        self._settings = settings
        self._lock = Lock()
        self._warehouse: Warehouse | None = None
        self._databases: dict[tuple[str, str], Lakebase] = {}

    def warehouse(self) -> Warehouse:
        """The warehouse of the settings, else the one that the foundation chose. Raises `NotFound`."""
        with self._lock:
            if self._warehouse is None:
                self._warehouse = Warehouse(self._workspace, self._warehouse_id())
            return self._warehouse

    def _warehouse_id(self) -> str:
        if self._settings.warehouse_id:
            return self._settings.warehouse_id
        chosen = choose(self._workspace.warehouses.list(), "caspers")
        if chosen is None or not chosen.id:
            raise NotFound(
                "this workspace has no SQL warehouse yet", what_now="Run the stage Canonical_Data."
            )
        return chosen.id

    def database(self, endpoint: str, name: str) -> Lakebase:
        """A Lakebase database by its endpoint's path and its name."""
        with self._lock:
            if (endpoint, name) not in self._databases:
                self._databases[endpoint, name] = Lakebase(
                    self._workspace,
                    endpoint,
                    name,
                    port=self._settings.postgres_port,
                    sslmode=self._settings.postgres_sslmode,
                )
            return self._databases[endpoint, name]

    def control(self) -> Lakebase | None:
        """The control database, or None while its project does not exist."""
        return self._if_there(self._settings.names.control_project, CONTROL_DATABASE)

    def refunds(self) -> Lakebase | None:
        """The refund manager's database, or None while its project does not exist."""
        return self._if_there(self._settings.names.refund_project, refunds.DATABASE)

    def complaints(self) -> Lakebase | None:
        """The complaint console's database, or None while its project does not exist."""
        return self._if_there(self._settings.names.complaint_project, complaints.DATABASE)

    def _if_there(self, project: str, name: str) -> Lakebase | None:
        endpoint = endpoint_path(project)
        try:
            self._workspace.postgres.get_endpoint(endpoint)
        except platform.NotFound:
            return None
        except PLATFORM_ERRORS as error:
            raise from_platform(f"looking for the Lakebase project {project}", error) from error
        return self.database(endpoint, name)

    def close(self) -> None:
        """Close whatever was opened."""
        with self._lock:
            closing: list[Callable[[], None]] = [database.close for database in self._databases.values()]
            if self._warehouse is not None:
                closing.append(self._warehouse.close)
        for close in closing:
            close()
