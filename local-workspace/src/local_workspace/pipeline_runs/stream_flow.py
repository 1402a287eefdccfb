"""Filling a streaming table: read what is new, append it, and never twice."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark.sql.connect.dataframe import DataFrame

from local_workspace.pipeline_runs.data_files import described
from local_workspace.pipeline_runs.definitions import SourceError, failure_of
from local_workspace.pipeline_runs.delta_table import Commit, DataFile, PipelineTable, RowsRewritten
from local_workspace.pipeline_runs.graph import FlowPlan
from local_workspace.pipeline_runs.plans import deduplication, has_deduplication, without_watermarks
from local_workspace.pipeline_runs.seen_keys import HASH, SeenKeys
from local_workspace.pipeline_runs.session import connect_frame
from local_workspace.pipeline_runs.slices import cut
from local_workspace.pipeline_runs.source_files import FileSource
from local_workspace.pipeline_runs.surroundings import Inputs, Surroundings

BEFORE_THE_FIRST_VERSION = -1


@dataclass(frozen=True)
class Written:
    """What one step of a flow did.

    Attributes:
        rows: appended to, or in a refresh written into, the target.
        duplicates: rows left out because their key was there.
        how: for a materialized view, how it was refreshed, in words.
    """

    rows: int
    duplicates: int = 0
    how: str = ""


class StreamFlow:
    """One flow into one streaming table.

    Args:
        app: the flow's app transaction id in the target's log.
        source: the table it follows, None when it follows files.
    """

    def __init__(
        self,
        flow: FlowPlan,
        app: str,
        target: PipelineTable,
        source: PipelineTable | None,
        around: Surroundings,
    ) -> None:
        self._flow = flow
        self._app = app
        self._progress_key = f"{app}@{target.location.name}"
        self._target = target
        self._source = source
        self._around = around
        self._seen: SeenKeys | None = None

    def reset(self) -> Commit:
        """The commit that empties the table and lets the flow begin anew."""
        self._around.progress.forget(self._progress_key)
        start = 0 if self._source is None else BEFORE_THE_FIRST_VERSION
        return Commit(self._app, start, self._around.milliseconds(), removed=tuple(self._target.files()))

    def steps(self) -> Iterator[Written]:
        """Read what is new and append it, one commit at a time; yields after each."""
        if isinstance(self._flow.stream, FileSource):
            yield from self._follow_files(self._flow.stream)
        elif self._source is not None:
            yield from self._follow_table(self._source)

    def _follow_files(self, source: FileSource) -> Iterator[Written]:
        progress = self._around.progress
        for number in range(self._position(0) + 1, progress.last_batch(source) + 1):
            staged = self._around.staged(source, number)
            yield self._append(lambda staged=staged: self._around.session.parquet(str(staged)), number)

    def _follow_table(self, source: PipelineTable) -> Iterator[Written]:
        done = self._position(BEFORE_THE_FIRST_VERSION)
        version = source.version
        if done == version:
            return
        try:
            added = source.added_since(done) if done >= 0 else None
        except RowsRewritten as error:
            raise SourceError(
                f"The flow {self._flow.definition.name} cannot follow its source any more: {error} "
                "Start an update with a full refresh of its table."
            ) from error
        if added is None:
            location = str(source.location)
        elif added:
            location = str(cut(source, added, self._around.scratch("slice")))
        else:
            self._around.progress.pass_over(self._progress_key, version)
            return
        pinned = version if added is None else None
        yield self._append(lambda: self._around.session.delta(location, pinned), version)

    def _position(self, start: int) -> int:
        known = (self._target.position(self._app), self._around.progress.position(self._progress_key), start)
        return max(position for position in known if position is not None)

    def _append(self, rows: Callable[[], DataFrame], position: int) -> Written:
        session, definition = self._around.session, self._flow.definition
        with session.reading(Inputs(self._around, stream=rows)):
            try:
                relation = without_watermarks(session.relation(definition.function()))
            except Exception as error:
                raise failure_of(definition, error) from error
        relation, keys = deduplication(relation)
        if has_deduplication(relation):
            raise SourceError(f"In {definition.name}, dropDuplicates must be the last step of the flow.")
        directory = self._around.data_directory(self._target, position)
        files = self._write(session.frame(relation), directory)
        written = sum(file.rows for file in files)
        if keys and files:
            files = self._without_duplicates(files, keys, directory)
        if not files:
            self._around.progress.pass_over(self._progress_key, position)
            return Written(0, written)
        kept = sum(file.rows for file in files)
        note = {"flow": definition.name, "numOutputRows": str(kept)}
        self._target.commit(Commit(self._app, position, self._around.milliseconds(), tuple(files), note=note))
        if keys and self._seen is not None:
            self._seen.committed()
        return Written(kept, written - kept)

    def _write(self, rows: DataFrame, directory: Path) -> list[DataFile]:
        writer = rows.write.mode("append")
        columns = self._target.partition_columns
        (writer.partitionBy(*columns) if columns else writer).parquet(str(directory))
        return list(described(directory, self._target.location))

    def _without_duplicates(
        self, files: list[DataFile], keys: tuple[str, ...], directory: Path
    ) -> list[DataFile]:
        """The files again, or others in their place when keys came twice or were there."""
        if self._seen is None:
            cache = self._around.state / "seen" / self._app.replace("/", ".")
            self._seen = SeenKeys(self._around.session, self._target, keys, cache)
        session = self._around.session
        rows = session.parquet(str(directory))
        suspects = self._seen.suspects(rows)
        if not len(suspects):
            return files
        listed = session.createDataFrame(pa.table({HASH: suspects}))
        hashed = self._seen.hashed(rows)
        doubtful = hashed.join(listed, HASH, "left_semi").dropDuplicates(list(keys))
        if self._target.files():
            there = session.delta(str(self._target.location), self._target.version).select(*keys)
            doubtful = doubtful.join(there, list(keys), "left_anti")
        unique = connect_frame(hashed.join(listed, HASH, "left_anti").unionByName(doubtful).drop(HASH))
        replacement = self._around.data_directory(self._target, 0)
        kept = self._write(unique, replacement)
        shutil.rmtree(directory)
        return kept
