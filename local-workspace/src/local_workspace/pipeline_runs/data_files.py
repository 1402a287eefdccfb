"""Parquet files that the engine or we wrote, described for the Delta log: size, rows, partition, column ranges."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from local_workspace.pipeline_runs.delta_table import DataFile

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
LONGEST_BOUND = 64  # characters; longer texts get no range in the log
ROWS_PER_FILE = 20_000
"""How many rows of a materialized view go into one file: what an update rewrites at least when it touches one."""


def described(directory: Path, table: Path) -> Iterator[DataFile]:
    """The files below `directory` that hold rows; `directory` is inside the table's. Empty ones are deleted."""
    for path in sorted(directory.rglob("*.parquet")):
        metadata = pq.read_metadata(path)
        if metadata.num_rows == 0:
            path.unlink()
            continue
        yield _described(path, table, _partition(path.relative_to(directory)), metadata)


def write_sorted(rows: pa.Table, order: list[str], directory: Path, table: Path) -> list[DataFile]:
    """Write rows ordered by the given columns, in files of bounded size whose ranges overlap little."""
    if rows.num_rows == 0:
        return []
    directory.mkdir(parents=True)
    ordered = rows.sort_by([(name, "ascending") for name in order]) if order else rows
    for number, start in enumerate(range(0, ordered.num_rows, ROWS_PER_FILE)):
        pq.write_table(
            ordered.slice(start, ROWS_PER_FILE), directory / f"{number:05d}.parquet", compression="zstd"
        )
    return list(described(directory, table))


def _partition(relative: Path) -> dict[str, str | None]:
    values = dict(part.split("=", 1) for part in relative.parts[:-1])
    return {unquote(name): None if text == NULL_PARTITION else unquote(text) for name, text in values.items()}


def _described(
    path: Path, table: Path, partition: dict[str, str | None], metadata: pq.FileMetaData
) -> DataFile:
    least: dict[str, object] = {}
    most: dict[str, object] = {}
    nulls: dict[str, int] = {}
    for index in range(metadata.num_columns):
        name = metadata.row_group(0).column(index).path_in_schema
        chunks = [
            metadata.row_group(group).column(index).statistics for group in range(metadata.num_row_groups)
        ]
        if "." in name or not all(chunk is not None and chunk.has_null_count for chunk in chunks):
            continue
        nulls[name] = sum(chunk.null_count for chunk in chunks)
        ranges = [(chunk.min, chunk.max) for chunk in chunks if chunk.has_min_max]
        whole = all(chunk.has_min_max or not chunk.num_values for chunk in chunks)
        if whole and ranges and all(_orderly(bound) for pair in ranges for bound in pair):
            least[name] = min(low for low, _ in ranges)
            most[name] = max(high for _, high in ranges)
    return DataFile(
        str(path.relative_to(table)), path.stat().st_size, metadata.num_rows, partition, least, most, nulls
    )


def _orderly(bound: object) -> bool:
    if isinstance(bound, str):
        return len(bound) <= LONGEST_BOUND
    return isinstance(bound, int | date | datetime) and not isinstance(bound, bool)
