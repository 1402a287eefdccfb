"""What a pipeline's source files define: datasets, and the flows that fill them.

The files are executed as `spark-pipelines` executes them: each by its path, on its own, against a registry. User code
that fails is reported with the line it failed at.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pyspark.pipelines.block_session_mutations import block_session_mutations
from pyspark.pipelines.flow import AutoCdcFlow, Flow
from pyspark.pipelines.graph_element_registry import GraphElementRegistry, graph_element_registration_context
from pyspark.pipelines.output import MaterializedView, Output, Sink, Table, TemporaryView
from pyspark.sql.connect.dataframe import DataFrame

from local_workspace.pipeline_runs.session import NotSupportedHere, PipelineSession

STREAMING_TABLE = "STREAMING_TABLE"
MATERIALIZED_VIEW = "MATERIALIZED_VIEW"
TEMPORARY_VIEW = "TEMPORARY_VIEW"


class SourceError(Exception):
    """The pipeline's source cannot be used; the message says which file and line, and why."""


@dataclass(frozen=True)
class FlowDefinition:
    """A query that fills a dataset."""

    name: str
    function: Callable[[], DataFrame]


@dataclass(frozen=True)
class Dataset:
    """A table or view of the pipeline.

    Attributes:
        name: as the source names it, without catalog and schema unless it gives them.
        kind: STREAMING_TABLE, MATERIALIZED_VIEW or TEMPORARY_VIEW.
        clustered_by: columns that rows are kept together by.
    """

    name: str
    kind: str
    comment: str = ""
    partitioned_by: tuple[str, ...] = ()
    clustered_by: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    flows: tuple[FlowDefinition, ...] = ()


def load(files: Iterable[Path], root: Path | None, session: PipelineSession) -> list[Dataset]:
    """Execute the source files and return what they define.

    Args:
        files: in the order they are to run.
        root: put on the import path, as the platform does with a pipeline's root path.
        session: what the files know as `spark`.

    Raises:
        SourceError: a file fails, defines nothing, or a definition contradicts another.
    """
    registry = _Registry()
    if root is not None and str(root) not in sys.path:
        sys.path.insert(0, str(root))
    for file in files:
        _execute(file, registry, session)
    datasets = registry.datasets()
    if not datasets:
        raise SourceError("The pipeline's source defines no tables or views.")
    return datasets


def _execute(file: Path, registry: GraphElementRegistry, session: PipelineSession) -> None:
    specification = importlib.util.spec_from_file_location(f"pipeline_source_{file.stem}", file)
    if specification is None or specification.loader is None:
        raise SourceError(f"{file.name} is not Python source.")
    module = importlib.util.module_from_spec(specification)
    module.__dict__["spark"] = session
    try:
        with graph_element_registration_context(registry), block_session_mutations():
            specification.loader.exec_module(module)
    except NotSupportedHere as error:
        raise SourceError(f"{file.name}: {error}") from error
    except Exception as error:
        raise SourceError(f"{file.name} failed: {_with_place(error, file)}") from error


def failure_of(flow: FlowDefinition, error: Exception) -> SourceError:
    """What to say when a flow's function fails."""
    file = Path(flow.function.__code__.co_filename)
    return SourceError(f"The flow {flow.name} of {file.name} failed: {_with_place(error, file)}")


def _with_place(error: BaseException, file: Path) -> str:
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
    ]
    place = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}{place}"


class _Registry(GraphElementRegistry):
    def __init__(self) -> None:
        self._outputs: dict[str, Output] = {}
        self._flows: dict[str, list[FlowDefinition]] = {}

    def register_output(self, output: Output) -> None:
        if isinstance(output, Sink):
            raise NotSupportedHere(f"Sinks ({output.name}) are not supported in local pipelines.")
        if output.name in self._outputs:
            raise SourceError(f"{output.name} is defined twice.")
        self._outputs[output.name] = output

    def register_flow(self, flow: Flow) -> None:
        flows = self._flows.setdefault(flow.target, [])
        flows.append(FlowDefinition(flow.name, flow.func))  # pyright: ignore[reportArgumentType]  declared for the classic DataFrame; ours is Connect's

    def register_auto_cdc_flow(self, flow: AutoCdcFlow) -> NoReturn:
        raise NotSupportedHere(f"Auto CDC flows ({flow.target}) are not supported in local pipelines.")

    def register_sql(self, sql_text: str, file_path: Path) -> NoReturn:  # noqa: ARG002  PySpark's signature
        raise NotSupportedHere(f"SQL source files ({file_path.name}) are not supported in local pipelines.")

    def datasets(self) -> list[Dataset]:
        homeless = self._flows.keys() - self._outputs.keys()
        if homeless:
            raise SourceError(f"Flows write to {', '.join(sorted(homeless))}, which is not defined.")
        return [_dataset(output, tuple(self._flows.get(name, ()))) for name, output in self._outputs.items()]


def _dataset(output: Output, flows: tuple[FlowDefinition, ...]) -> Dataset:
    if isinstance(output, TemporaryView):
        return Dataset(output.name, TEMPORARY_VIEW, output.comment or "", flows=flows)
    if not isinstance(output, Table):
        raise SourceError(f"{output.name} is neither a table nor a view.")
    return Dataset(
        name=output.name,
        kind=MATERIALIZED_VIEW if isinstance(output, MaterializedView) else STREAMING_TABLE,
        comment=output.comment or "",
        partitioned_by=tuple(output.partition_cols or ()),
        clustered_by=tuple(output.cluster_by or ()),
        properties=dict(output.table_properties),
        flows=flows,
    )
