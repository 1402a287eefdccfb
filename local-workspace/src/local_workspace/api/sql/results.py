"""The rows of a finished statement, kept on disk in chunks until they are fetched or an hour has passed.

Memory holds one chunk while it is built and the first chunk of a small result; everything else is in files.
"""

import base64
import ctypes
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import lz4.frame
import orjson
import pyarrow as pa

from local_workspace.api.sql import result_types

ResultFormat = Literal["ARROW_STREAM", "JSON_ARRAY"]

CHUNK_BYTES = 8 * 1024 * 1024
"""Arrow bytes in memory after which a chunk is closed."""

INLINE_ARROW_BYTES = 4 * 1024 * 1024
"""A result of one chunk up to this size travels inside the answer."""

INLINE_JSON_BYTES = 25 * 1024 * 1024
"""The platform's limit for results inside the answer."""


class TooLarge(Exception):
    """The result is larger than its disposition allows."""


@dataclass(frozen=True)
class Chunk:
    """A part of a result.

    Attributes:
        content: what is sent: an LZ4 frame or plain Arrow IPC stream, or a JSON array of rows; None when in `file`.
    """

    index: int
    row_offset: int
    row_count: int
    byte_count: int
    content: bytes | None
    file: Path

    def read(self) -> bytes:
        """The bytes to send."""
        return self.file.read_bytes() if self.content is None else self.content


@dataclass(frozen=True)
class Shape:
    """How a client wants its result.

    Attributes:
        compressed: Arrow chunks as LZ4 frames.
        row_limit: rows after which the result is cut.
        byte_limit: bytes of content that an inline result may have.
    """

    format: ResultFormat = "ARROW_STREAM"
    compressed: bool = True
    row_limit: int | None = None
    byte_limit: int | None = None


@dataclass
class Result:
    """What a statement gave; a result without rows has no chunks."""

    schema: pa.Schema
    shape: Shape
    directory: Path
    chunks: list[Chunk] = field(default_factory=list)
    truncated: bool = False

    @property
    def row_count(self) -> int:
        """Rows of all chunks."""
        return sum(chunk.row_count for chunk in self.chunks)

    @property
    def byte_count(self) -> int:
        """Bytes of all chunks as they are sent."""
        return sum(chunk.byte_count for chunk in self.chunks)

    def manifest(self) -> dict[str, Any]:
        """The result's description as it goes over the wire."""
        described: dict[str, Any] = {
            "format": self.shape.format,
            "schema": {"column_count": len(self.schema), "columns": result_types.columns(self.schema)},
            "total_chunk_count": len(self.chunks),
            "total_row_count": self.row_count,
            "total_byte_count": self.byte_count,
            "truncated": self.truncated,
            "chunks": [_described(chunk) for chunk in self.chunks],
        }
        if self.shape.format == "ARROW_STREAM" and self.shape.compressed:
            described["result_compression"] = "LZ4_FRAME"
        return described

    def data(self, index: int) -> dict[str, Any]:
        """One chunk's rows as they go over the wire."""
        if not self.chunks:
            return {"data_array": []} if self.shape.format == "JSON_ARRAY" else {}
        chunk = self.chunks[index]
        if self.shape.format == "JSON_ARRAY":
            rows: dict[str, Any] = {"data_array": orjson.Fragment(chunk.read())}
        else:
            rows = {"attachment": base64.b64encode(chunk.read()).decode()}
        return _described(chunk) | rows | self._following(chunk)

    def links(self, index: int, link: Callable[[Chunk], dict[str, Any]], *, most: int) -> dict[str, Any]:
        """Links to the chunks from `index` on, at most so many, as they go over the wire."""
        chunks = self.chunks[index : index + most]
        found = [_described(chunk) | link(chunk) | self._following(chunk) for chunk in chunks]
        return {"external_links": found} if found else {}

    def _following(self, chunk: Chunk) -> dict[str, int]:
        return {"next_chunk_index": chunk.index + 1} if chunk.index + 1 < len(self.chunks) else {}

    def fits_inline(self) -> bool:
        """Whether an Arrow result is small enough to travel inside the answer."""
        return len(self.chunks) <= 1 and self.byte_count <= INLINE_ARROW_BYTES

    def discard(self) -> None:
        """Forget the rows."""
        shutil.rmtree(self.directory, ignore_errors=True)


