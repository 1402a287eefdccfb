"""What the commits of a Delta table did to its rows, told from its log and its data files.

A commit takes files out and puts files in. Rows that are in both kinds were only copied, and cancel out one by one; what
is left of the removed files was deleted, what is left of the added files was inserted, and a changed row is both.
Files are read column by column, so that memory holds one column of the rewritten files and not their rows.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable, Schema
from deltalake.exceptions import TableNotFoundError
from numpy.typing import NDArray
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

Partition = Mapping[str, str | None]
Numbers = NDArray[np.int64]

LARGEST_NUMBER = 2**62


class LogGap(Exception):
    """A commit, or a file that it names, is no longer there: the changes cannot be told any more."""


class SchemaChanged(Exception):
    """A commit gave the table other columns or properties."""


class UnreadableTable(Exception):
    """The table uses a feature that is not supported here; the message names it."""


@dataclass(frozen=True)
class Commit:
    """One entry of the log.

    Attributes:
        timestamp_ms: Unix milliseconds.
        operation: what the writer calls it: WRITE, MERGE, UPDATE, DELETE, OPTIMIZE …
        parameters: what the writer says of it.
        added, removed: data files with the text of their partition values.
        change_files: files in which the writer tells the changes itself.
        copies_only: rows were moved between files, none was changed.
    """

    version: int
    timestamp_ms: int
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    added: Mapping[str, Partition] = field(default_factory=dict)
    removed: Mapping[str, Partition] = field(default_factory=dict)
    change_files: Mapping[str, Partition] = field(default_factory=dict)
    copies_only: bool = False
    new_metadata: bool = False


@dataclass(frozen=True)
class Changes:
    """Rows that were deleted and inserted; a row that changed is in both, as it was and as it is."""

    deleted: pa.Table
    inserted: pa.Table


@dataclass(frozen=True)
class Snapshot:
    """All rows of a table at one version."""

    version: int
    rows: ds.Dataset

    @property
    def schema(self) -> pa.Schema:
        """The table's columns."""
        return self.rows.schema


def snapshot(location: Path) -> Snapshot:
    """The newest version.

    Raises:
        LogGap: there is no Delta table.
        UnreadableTable: it has deletion vectors or the like.
    """
    try:
        table = DeltaTable(str(location))
    except TableNotFoundError as error:
        raise LogGap(f"There is no Delta table at {location}.") from error
    if table.protocol().reader_features:
        raise UnreadableTable(f"Its readers need {', '.join(table.protocol().reader_features or [])}.")
    actions = pa.table(table.get_add_actions(flatten=False)).to_pylist()
    columns = table.metadata().partition_columns
    files = {
        unquote(action["path"]): {name: _text(action["partition"][name]) for name in columns}
        for action in actions
    }
    return Snapshot(table.version(), dataset(location, files, arrow_schema(table.schema())))


def arrow_schema(schema: Schema) -> pa.Schema:
    """The columns of a Delta schema as Arrow has them."""
    return pa.schema(schema.to_arrow())  # pyright: ignore[reportArgumentType]  offers the Arrow interface


def has_commit(location: Path, version: int) -> bool:
    """Whether this version is there: a look at one name, cheap enough to ask ten times a second."""
    return _entry(location, version).exists()


def read_commit(location: Path, version: int) -> Commit:
    """One entry of the log.

    Raises:
        LogGap: it is gone.
        UnreadableTable: it marks rows as deleted in a deletion vector.
    """
    try:
        lines = _entry(location, version).read_bytes().splitlines()
    except FileNotFoundError as error:
        raise LogGap(f"Version {version} is no longer in the log of {location}.") from error
    return _commit(version, [json.loads(line) for line in lines])


def commits(location: Path, after: int, limit: int) -> list[Commit]:
    """The entries that follow a version, oldest first, at most `limit`."""
    found: list[Commit] = []
    while len(found) < limit and has_commit(location, after + 1 + len(found)):
        found.append(read_commit(location, after + 1 + len(found)))
    return found


def net_changes(location: Path, entries: Sequence[Commit], schema: pa.Schema) -> Iterator[Changes]:
    """What a run of commits did together, in a few steps to be taken in order.

    Commits that only move rows between files are left out, so the runs between them are told apart.

    Raises:
        LogGap: a file of the table's past was vacuumed.
        SchemaChanged: the columns are no longer those of `schema`.
    """
    if any(entry.new_metadata for entry in entries):
        raise SchemaChanged(f"The table at {location} has other columns or properties.")
    run: list[Commit] = []
    for entry in [*entries, None]:
        if entry is not None and not entry.copies_only:
            run.append(entry)
        elif run:
            added, removed = _net_files(run)
            yield difference(dataset(location, removed, schema), dataset(location, added, schema))
            run = []


def difference(before: ds.Dataset, after: ds.Dataset) -> Changes:
    """The rows that are only in `before` and only in `after`, each as often as it is missing on the other side.

    Raises:
        LogGap: a file was vacuumed.
    """
    try:
        deleted, inserted = before.count_rows(), after.count_rows()
        if deleted and inserted:
            gone, new = _unmatched(before, after, deleted)
            return Changes(_taken(before, gone), _taken(after, new))
        return Changes(before.to_table(), after.to_table())
    except FileNotFoundError as error:
        raise LogGap(f"A file of an earlier version was vacuumed: {error}.") from error


