"""Text files into lines that the engine can read without ever failing: the `text` format of a streaming source.

A file may be empty, end in the middle of a line, hold bytes that are no UTF-8 or a line of 100 MB: each line becomes
one row {value, _metadata}, in Parquet. Bytes that are no UTF-8 become U+FFFD.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

READ_AT_ONCE = 32 * 2**20  # bytes; a longer line is still read whole
NEWLINE = ord("\n")

METADATA = pa.struct(
    [
        ("file_path", pa.string()),
        ("file_name", pa.string()),
        ("file_size", pa.int64()),
        ("file_modification_time", pa.timestamp("us", "UTC")),
    ]
)
SCHEMA = pa.schema([("value", pa.large_string()), ("_metadata", METADATA)])


@dataclass(frozen=True)
class SourceFile:
    """A file to read, and the path it is known by to the pipeline."""

    known_as: str
    on_disk: Path


def stage(files: Iterable[SourceFile], target: Path) -> None:
    """Write the lines of all files to one Parquet file; a file that is gone is left out."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(
        target, SCHEMA, compression="none", store_schema=False, write_statistics=False
    ) as writer:
        pending: list[pa.Table] = []
        for rows in (rows for file in files for rows in _rows(file)):
            pending.append(rows)
            if sum(table.nbytes for table in pending) >= READ_AT_ONCE:
                writer.write_table(pa.concat_tables(pending))
                pending = []
        if pending:
            writer.write_table(pa.concat_tables(pending))


def _rows(file: SourceFile) -> Iterator[pa.Table]:
    try:
        opened = file.on_disk.open("rb")
    except FileNotFoundError:
        return
    with opened:
        status = file.on_disk.stat()
        facts: dict[str, object] = {
            "file_path": file.known_as,
            "file_name": Path(file.known_as).name,
            "file_size": status.st_size,
            "file_modification_time": datetime.fromtimestamp(status.st_mtime, UTC),
        }
        while chunk := opened.read(READ_AT_ONCE):
            lines = split(chunk + opened.readline())
            yield pa.table([lines, _repeated(facts, len(lines))], schema=SCHEMA)


def split(text: bytes) -> pa.LargeStringArray:
    """The lines of `text` without their ends; what follows the last newline is a line as well."""
    characters = np.frombuffer(text, dtype=np.uint8)
    starts = np.concatenate(([0], np.flatnonzero(characters == NEWLINE) + 1)).astype(np.int64)
    if starts[-1] != len(text):
        starts = np.append(starts, len(text))
    lines = pa.LargeStringArray.from_buffers(len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(text))
    try:
        lines.validate(full=True)
    except pa.ArrowInvalid:
        return split(text.decode("utf-8", "replace").encode())
    return pc.call_function("utf8_rtrim", [lines], pc.TrimOptions("\r\n"))


def _repeated(facts: dict[str, object], times: int) -> pa.StructArray:
    columns = [pa.repeat(pa.scalar(facts[member.name], member.type), times) for member in METADATA]
    return pa.StructArray.from_arrays(columns, fields=list(METADATA))
