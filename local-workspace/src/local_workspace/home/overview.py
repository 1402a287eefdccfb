"""What the workspace holds and how it is, gathered for the home page: plain data, ready to be shown."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from deltalake.exceptions import DeltaError

from local_workspace.api.apps.rules import Apps
from local_workspace.api.apps.shapes import url
from local_workspace.api.pipelines.rules import Pipelines
from local_workspace.api.postgres.rules import Lakebase
from local_workspace.api.postgres.synced_tables import SyncedTables
from local_workspace.api.serving_endpoints.rules import ServingEndpoints
from local_workspace.api.sql.warehouses import Warehouses
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import Table
from local_workspace.engines import delta
from local_workspace.identity import Identities, Principal

GOOD = {"RUNNING", "ACTIVE", "COMPLETED", "READY"}
BUSY = {
    "STARTING",
    "DEPLOYING",
    "INITIALIZING",
    "SETTING_UP_TABLES",
    "RESETTING",
    "QUEUED",
    "CREATED",
    "WAITING_FOR_RESOURCES",
}
BAD = {"CRASHED", "FAILED"}


@dataclass(frozen=True)
class Cell:
    """One value of a table.

    Attributes:
        href: where it leads.
        state: `text` is a state; how to colour it.
        id: of a row's first cell: what addresses point at.
    """

    text: str
    href: str | None = None
    state: str | None = None
    id: str | None = None
    number: bool = False


@dataclass(frozen=True)
class Section:
    """One kind of thing, as a table.

    Attributes:
        nothing: what to say when there is none.
    """

    id: str
    title: str
    nothing: str
    columns: tuple[str, ...]
    rows: list[list[Cell]] = field(default_factory=list)


@dataclass(frozen=True)
class Parts:
    """The services that the page asks."""

    identities: Identities
    apps: Apps
    pipelines: Pipelines
    unity_catalog: UnityCatalog
    warehouses: Warehouses
    lakebase: Lakebase
    serving_endpoints: ServingEndpoints
    synced_tables: SyncedTables


class Overview:
    """Gathers the sections; rows are counted again only when a table has a new version."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._counted: dict[Path, tuple[int, int]] = {}

    def sections(self) -> list[Section]:
        """All sections, as of now."""
        reader = self._parts.identities.ensure_local_user()
        return [
            self._apps(reader),
            self._pipelines(reader),
            self._tables(),
            self._warehouses(),
            self._lakebase(reader),
            self._synced_tables(reader),
            self._serving_endpoints(reader),
        ]

    def _apps(self, reader: Principal) -> Section:
        rows: list[list[Cell]] = []
        for app in self._parts.apps.visible(reader):
            status = self._parts.apps.deployments.fleet.status(app.name)
            rows.append(
                [
                    Cell(app.name, href=url(app), id=f"apps/{app.name}"),
                    _state(status.state),
                    Cell("" if status.state == "RUNNING" else status.message.splitlines()[0]),
                    Cell(app.source_code_path or "not deployed yet"),
                    Cell(f"log of {app.name}", href=f"{url(app)}/logz"),
                ]
            )
        columns = ("App", "State", "Message", "Source", "Log")
        return Section("apps", "Apps", "No app has been created yet.", columns, rows)

    def _pipelines(self, reader: Principal) -> Section:
        rows: list[list[Cell]] = []
        for pipeline in self._parts.pipelines.all(reader):
            updates = self._parts.pipelines.updates(reader, pipeline.pipeline_id)
            last = updates[0] if updates else None
            rows.append(
                [
                    Cell(pipeline.name, id=f"pipelines/{pipeline.pipeline_id}"),
                    _state(self._parts.pipelines.state(pipeline)),
                    Cell("continuous" if pipeline.continuous else "triggered"),
                    _state(last.state) if last else Cell("no update yet"),
                    Cell(_time(last.created_at) if last else ""),
                ]
            )
        columns = ("Pipeline", "State", "Mode", "Last update", "Since")
        return Section("pipelines", "Pipelines", "No pipeline has been created yet.", columns, rows)

    def _tables(self) -> Section:
        catalog = self._parts.unity_catalog
        tables = [
            table
            for owner in catalog.catalogs()
            for schema in catalog.schemas(owner.name)
            for table in catalog.tables(owner.name, schema.name)
        ]
        rows = [
            [
                Cell(it.full_name, id=f"tables/{it.full_name}"),
                Cell(_words(it.table_type)),
                *self._figures(it),
            ]
            for it in tables
        ]
        columns = ("Table", "Type", "Rows", "Version")
        return Section("tables", "Tables", "No table has been created yet.", columns, rows)

    def _warehouses(self) -> Section:
        rows = [
            [
                Cell(it.name, id=f"warehouses/{it.id}"),
                _state("RUNNING" if it.running else "STOPPED"),
                Cell(f"/sql/1.0/warehouses/{it.id}"),
            ]
            for it in self._parts.warehouses.list()
        ]
        return Section(
            "warehouses",
            "SQL warehouses",
            "There is no warehouse.",
            ("Warehouse", "State", "HTTP path"),
            rows,
        )

    def _lakebase(self, reader: Principal) -> Section:
        rows: list[list[Cell]] = []
        for project in self._parts.lakebase.projects(reader):
            cluster = self._parts.lakebase.cluster(project.id)
            databases = self._parts.lakebase.rows.children(f"{project.name}/branches/production", "databases")
            names = ", ".join(it.status["postgres_database"] for it in databases)
            rows.append(
                [
                    Cell(project.id, id=f"lakebase/{project.id}"),
                    _state("ACTIVE" if cluster.running else "STARTING"),
                    Cell(cluster.host),
                    Cell(names),
                ]
            )
        columns = ("Project", "State", "Host", "Databases")
        return Section("lakebase", "Lakebase", "No Lakebase project has been created yet.", columns, rows)

    def _synced_tables(self, reader: Principal) -> Section:
        rows: list[list[Cell]] = []
        for table in self._parts.synced_tables.visible(reader):
            progress = self._parts.synced_tables.progress(table)
            colour = "bad" if progress.failure else "busy" if not progress.filled else "good"
            state = "failed" if progress.failure else "online" if progress.filled else "being filled"
            rows.append(
                [
                    Cell(table.full_name),
                    Cell(state, state=colour),
                    Cell(progress.failure or table.policy.lower()),
                    Cell(f"{table.source} → {table.project_id}/{table.postgres_database}"),
                    Cell("" if progress.version is None else str(progress.version), number=True),
                ]
            )
        columns = ("Synced table", "State", "Message", "From → to", "Version")
        nothing = "No table is synced to Lakebase yet."
        return Section("synced-tables", "Synced tables", nothing, columns, rows)

    def _serving_endpoints(self, reader: Principal) -> Section:
        service = self._parts.serving_endpoints
        rows = [
            [
                Cell(it.name, id=f"serving-endpoints/{it.name}"),
                _state("READY"),
                Cell(service.answers_from(it)),
                Cell(it.creator or "the workspace"),
            ]
            for it in service.visible(reader)
        ]
        columns = ("Endpoint", "State", "Answers come from", "Made by")
        return Section("serving-endpoints", "Serving endpoints", "There is no endpoint.", columns, rows)

    def _figures(self, table: Table) -> list[Cell]:
        if table.location is None:
            return [Cell("", number=True), Cell("", number=True)]
        try:
            version = delta.version(table.location)
            if self._counted.get(table.location, (-1, 0))[0] != version:
                self._counted[table.location] = version, delta.row_count(table.location)
        except (OSError, DeltaError):  # dropped a moment ago, or being written for the first time
            return [Cell("–", number=True), Cell("–", number=True)]
        rows = self._counted[table.location][1]
        return [Cell(f"{rows:,}", number=True), Cell(str(version), number=True)]


def _state(state: str) -> Cell:
    colour = "good" if state in GOOD else "busy" if state in BUSY else "bad" if state in BAD else "calm"
    return Cell(_words(state), state=colour)


def _words(constant: str) -> str:
    return constant.replace("_", " ").lower()


def _time(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%H:%M:%S UTC")
