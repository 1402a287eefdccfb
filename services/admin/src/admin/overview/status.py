"""The state of the whole demo in one object, gathered from where each part of the truth is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, LiteralString

import pyarrow as pa
from caspers.clients.warehouse import Warehouse
from caspers.errors import CaspersError
from caspers.model.tables import TABLES
from caspers.names import Names, quoted
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.apps import App
from databricks.sdk.service.pipelines import GetPipelineResponse

from admin.engine.registry import Registry
from admin.overview.agent_lines import LineReader
from admin.workers import Workers

REPLAY_WORKER = "replay"
WORKER_FIGURES = ("desired", "observed", "heartbeat_age_s", "progress")
REPLAY_FIGURES = ("virtual_time", "watermark", "events_written")


class StatusReader:
    """Reads the status; every part is found anew, nothing is assumed."""

    def __init__(
        self,
        workspace: WorkspaceClient,
        warehouse: Callable[[], Warehouse],
        names: Names,
        registry: Registry,
        workers: Workers,
        *,
        lines: Sequence[LineReader],
    ) -> None:
        self._workspace = workspace
        self._warehouse = warehouse
        self._names = names
        self._registry = registry
        self._workers = workers
        self._lines = lines

    def read(self, *, versions: bool = True) -> dict[str, Any]:
        """The object behind `GET /api/v1/status` and `caspers status --json`.

        Without `versions` the tables' versions are None: a long history takes long to read.
        """
        workers = {worker.name: worker for worker in self._workers.all()}
        progress = workers[REPLAY_WORKER].progress if REPLAY_WORKER in workers else {}
        entries = self._registry.entries()
        registered = entries.values()
        apps = [
            self._names.admin_app,
            *(entry.name for entry in registered if entry.kind == "databricks_app"),
        ]
        tables = self._tables(versions=versions)
        pipelines = [entry.id for entry in registered if entry.kind == "pipeline" and entry.id]
        return {
            "workspace": {"state": "running", "url": self._workspace.config.host},
            "apps": {name: self._app(name) for name in apps},
            "pipelines": dict(filter(None, map(self._pipeline, pipelines))),
            "workers": {
                name: {figure: getattr(worker, figure) for figure in WORKER_FIGURES}
                for name, worker in workers.items()
            },
            "tables": tables,
            "replay": {figure: progress.get(figure) for figure in REPLAY_FIGURES},
            **{
                reader.line.name: self._line(reader, tables) if reader.line.copy.key in entries else None
                for reader in self._lines
            },
        }

    def _line(self, reader: LineReader, tables: Mapping[str, Mapping[str, int | None]]) -> dict[str, Any]:
        return reader.read(source_version=tables.get(reader.source, {}).get("version"))

    def _app(self, name: str) -> dict[str, Any]:
        try:
            app = self._workspace.apps.get(name)
        except NotFound:
            return {"state": "MISSING", "url": None}
        return {"state": app_state(app), "url": app.url}

    def _pipeline(self, pipeline_id: str) -> tuple[str, dict[str, Any]] | None:
        try:
            pipeline = self._workspace.pipelines.get(pipeline_id)
        except NotFound:
            return None
        return pipeline.name or pipeline_id, pipeline_state(pipeline)

    def _tables(self, *, versions: bool) -> dict[str, dict[str, int | None]]:
        full_names = self._existing_tables()
        if not full_names:
            return {}
        rows = self._rows(full_names)
        return {
            name: {"rows": rows.get(name), "version": self._version(name) if versions else None}
            for name in full_names
        }

    def _existing_tables(self) -> list[str]:
        ours = [self._names.table(table.name) for table in TABLES]
        there: set[str] = set()
        for schema in sorted({name.split(".")[1] for name in ours}):
            try:
                listed = self._workspace.tables.list(self._names.catalog, schema, omit_columns=True)
                there |= {table.full_name for table in listed if table.full_name}
            except NotFound:
                continue
        return [name for name in ours if name in there]

    def _rows(self, full_names: Iterable[str]) -> Mapping[str, int]:
        # One statement for all tables: the figures belong to one moment, as far as an engine can say so.
        counts: LiteralString = " UNION ALL ".join([_count_of(quoted(name)) for name in full_names])
        try:
            counted = self._warehouse().query(counts).to_pylist()
        except CaspersError:
            return {}
        return {row["name"].replace("`", ""): row["rows"] for row in counted}

    def _version(self, full_name: str) -> int | None:
        """The table's newest version; None where the platform keeps no history of it (some views)."""
        try:
            history = self._warehouse().query("DESCRIBE HISTORY " + quoted(full_name) + " LIMIT 1")
        except CaspersError:
            return None
        return _newest_version(history)


def app_state(app: App) -> str:
    """RUNNING, CRASHED, … of the application; of its compute while that does not run."""
    compute = app.compute_status.state if app.compute_status else None
    application = app.app_status.state if app.app_status else None
    if compute is not None and compute.value != "ACTIVE":
        return compute.value
    return application.value if application else "UNKNOWN"


def pipeline_state(pipeline: GetPipelineResponse) -> dict[str, Any]:
    """Its state and its newest update's."""
    newest = max(pipeline.latest_updates or [], key=lambda update: update.creation_time or "", default=None)
    last_update = None
    if newest is not None:
        last_update = {
            "update_id": newest.update_id,
            "state": newest.state.value if newest.state else None,
            "creation_time": newest.creation_time,
        }
    return {"state": pipeline.state.value if pipeline.state else "UNKNOWN", "last_update": last_update}


def _count_of(table: LiteralString) -> LiteralString:
    return "SELECT '" + table + "' AS name, count(*) AS rows FROM " + table  # noqa: S608  a checked identifier


def _newest_version(history: pa.Table) -> int | None:
    return max(history.column("version").to_pylist(), default=None)
