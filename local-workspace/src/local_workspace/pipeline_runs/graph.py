"""The order of a pipeline's datasets: each after those it reads, found by running every flow on empty inputs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

from local_workspace.pipeline_runs.definitions import (
    MATERIALIZED_VIEW,
    STREAMING_TABLE,
    TEMPORARY_VIEW,
    Dataset,
    FlowDefinition,
    SourceError,
    failure_of,
)
from local_workspace.pipeline_runs.lines import SCHEMA as LINES
from local_workspace.pipeline_runs.plans import (
    Grouping,
    NotIncremental,
    fingerprint,
    grouping,
    without_watermarks,
)
from local_workspace.pipeline_runs.session import NotSupportedHere, PipelineSession, connect_frame
from local_workspace.pipeline_runs.source_files import FileSource


@dataclass(frozen=True)
class FlowPlan:
    """One flow and what it reads.

    Attributes:
        tables: full names of tables it reads whole.
        stream: the full name of the table, or the files, it follows; None for a query over whole tables.
        refresh: for a materialized view, how it can be refreshed.
        fingerprint: changes when the query does.
    """

    definition: FlowDefinition
    tables: tuple[str, ...]
    stream: str | FileSource | None
    refresh: Grouping | NotIncremental
    fingerprint: str


@dataclass(frozen=True)
class DatasetPlan:
    """A dataset, ready to be filled."""

    name: str
    dataset: Dataset
    schema: StructType
    flows: tuple[FlowPlan, ...]

    @property
    def arrow_schema(self) -> pa.Schema:
        """The schema as the table's files have it."""
        return to_arrow_schema(self.schema, timezone="UTC")

    @property
    def sources(self) -> set[str]:
        """Full names of the tables its flows read or follow."""
        followed = {flow.stream for flow in self.flows if isinstance(flow.stream, str)}
        return followed | {name for flow in self.flows for name in flow.tables}


@dataclass
class _Reading:
    """What a flow asked for while it ran on empty inputs."""

    tables: list[tuple[str, int]] = field(default_factory=list)
    streams: list[str | FileSource] = field(default_factory=list)


class Graph:
    """Resolves datasets one after another.

    Args:
        full_name: a dataset's name with catalog and schema.
        outside: the empty frame's schema of a table that is not the pipeline's.
    """

    def __init__(
        self,
        datasets: list[Dataset],
        session: PipelineSession,
        full_name: Callable[[str], str],
        outside: Callable[[str], StructType],
    ) -> None:
        self._datasets = {full_name(dataset.name): dataset for dataset in datasets}
        self._session = session
        self._full_name = full_name
        self._outside = outside
        self._resolved: dict[str, DatasetPlan] = {}
        self._under_way: list[str] = []
        self._reading = _Reading()

    def in_order(self) -> list[DatasetPlan]:
        """All tables and views, each after those it reads.

        Raises:
            SourceError: a flow fails, reads what is not there, reads itself, or does not fit its dataset.
        """
        for name in self._datasets:
            self._resolve(name)
        return list(self._resolved.values())

    def table(self, name: str) -> DataFrame:
        """An empty frame in place of a table or view; remembers that it was asked for."""
        full_name = self._full_name(name)
        if self._is_view(full_name):
            return self._view(full_name)
        frame = self._empty(self._schema_of(full_name))
        self._reading.tables.append((full_name, self._session.relation(frame).common.plan_id))
        return frame

    def stream(self, name: str) -> DataFrame:
        """An empty frame in place of a table's new rows."""
        full_name = self._full_name(name)
        if self._is_view(full_name):
            return self._view(full_name)
        self._reading.streams.append(full_name)
        return self._empty(self._schema_of(full_name))

    def files(self, source: FileSource) -> DataFrame:
        """An empty frame in place of new lines."""
        self._reading.streams.append(source)
        return self._empty(from_arrow_schema(LINES))

    def _is_view(self, full_name: str) -> bool:
        return full_name in self._datasets and self._datasets[full_name].kind == TEMPORARY_VIEW

    def _view(self, full_name: str) -> DataFrame:
        if full_name in self._under_way:
            raise SourceError(f"{full_name} reads itself.")
        self._under_way.append(full_name)
        frame = self._datasets[full_name].flows[0].function()
        self._under_way.pop()
        return frame

    def _schema_of(self, full_name: str) -> StructType:
        if full_name in self._datasets:
            return self._resolve(full_name).schema
        return self._outside(full_name)

    def _resolve(self, name: str) -> DatasetPlan:
        if name in self._resolved:
            return self._resolved[name]
        if name in self._under_way:
            raise SourceError(f"{name} reads itself, by way of {' and '.join(self._under_way)}.")
        self._under_way.append(name)
        outer, dataset = self._reading, self._datasets[name]
        flows: list[FlowPlan] = []
        schema: StructType | None = None
        for definition in dataset.flows:
            self._reading = _Reading()
            flow, schema = self._look_at(definition, dataset)
            flows.append(flow)
        self._reading = outer
        self._under_way.pop()
        if schema is None:
            raise SourceError(f"No flow fills {name}.")
        self._resolved[name] = DatasetPlan(name, dataset, schema, tuple(flows))
        return self._resolved[name]

    def _look_at(self, definition: FlowDefinition, dataset: Dataset) -> tuple[FlowPlan, StructType]:
        try:
            with self._session.reading(self):
                frame = definition.function()
            relation = without_watermarks(self._session.relation(frame))
            schema = self._session.frame(relation).schema
        except (SourceError, NotSupportedHere):
            raise
        except Exception as error:
            raise failure_of(definition, error) from error
        tables, streams = self._reading.tables, self._reading.streams
        _check(dataset, streams)
        refresh: Grouping | NotIncremental = NotIncremental("it reads more than one table")
        if dataset.kind == MATERIALIZED_VIEW and len(tables) == 1:
            refresh = grouping(relation, tables[0][1])
        stream = streams[0] if streams else None
        names = tuple(name for name, _ in tables)
        return FlowPlan(definition, names, stream, refresh, fingerprint(relation)), schema

    def _empty(self, schema: StructType) -> DataFrame:
        return connect_frame(self._session.createDataFrame([], schema))


def _check(dataset: Dataset, streams: list[str | FileSource]) -> None:
    if dataset.kind == STREAMING_TABLE and len(streams) != 1:
        count = "no stream" if not streams else "more than one stream"
        raise SourceError(
            f"The streaming table {dataset.name} needs a flow that follows one stream; it reads {count}."
        )
    if dataset.kind == MATERIALIZED_VIEW and streams:
        raise SourceError(f"The materialized view {dataset.name} may not read streams; use spark.read.")