def collect(streams: Iterable[bytes], shape: Shape, directory: Path) -> Result:
    """Take the engine's Arrow IPC streams as they come and keep them as chunks.

    Raises:
        TooLarge: an inline JSON result is beyond the platform's 25 MiB.
    """
    source = _Batches(streams)
    result = Result(source.schema, shape, directory)
    pending: list[pa.RecordBatch] = []
    for batch in _limited(source, shape.row_limit, result):
        pending.append(batch)
        if sum(part.nbytes for part in pending) >= CHUNK_BYTES:
            _close_chunk(result, pending)
    if pending:
        _close_chunk(result, pending)
    if len(result.chunks) > 1:
        give_back_memory()
    return result


def give_back_memory() -> None:
    """Return freed memory to the system, which the allocators would keep after a large result."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


class _Batches:
    """Record batches out of IPC streams; the schema is that of the first."""

    def __init__(self, streams: Iterable[bytes]) -> None:
        self._streams = iter(streams)
        first = next(self._streams, None)
        self._first = pa.ipc.open_stream(first) if first is not None else None
        self.schema: pa.Schema = self._first.schema if self._first is not None else pa.schema([])

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        if self._first is not None:
            yield from (batch for batch in self._first if batch.num_rows)
        for stream in self._streams:
            yield from (batch for batch in pa.ipc.open_stream(stream) if batch.num_rows)


def _limited(
    batches: Iterable[pa.RecordBatch], limit: int | None, result: Result
) -> Iterator[pa.RecordBatch]:
    remaining = limit
    for batch in batches:
        if remaining is not None and batch.num_rows > remaining:
            result.truncated = True
            if remaining:
                yield batch.slice(0, remaining)
            return
        remaining = None if remaining is None else remaining - batch.num_rows
        yield batch


def _close_chunk(result: Result, pending: list[pa.RecordBatch]) -> None:
    """Turn the pending batches into the next chunk; later chunks of a result go to disk."""
    content = _encoded(result, pending)
    if result.shape.byte_limit is not None and result.byte_count + len(content) > result.shape.byte_limit:
        raise TooLarge(
            f"Inline byte limit exceeded: the result has more than {result.shape.byte_limit} bytes."
            " Use disposition EXTERNAL_LINKS, or fewer rows."
        )
    index = len(result.chunks)
    file = result.directory / f"{index}.chunk"
    kept = index == 0 and len(content) <= INLINE_ARROW_BYTES
    if not kept:
        result.directory.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    rows = sum(batch.num_rows for batch in pending)
    result.chunks.append(Chunk(index, result.row_count, rows, len(content), content if kept else None, file))
    pending.clear()


def _encoded(result: Result, batches: list[pa.RecordBatch]) -> bytes:
    if result.shape.format == "JSON_ARRAY":
        return orjson.dumps([row for batch in batches for row in result_types.json_rows(batch)])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, result.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    plain = memoryview(sink.getvalue())
    return lz4.frame.compress(plain) if result.shape.compressed else bytes(plain)


def _described(chunk: Chunk) -> dict[str, Any]:
    return {
        "chunk_index": chunk.index,
        "row_offset": chunk.row_offset,
        "row_count": chunk.row_count,
        "byte_count": chunk.byte_count,
    }


def schema_of(streams: Iterable[bytes]) -> pa.Schema:
    """The schema of what the engine sends."""
    schema = pa.schema([])
    for stream in streams:
        schema = pa.ipc.open_stream(stream).schema
    return schema
