"""All kinds of resource by the names that stages use for them. A new kind is one file and one line here."""

from collections.abc import Callable, Mapping

from caspers.clients.warehouse import Warehouse
from databricks.sdk import WorkspaceClient

from admin.resources.catalog import Catalog
from admin.resources.control_schema import ControlAccess, ControlSchema, Databases
from admin.resources.databricks_app import AppCompute, AppRelease, DatabricksApp
from admin.resources.grants import Grants
from admin.resources.job import PipelineJob
from admin.resources.kind import Kind
from admin.resources.lakebase_catalog import LakebaseCatalog
from admin.resources.lakebase_database import LakebaseDatabase
from admin.resources.lakebase_project import LakebaseProject
from admin.resources.model_endpoint import ModelEndpoint
from admin.resources.pipeline import Pipeline, PipelineUpdate
from admin.resources.postgres_index import PostgresIndex
from admin.resources.principal import OwnPrincipal
from admin.resources.sql_function import SqlFunction
from admin.resources.synced_access import SyncedAccess
from admin.resources.synced_table import ContinuousSyncedTable
from admin.resources.table import DeltaTable, ParquetTable, PipelineTable, TextTable
from admin.resources.uc_schema import UcSchema
from admin.resources.volume import Volume
from admin.resources.warehouse import SqlWarehouse
from admin.resources.worker_orders import Orders
from admin.resources.workspace_folder import WorkspaceFolder
from admin.sources import Sources


def kinds(
    workspace: WorkspaceClient, warehouse: Callable[[], Warehouse], databases: Databases, sources: Sources
) -> Mapping[str, Kind]:
    """Every kind, ready to use."""
    return {
        "app_compute": AppCompute(workspace),
        "app_release": AppRelease(workspace),
        "catalog": Catalog(workspace),
        "control_access": ControlAccess(databases),
        "control_schema": ControlSchema(databases),
        "databricks_app": DatabricksApp(workspace),
        "delta_table": DeltaTable(workspace, warehouse),
        "grants": Grants(workspace),
        "lakebase_catalog": LakebaseCatalog(workspace),
        "lakebase_database": LakebaseDatabase(workspace),
        "lakebase_project": LakebaseProject(workspace),
        "model_endpoint": ModelEndpoint(workspace),
        "parquet_table": ParquetTable(workspace, warehouse),
        "pipeline": Pipeline(workspace),
        "pipeline_job": PipelineJob(workspace),
        "pipeline_update": PipelineUpdate(workspace),
        "pipeline_table": PipelineTable(workspace),
        "postgres_index": PostgresIndex(databases),
        "sql_function": SqlFunction(workspace, warehouse),
        "synced_access": SyncedAccess(databases),
        "synced_table": ContinuousSyncedTable(workspace, databases),
        "text_table": TextTable(workspace, warehouse),
        "uc_schema": UcSchema(workspace),
        "volume": Volume(workspace),
        "warehouse": SqlWarehouse(workspace, OwnPrincipal(workspace)),
        "worker_orders": Orders(databases),
        "workspace_folder": WorkspaceFolder(workspace, sources),
    }