def dataset(location: Path, files: Mapping[str, Partition], schema: pa.Schema) -> ds.Dataset:
    """The rows of some files; columns that a file does not have are null, partition columns come from the log."""
    if not files:
        return ds.dataset(schema.empty_table())
    return ds.FileSystemDataset.from_paths(
        list(files),
        schema=schema,
        format=ds.ParquetFileFormat(),
        filesystem=SubTreeFileSystem(str(location), LocalFileSystem()),
        partitions=[_condition(partition, schema) for partition in files.values()],
    )


def _entry(location: Path, version: int) -> Path:
    return location / "_delta_log" / f"{version:020d}.json"


def _commit(version: int, actions: list[dict[str, Any]]) -> Commit:
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for action in actions:
        for kind, body in action.items():
            by_kind.setdefault(kind, []).append(body)
    files = [*by_kind.get("add", []), *by_kind.get("remove", [])]
    if any(file.get("deletionVector") for file in files):
        raise UnreadableTable(
            "Its writer uses deletion vectors; set 'delta.enableDeletionVectors' = 'false'."
        )
    info = by_kind.get("commitInfo", [{}])[0]
    return Commit(
        version=version,
        timestamp_ms=int(info.get("timestamp", 0)),
        operation=info.get("operation", ""),
        parameters=info.get("operationParameters") or {},
        added=_files(by_kind.get("add", [])),
        removed=_files(by_kind.get("remove", [])),
        change_files=_files(by_kind.get("cdc", [])),
        copies_only=not any(file.get("dataChange", True) for file in files),
        new_metadata="metaData" in by_kind and version > 0,
    )


def _files(actions: list[dict[str, Any]]) -> dict[str, Partition]:
    return {unquote(action["path"]): action.get("partitionValues") or {} for action in actions}


def _net_files(run: list[Commit]) -> tuple[dict[str, Partition], dict[str, Partition]]:
    """The files that were added and removed after all; one that came and went in between is in neither."""
    added: dict[str, Partition] = {}
    removed: dict[str, Partition] = {}
    for entry in run:
        removed |= {path: entry.removed[path] for path in entry.removed if path not in added}
        added = {path: added[path] for path in added if path not in entry.removed} | dict(entry.added)
    return added, removed


def _condition(partition: Partition, schema: pa.Schema) -> ds.Expression:
    condition = pc.scalar(True)
    for name, text in partition.items():
        column = pc.field(name)
        value = None if text is None else pa.scalar(text).cast(schema.field(name).type)
        condition &= column.is_null() if value is None else column == value
    return condition


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _taken(rows: ds.Dataset, indices: Numbers) -> pa.Table:
    return rows.take(pa.array(indices)) if len(indices) else rows.schema.empty_table()


def _unmatched(before: ds.Dataset, after: ds.Dataset, count: int) -> tuple[Numbers, Numbers]:
    """The places of rows in `before` (of `count` rows) and in `after` that have no counterpart."""
    numbers = _row_numbers(before, after)
    kinds = int(numbers.max()) + 1
    old, new = numbers[:count], numbers[count:]
    surplus = np.bincount(old, minlength=kinds) - np.bincount(new, minlength=kinds)
    return _surplus_rows(old, surplus), _surplus_rows(new, -surplus)


def _row_numbers(before: ds.Dataset, after: ds.Dataset) -> Numbers:
    """A small number for each row of both, in order; equal rows have equal numbers."""
    numbers: Numbers = np.zeros(0, np.int64)
    kinds = 1
    for name in before.schema.names:
        values = [
            chunk for side in (before, after) for chunk in side.to_table(columns=[name]).column(0).chunks
        ]
        codes, count = _codes(pa.chunked_array(values, before.schema.field(name).type))
        if kinds * count > LARGEST_NUMBER:
            kinds, numbers = _renumbered(numbers)
        numbers = numbers * count + codes if len(numbers) else codes
        kinds *= count
    return _renumbered(numbers)[1]


def _renumbered(numbers: Numbers) -> tuple[int, Numbers]:
    distinct, dense = np.unique(numbers, return_inverse=True)
    return len(distinct), dense


def _codes(column: pa.ChunkedArray) -> tuple[Numbers, int]:
    """A number below the count returned for each value; equal values have equal numbers, null is a value."""
    values = column.combine_chunks()
    if pa.types.is_nested(values.type):
        values = pa.array([repr(value) for value in values.to_pylist()], pa.large_string())
    encoded = values.dictionary_encode("encode")
    return encoded.indices.to_numpy().astype(np.int64), max(len(encoded.dictionary), 1)


def _surplus_rows(numbers: Numbers, surplus: Numbers) -> Numbers:
    """The places of the first `surplus[n]` rows of each number n, ascending."""
    candidates = np.flatnonzero(surplus[numbers] > 0)
    order = candidates[np.argsort(numbers[candidates], kind="stable")]
    ranked = numbers[order]
    rank = np.arange(len(ranked)) - np.searchsorted(ranked, ranked)
    return np.sort(order[rank < surplus[ranked]])
