"""The SQL family put together: warehouses, sessions, statements and the interpreter behind them."""

from dataclasses import dataclass

from fastapi import APIRouter

from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.sql import feature_flags, session_routes, statement_routes, warehouse_routes
from local_workspace.api.sql.change_feed import ChangeFeeds
from local_workspace.api.sql.interpreter import SqlInterpreter
from local_workspace.api.sql.sessions import Sessions
from local_workspace.api.sql.statements import Statements
from local_workspace.api.sql.warehouses import Warehouses
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.clock import Clock
from local_workspace.config import Config
from local_workspace.engines.spark import Spark
from local_workspace.identity import Principal
from local_workspace.state import State


@dataclass(frozen=True)
class SqlService:
    """What other families and the home page may ask about SQL."""

    warehouses: Warehouses
    sessions: Sessions
    statements: Statements
    spark: Spark

    def routers(self, clock: Clock) -> list[APIRouter]:
        """The routes of the family."""
        return [
            feature_flags.router(),
            warehouse_routes.router(self.warehouses, self._warehouse_stopped),
            session_routes.router(self.sessions, self.warehouses),
            statement_routes.router(self.statements, self.sessions, self.warehouses, clock),
        ]

    def stop(self) -> None:
        """Cancel what runs."""
        self.statements.stop()

    def _warehouse_stopped(self, warehouse_id: str) -> None:
        self.statements.cancel_all(lambda session: session.warehouse_id == warehouse_id)


def sql_service(
    config: Config,
    state: State,
    owner: Principal,
    catalog: UnityCatalog,
    permissions: Permissions,
    *,
    spark: Spark,
    clock: Clock,
) -> SqlService:
    """Build the family; the default warehouse exists afterwards and belongs to `owner`."""
    warehouses = Warehouses(state, permissions, clock)
    warehouses.ensure_default(owner)
    interpreter = SqlInterpreter(catalog, spark, ChangeFeeds(config.home / "changes", clock))
    statements = Statements(interpreter, config.home / "results", clock)
    return SqlService(warehouses, Sessions(clock), statements, spark)
