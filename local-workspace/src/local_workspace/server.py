"""Assembly: the engines, the API families and the home page, each a line in one list."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import APIRouter, FastAPI

from local_workspace import bad_days, errors, ids
from local_workspace.api.apps.assembly import apps_service
from local_workspace.api.apps.attachments import Attachments
from local_workspace.api.apps.deployments import Surroundings
from local_workspace.api.files import routes as files
from local_workspace.api.files import upload_routes
from local_workspace.api.files.rules import VolumeFiles
from local_workspace.api.files.uploads import Uploads
from local_workspace.api.jobs.assembly import jobs_service
from local_workspace.api.oauth import routes as oauth
from local_workspace.api.permissions import routes as permission_routes
from local_workspace.api.permissions.rows import PermissionRows
from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.pipelines.assembly import pipelines_service
from local_workspace.api.pipelines.runs import Surroundings as PipelineSurroundings
from local_workspace.api.postgres import routes as postgres
from local_workspace.api.postgres import synced_table_routes
from local_workspace.api.postgres.branch import Branch
from local_workspace.api.postgres.catalogs import DatabaseCatalogs
from local_workspace.api.postgres.rows import LakebaseRows
from local_workspace.api.postgres.rules import Lakebase
from local_workspace.api.postgres.shapes import Shapes
from local_workspace.api.postgres.synced_tables import SyncedTables
from local_workspace.api.serving_endpoints.assembly import serving_service
from local_workspace.api.sql.assembly import sql_service
from local_workspace.api.unity_catalog import routes as unity_catalog_routes
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.workspace_files import routes as workspace_files_routes
from local_workspace.api.workspace_files.rows import Rows as WorkspaceFileRows
from local_workspace.api.workspace_files.rules import WorkspaceFiles
from local_workspace.bad_days import Application
from local_workspace.clock import Clock
from local_workspace.config import Config
from local_workspace.engines.disk import Storage
from local_workspace.engines.spark import Spark
from local_workspace.home import routes as home
from local_workspace.home.overview import Overview, Parts
from local_workspace.identity import Identities
from local_workspace.state import State


@dataclass
class Workspace:
    """Everything that runs, put together.

    Attributes:
        routers: the API families and pages.
        start: called in order when the server starts; each may take seconds.
        stop: called in reverse order, while the API still answers: apps end their work with its help.
        close: awaited after that.
    """

    config: Config
    identities: Identities
    state: State
    routers: list[APIRouter] = field(default_factory=list)
    start: list[Callable[[], None]] = field(default_factory=list)
    stop: list[Callable[[], None]] = field(default_factory=list)
    close: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def stop_all(self) -> None:
        """Stop what runs; a second call does nothing."""
        while self.stop:
            self.stop.pop()()


def assemble(config: Config, clock: Clock) -> Workspace:
    """Build every part of the workspace; nothing runs yet."""
    state = State(config.database)
    identities = Identities(state, clock, config.token_life)
    workspace = Workspace(config, identities, state)
    unity_catalog = UnityCatalog(state, identities, clock, Storage(config.catalogs))
    volume_files = VolumeFiles(unity_catalog)
    permissions = Permissions(PermissionRows(state), identities)
    workspace_files = WorkspaceFiles(WorkspaceFileRows(state), Storage(config.files), permissions)
    rows = LakebaseRows(state)
    lakebase = Lakebase(rows, permissions, clock, config.lakebase, token_life=config.token_life)
    branch = Branch(lakebase)
    workspace.start.append(lakebase.start)
    workspace.stop.append(lakebase.stop)
    spark = Spark(config.home / "engine", config.logs / "sql-engine.log", clock)
    owner = identities.ensure_local_user()
    sql = sql_service(config, state, owner, unity_catalog, permissions, spark=spark, clock=clock)
    workspace.start.append(spark.start)
    workspace.stop += [spark.stop, sql.stop]
    synced_tables = SyncedTables(state, lakebase, unity_catalog, owner)
    workspace.start.append(synced_tables.start)
    workspace.stop.append(synced_tables.stop)
    serving, serving_routes, close = serving_service(state, permissions, owner, config.model, clock)
    workspace.routers += serving_routes
    workspace.close.append(close)
    attachments = Attachments(
        identities, permissions, unity_catalog, lakebase, branch, serving_endpoints=serving
    )
    url = f"http://{config.host}:{config.port}"
    surroundings = Surroundings(url, workspace_id(state), config.apps, workspace_files.local_path)
    apps = apps_service(state, identities, permissions, attachments, surroundings, clock=clock)
    workspace.start.append(apps.apps.start_all)
    workspace.stop.append(apps.apps.stop_all)
    workspace.routers += [
        oauth.router(identities, workspace_id(state)),
        permission_routes.router(permissions),
        synced_table_routes.router(synced_tables, Shapes(lakebase)),
        postgres.router(lakebase, branch, DatabaseCatalogs(unity_catalog, lakebase, branch)),
        apps.router(),
        files.router(volume_files),
        upload_routes.router(Uploads(volume_files, unity_catalog.storage, clock)),
        workspace_files_routes.router(workspace_files),
        unity_catalog_routes.router(unity_catalog, workspace_id(state)),
    ]
    workspace.routers += sql.routers(clock)
    around = PipelineSurroundings(
        unity_catalog, identities, workspace_files, spark, config.pipelines, synced_tables
    )
    pipelines, pipeline_routes = pipelines_service(state, permissions, around, clock)
    jobs, job_routes = jobs_service(state, identities, permissions, pipelines, clock)
    workspace.start += [pipelines.start, jobs.start]
    workspace.stop += [pipelines.stop_all, jobs.stop]
    workspace.routers += [pipeline_routes, job_routes]
    parts = Parts(
        *(identities, apps.apps, pipelines, unity_catalog, sql.warehouses, lakebase, serving, synced_tables)
    )
    workspace.routers.append(home.router(Overview(parts), config.home))
    return workspace


def application(workspace: Workspace) -> Application:
    """The ASGI application of an assembled workspace."""
    app = rest_api(workspace)
    if not workspace.config.bad_days:
        return app
    days = bad_days.BadDays()
    app.include_router(bad_days.router(days))
    return bad_days.Interference(app, days, workspace.identities)


def rest_api(workspace: Workspace) -> FastAPI:
    """All routes, and the life of what is behind them."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        try:
            for start in workspace.start:
                start()
            yield
        finally:
            workspace.stop_all()
            for close in workspace.close:
                await close()
            workspace.state.close()

    app = FastAPI(title="Local workspace", lifespan=lifespan)
    app.state.identities = workspace.identities
    errors.install(app)
    for router in workspace.routers:
        app.include_router(router)
    return app


def workspace_id(state: State) -> int:
    """The number of this workspace, chosen once."""
    state.define("CREATE TABLE IF NOT EXISTS workspace (id INTEGER NOT NULL)")
    with state.transaction() as connection:
        row = connection.execute("SELECT id FROM workspace").fetchone()
        if row is None:
            row = {"id": ids.new_number()}
            connection.execute("INSERT INTO workspace VALUES (?)", (row["id"],))
        return int(row["id"])
