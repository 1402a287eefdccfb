"""What all flows of one update share: the session, the progress store, scratch space, the inputs of a flow."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.sql.connect.dataframe import DataFrame

from local_workspace import ids
from local_workspace.clock import Clock, milliseconds
from local_workspace.pipeline_runs.delta_table import PipelineTable
from local_workspace.pipeline_runs.host import Host
from local_workspace.pipeline_runs.lines import stage
from local_workspace.pipeline_runs.session import PipelineSession
from local_workspace.pipeline_runs.source_files import FileSource, Progress


@dataclass
class Surroundings:
    """What a flow needs while it runs.

    Attributes:
        state: the pipeline's own directory; scratch space is below it, on the tables' file system.
        full_name: a table's name with catalog and schema.
        views: the functions of the pipeline's temporary views, by full name.
    """

    session: PipelineSession
    progress: Progress
    host: Host
    clock: Clock
    state: Path
    full_name: Callable[[str], str]
    views: dict[str, Callable[[], DataFrame]] = field(default_factory=dict)
    _staged: dict[tuple[str, int], Path] = field(default_factory=dict)

    def milliseconds(self) -> int:
        """Now, as the Delta log has it."""
        return milliseconds(self.clock.now())

    def scratch(self, purpose: str) -> Path:
        """A path that nothing is at."""
        return self.state / "scratch" / f"{purpose}-{ids.new_hex()}"

    def clean(self) -> None:
        """Remove the scratch space of this update, and of one that was killed."""
        self._staged.clear()
        shutil.rmtree(self.state / "scratch", ignore_errors=True)

    def data_directory(self, table: PipelineTable, position: int) -> Path:
        """A directory for new files of a table; what is not committed in it is vacuumed some day."""
        return table.location / f"{position:010d}-{ids.new_hex()}"

    def staged(self, source: FileSource, number: int) -> Path:
        """The lines of a batch of files, as Parquet; made once for all flows that read it."""
        if (source.path, number) not in self._staged:
            directory = self.directory(source)
            path = self.scratch("lines").with_suffix(".parquet")
            stage(self.progress.batch(source, number, directory), path)
            self._staged[source.path, number] = path
        return self._staged[source.path, number]

    def directory(self, source: FileSource) -> Path:
        """Where the files of a source are on this machine."""
        return self.host.directory(source.path) if source.path.startswith("/Volumes/") else Path(source.path)


@dataclass
class Inputs:
    """A flow's inputs while its function runs: one stream, tables as the flow decides, views as they are defined."""

    around: Surroundings
    stream_rows: Callable[[], DataFrame] | None = None
    tables: Callable[[str], DataFrame] | None = None

    def __init__(
        self,
        around: Surroundings,
        *,
        stream: Callable[[], DataFrame] | None = None,
        table: Callable[[str], DataFrame] | None = None,
    ) -> None:
        self.around = around
        self.stream_rows = stream
        self.tables = table

    def table(self, name: str) -> DataFrame:
        """A table, or the rows of a temporary view."""
        full_name = self.around.full_name(name)
        if full_name in self.around.views:
            return self.around.views[full_name]()
        if self.tables is not None:
            return self.tables(full_name)
        return self.around.session.delta(str(self.around.host.table(full_name)))

    def stream(self, name: str) -> DataFrame:
        """The new rows of a table, or of a temporary view over a stream."""
        full_name = self.around.full_name(name)
        return self.around.views[full_name]() if full_name in self.around.views else self._new_rows()

    def files(self, source: FileSource) -> DataFrame:  # noqa: ARG002  a flow follows one stream
        """The new lines."""
        return self._new_rows()

    def _new_rows(self) -> DataFrame:
        if self.stream_rows is None:
            raise LookupError("a query over whole tables asked for a stream")
        return self.stream_rows()
