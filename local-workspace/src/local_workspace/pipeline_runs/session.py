"""The Spark session that a pipeline's source sees.

It is a Spark Connect session on the engine, except for where tables and streams come from: those it asks of whoever
runs the flow, so the same function can be looked at, run over what is new, or run over a part of its input.
"""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol

from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.connect.plan import LogicalPlan
from pyspark.sql.connect.proto import Relation
from pyspark.sql.connect.readwriter import DataFrameReader
from pyspark.sql.connect.session import SparkSession

from local_workspace.pipeline_runs.source_files import FILES_PER_BATCH, FileSource

REACHABLE_WITHIN_S = 20.0
TRY_EVERY_S = 0.1


class NotSupportedHere(Exception):
    """The source asks for something that the local workspace's pipelines cannot do."""


class Reads(Protocol):
    """Where a flow's inputs come from."""

    def table(self, name: str) -> DataFrame:
        """A whole table, as one snapshot."""
        ...

    def stream(self, name: str) -> DataFrame:
        """The rows of a table that the flow has not read yet."""
        ...

    def files(self, source: FileSource) -> DataFrame:
        """The lines {value, _metadata} of the files that the flow has not read yet."""
        ...


class PipelineSession(SparkSession):
    """The session; give it the inputs with `reading` before a flow function runs.

    Args:
        address: of the engine, such as sc://127.0.0.1:15002.
    """

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self._address = address
        self._between_tries = threading.Event()
        # A write that is sent again after the engine came back would leave its rows twice: a lost engine ends the update.
        self.client.set_retry_policies([])
        self.client.disable_reattachable_execute()
        self._reads: Reads | None = None
        SparkSession._set_default_and_active_session(self)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  what SparkSession.active() returns; PySpark has no public way to set it

    def wait_until_reachable(self) -> None:
        """Return when the engine accepts connections; it is replaced now and then, which takes a second.

        Raises:
            OSError: it does not within REACHABLE_WITHIN_S.
        """
        host, _, port = self._address.removeprefix("sc://").partition(":")
        tries = int(REACHABLE_WITHIN_S / TRY_EVERY_S)
        for left in reversed(range(tries)):
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                if left == 0:
                    raise
                self._between_tries.wait(TRY_EVERY_S)
            else:
                return

    @contextmanager
    def reading(self, reads: Reads) -> Generator[None]:
        """Take tables and streams from `reads` meanwhile."""
        before, self._reads = self._reads, reads
        try:
            yield
        finally:
            self._reads = before

    @property
    def reads(self) -> Reads:
        """Where inputs come from now.

        Raises:
            NotSupportedHere: no flow function is running.
        """
        if self._reads is None:
            raise NotSupportedHere(
                "Tables can be read inside the functions of a pipeline only, not while its files load."
            )
        return self._reads

    @property
    def readStream(self) -> Any:  # noqa: N802  PySpark's name
        """Streams of files and of tables."""
        return StreamReader(self)

    @property
    def read(self) -> "_BatchReader":
        """Batch reads; `table` takes part in the pipeline."""
        return _BatchReader(self)

    def table(self, tableName: str) -> DataFrame:  # noqa: N803  PySpark's name
        """A whole table."""
        return self.reads.table(tableName)

    def sql(self, sqlQuery: str, args: Any = None, **kwargs: Any) -> NoReturn:  # noqa: ARG002, N803  PySpark's signature
        """Refused: a SQL text names tables where the runner cannot see them."""
        raise NotSupportedHere(
            "spark.sql(…) is not supported in local pipelines; use spark.read.table(…) and DataFrames."
        )

    def relation(self, frame: DataFrame) -> Relation:
        """The frame's plan as the Spark Connect message."""
        return frame._plan.plan(self.client)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  the message itself is public protocol, PySpark has no accessor for it

    def frame(self, relation: Relation) -> DataFrame:
        """The frame of a Spark Connect message."""
        return DataFrame(_Message(relation), self)

    def delta(self, location: str, version: int | None = None) -> DataFrame:
        """A Delta directory as it is, or as it was at `version`."""
        reader = DataFrameReader(self).format("delta")
        return (reader if version is None else reader.option("versionAsOf", str(version))).load(location)

    def parquet(self, *paths: str) -> DataFrame:
        """Parquet files."""
        return DataFrameReader(self).parquet(*paths)


def connect_frame(frame: object) -> DataFrame:
    """The same frame; PySpark declares many of Connect's results as frames of the classic kind."""
    assert isinstance(frame, DataFrame)
    return frame


class _Message(LogicalPlan):
    """A plan that is given as its message."""

    def __init__(self, relation: Relation) -> None:
        super().__init__(None)
        self._relation = relation

    def plan(self, session: Any) -> Relation:  # noqa: ARG002  PySpark's signature
        return self._relation


class _BatchReader(DataFrameReader):
    def __init__(self, session: PipelineSession) -> None:
        super().__init__(session)
        self._session = session

    def table(self, tableName: str) -> DataFrame:  # noqa: N803  PySpark's name
        return self._session.reads.table(tableName)


class StreamReader:
    """`spark.readStream`: Auto Loader and Spark's text files, and tables."""

    def __init__(self, session: PipelineSession) -> None:
        self._session = session
        self._format = ""
        self._options: dict[str, str] = {}

    def format(self, source: str) -> "StreamReader":
        """Name the format: cloudFiles or text."""
        self._format = source.lower()
        return self

    def option(self, key: str, value: object) -> "StreamReader":
        """Set an option of the format."""
        self._options[key.lower()] = str(value)
        return self

    def options(self, **options: object) -> "StreamReader":
        """Set several options."""
        for key, value in options.items():
            self.option(key, value)
        return self

    def load(self, path: str) -> DataFrame:
        """The new lines of the files below `path`."""
        content = self._options.get("cloudfiles.format", "") if self._format == "cloudfiles" else self._format
        if content.lower() != "text":
            raise NotSupportedHere(
                f"Streams of {content or 'an unnamed format'} are not supported in local pipelines: read text "
                '(format "cloudFiles" with cloudFiles.format=text, or "text") and parse it with from_json.'
            )
        limit = self._options.get("cloudfiles.maxfilespertrigger") or self._options.get("maxfilespertrigger")
        return self._session.reads.files(FileSource(path, int(limit) if limit else FILES_PER_BATCH))

    def text(self, path: str) -> DataFrame:
        """The new lines of the text files below `path`."""
        return self.format("text").load(path)

    def table(self, name: str) -> DataFrame:
        """The new rows of a table."""
        return self._session.reads.stream(name)
