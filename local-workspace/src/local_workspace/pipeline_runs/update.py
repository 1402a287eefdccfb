"""One update of a pipeline: load the source, set up the tables, run every flow in order.

A triggered update runs once over what is there; a continuous one goes on until it is told to stop, and sleeps while
no file arrives. Killed at any point, the next update goes on where the tables' own logs say that this one ended.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

from pyspark.sql.types import StructType

from local_workspace.clock import Clock
from local_workspace.pipeline_runs.definitions import (
    MATERIALIZED_VIEW,
    STREAMING_TABLE,
    TEMPORARY_VIEW,
    Dataset,
    SourceError,
    load,
)
from local_workspace.pipeline_runs.delta_table import PipelineTable
from local_workspace.pipeline_runs.graph import DatasetPlan, FlowPlan, Graph
from local_workspace.pipeline_runs.host import Column, Host, Publication
from local_workspace.pipeline_runs.session import PipelineSession
from local_workspace.pipeline_runs.source_files import FileSource, Progress, Watch
from local_workspace.pipeline_runs.spec import UpdateSpec
from local_workspace.pipeline_runs.stream_flow import StreamFlow, Written
from local_workspace.pipeline_runs.surroundings import Surroundings
from local_workspace.pipeline_runs.upkeep import keep_up
from local_workspace.pipeline_runs.view_refresh import ViewRefresh

POLL_S = 0.25
"""How often a continuous update looks for new files; a look costs a `stat` per directory."""

INTERVAL_KEY = "pipelines.trigger.interval"
SECONDS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0}


class Update:
    """Runs one update.

    Args:
        stop: set it to end a continuous update after the round in hand.
    """

    def __init__(self, spec: UpdateSpec, host: Host, clock: Clock, stop: threading.Event) -> None:
        self._spec = spec
        self._host = host
        self._clock = clock
        self._stop = stop
        self._session = PipelineSession(spec.engine)
        self._around = Surroundings(
            self._session, Progress(spec.state / "progress.sqlite"), host, clock, spec.state, self._full_name
        )
        self._plans: list[DatasetPlan] = []
        self._tables: dict[str, PipelineTable] = {}
        self._flows: dict[str, list[StreamFlow] | ViewRefresh] = {}

    def run(self) -> None:
        """Run to the end.

        Raises:
            SourceError: the pipeline's source is at fault.
            HostRefused: the workspace refuses a table or a path.
        """
        self._host.report("update_progress", state="INITIALIZING")
        self._around.clean()
        self._prepare()
        if self._spec.validate_only:
            return
        self._host.report("update_progress", state="SETTING_UP_TABLES")
        self._set_up_tables()
        self._reset()
        self._host.report("update_progress", state="RUNNING")
        if self._spec.continuous:
            self._run_until_stopped()
        else:
            self._round()

    def close(self) -> None:
        """Let go of the engine and the state; remove scratch files."""
        self._around.clean()
        self._around.progress.close()
        self._session.stop()

    def _full_name(self, name: str) -> str:
        parts = name.replace("`", "").split(".")
        return ".".join([self._spec.catalog, self._spec.schema_name][: 3 - len(parts)] + parts)

    def _configure(self) -> None:
        for key, value in {"spark.sql.session.timeZone": "UTC", **self._spec.configuration}.items():
            self._session.conf.set(key, value)

    def _prepare(self) -> None:
        self._configure()
        datasets = load(self._spec.sources, self._spec.root, self._session)
        self._around.views.update(
            {
                self._full_name(dataset.name): dataset.flows[0].function
                for dataset in datasets
                if dataset.kind == TEMPORARY_VIEW and dataset.flows
            }
        )
        self._plans = [
            plan
            for plan in Graph(datasets, self._session, self._full_name, self._outside).in_order()
            if plan.dataset.kind != TEMPORARY_VIEW
        ]

    def _outside(self, name: str) -> StructType:
        return self._session.delta(str(self._host.table(name))).schema

    def _set_up_tables(self) -> None:
        for plan in self._plans:
            location = self._host.location(plan.name)
            self._tables[plan.name] = self._table(plan, location)
            self._host.publish(_publication(plan))
        for plan in self._plans:
            self._flows[plan.name] = self._flows_of(plan)

    def _table(self, plan: DatasetPlan, location: Path) -> PipelineTable:
        dataset, schema = plan.dataset, plan.arrow_schema
        partitions = dataset.partitioned_by if dataset.kind == STREAMING_TABLE else ()
        if PipelineTable.exists(location):
            table = PipelineTable(location)
            if table.has_schema(schema, partitions):
                return table
            if dataset.kind == STREAMING_TABLE and not self._begins_anew(dataset):
                raise SourceError(
                    f"{plan.name} has other columns or partitions than the source says now. "
                    "Start an update with a full refresh of it."
                )
        return PipelineTable.create(location, schema, partitions, dataset.properties)

    def _flows_of(self, plan: DatasetPlan) -> list[StreamFlow] | ViewRefresh:
        target = self._tables[plan.name]
        if plan.dataset.kind == MATERIALIZED_VIEW:
            sources = {name: self._source(name) for name in dict.fromkeys(plan.flows[0].tables)}
            app = f"{self._app(plan, plan.flows[0])}#{plan.flows[0].fingerprint}"
            return ViewRefresh(plan, app, target, sources, self._around)
        return [
            StreamFlow(
                flow,
                self._app(plan, flow),
                target,
                self._source(flow.stream) if isinstance(flow.stream, str) else None,
                self._around,
            )
            for flow in plan.flows
        ]

    def _app(self, plan: DatasetPlan, flow: FlowPlan) -> str:
        return f"{self._spec.pipeline_id}/{plan.name}/{flow.definition.name}"

    def _source(self, name: str) -> PipelineTable:
        if name not in self._tables:
            self._tables[name] = PipelineTable(self._host.table(name))
        return self._tables[name]

    def _begins_anew(self, dataset: Dataset) -> bool:
        return self._spec.full_refresh or self._chosen(dataset, self._spec.full_refresh_selection)

    def _chosen(self, dataset: Dataset, selection: list[str]) -> bool:
        return self._full_name(dataset.name) in {self._full_name(name) for name in selection}

    def _reset(self) -> None:
        """Empty what begins anew; readers of a table before the table, so that a kill in between loses nothing."""
        for plan in reversed(self._plans):
            if not self._begins_anew(plan.dataset):
                continue
            flows = self._flows[plan.name]
            for flow in flows if isinstance(flows, list) else [flows]:
                self._tables[plan.name].commit(flow.reset())

    def _run_until_stopped(self) -> None:
        watches = [Watch(self._around.directory(source)) for source in self._file_sources()]
        interval = max(POLL_S, interval_seconds(self._spec.configuration.get(INTERVAL_KEY, "")))
        while not self._stop.is_set():
            now = int(self._clock.now().timestamp() * 1e9)
            if sum(watch.changed(now) for watch in watches):
                self._round()
            self._stop.wait(interval)

    def _file_sources(self) -> Iterator[FileSource]:
        found = {
            flow.stream for plan in self._plans for flow in plan.flows if isinstance(flow.stream, FileSource)
        }
        yield from sorted(found, key=lambda source: source.path)

    def _round(self) -> None:
        """Bring every table up to date with the files that are there now."""
        self._session.wait_until_reachable()
        self._configure()  # the engine may be another process than at the last round
        for source in self._file_sources():
            self._around.progress.record_new_batches(source, self._around.directory(source))
        for plan in self._plans:
            if self._is_wanted(plan.dataset) and not self._stop.is_set():
                self._fill(plan)
        self._around.clean()

    def _is_wanted(self, dataset: Dataset) -> bool:
        selection = [*self._spec.refresh_selection, *self._spec.full_refresh_selection]
        return not selection or self._spec.full_refresh or self._chosen(dataset, selection)

    def _fill(self, plan: DatasetPlan) -> None:
        table, flows = self._tables[plan.name], self._flows[plan.name]
        before, started = table.version, self._clock.monotonic()
        if isinstance(flows, ViewRefresh):
            written = flows.run()
            if written is not None:
                self._report(plan.flows[0], plan, written, started)
        else:
            for flow, definition in zip(flows, plan.flows, strict=True):
                for step in flow.steps():
                    self._report(definition, plan, step, started)
                    started = self._clock.monotonic()
        keep_up(table, before)

    def _report(self, flow: FlowPlan, plan: DatasetPlan, written: Written, started: float) -> None:
        self._host.report(
            "flow_progress",
            flow=flow.definition.name,
            dataset=plan.name,
            rows=written.rows,
            duplicates=written.duplicates,
            seconds=round(self._clock.monotonic() - started, 3),
            version=self._tables[plan.name].version,
            how=written.how,
        )


def _publication(plan: DatasetPlan) -> Publication:
    columns = tuple(Column(field.name, field.dataType.simpleString()) for field in plan.schema.fields)
    return Publication(plan.name, plan.dataset.kind, plan.dataset.comment, columns, plan.dataset.properties)


def interval_seconds(text: str) -> float:
    """Seconds of an interval such as "5 seconds"; 0 for none.

    Raises:
        SourceError: the text is no interval.
    """
    if not text.strip():
        return 0.0
    number, _, unit = text.strip().partition(" ")
    try:
        return float(number) * SECONDS[unit.strip().lower().removesuffix("s")]
    except (KeyError, ValueError):
        raise SourceError(f'{INTERVAL_KEY} is {text!r}; write it like "5 seconds".') from None
