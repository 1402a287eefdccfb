"""Delta tables on disk: made, looked into and kept in shape, beside the SQL engine that reads and writes their rows."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError

SchemaFields = list[dict[str, Any]]

SMALL_FILE, MEDIUM_FILE = 2**20, 16 * 2**20
"""Bytes; files are merged up to the one often and up to the other seldom, so that a row is rewritten a few times at most."""


@dataclass(frozen=True)
class Upkeep:
    """How often a table is looked after, and what is kept of its past.

    Attributes:
        merge_every: versions between two merges of small files.
        clean_every: versions between two merges of medium files, when what nobody needs any more is also deleted.
        kept_versions, kept_hours: how far back readers, followers and time travel get at least.
    """

    merge_every: int = 16
    clean_every: int = 256
    kept_versions: int = 500
    kept_hours: int = 1


UPKEEP = Upkeep()


@dataclass(frozen=True)
class Commit:
    """A commit of a table.

    Attributes:
        metrics: what the writer counted, such as numOutputRows.
    """

    version: int
    metrics: dict[str, int]


def create_empty(location: Path, schema_json: str, partition_by: Sequence[str] = ()) -> None:
    """Make a table without rows; `schema_json` is a schema as the Delta log has it."""
    location.mkdir(parents=True, exist_ok=True)
    DeltaTable.create(str(location), Schema.from_json(schema_json), partition_by=list(partition_by))


def fields(location: Path) -> SchemaFields:
    """The table's columns as fields of a Delta schema."""
    return json.loads(DeltaTable(str(location)).schema().to_json())["fields"]


def version(location: Path) -> int:
    """The newest version, read from the names in the log: cheap enough to ask before and after a statement."""
    log = location / "_delta_log"
    found = [int(file.stem) for file in log.glob("*.json") if file.stem.isdigit()]
    return max(found) if found else DeltaTable(str(location)).version()


def read_commit(location: Path, number: int) -> Commit:
    """A commit and what its writer counted."""
    file = location / "_delta_log" / f"{number:020}.json"
    for line in file.read_text().splitlines():
        info = json.loads(line).get("commitInfo")
        if info is not None:
            metrics = info.get("operationMetrics") or {}
            return Commit(
                number, {name: int(value) for name, value in metrics.items() if str(value).isdigit()}
            )
    return Commit(number, {})


def row_count(location: Path) -> int:
    """The number of rows, from the log's statistics; a file without any is an error of its writer."""
    actions = DeltaTable(str(location)).get_add_actions(flatten=True)
    return sum(count or 0 for count in actions["num_records"].to_pylist()) if actions.num_rows else 0


def history(location: Path, limit: int | None = None) -> list[dict[str, Any]]:
    """The commits, newest first, as the log tells them."""
    return DeltaTable(str(location)).history(limit)


@dataclass(frozen=True)
class Detail:
    """What a table is made of now."""

    version: int
    files: int
    bytes: int
    rows: int
    partition_columns: list[str]
    created_ms: int | None
    reader_version: int
    writer_version: int
    table_features: list[str]


def detail(location: Path) -> Detail:
    """Files, bytes, rows and protocol of a table.

    Raises:
        FileNotFoundError: there is no Delta table.
    """
    try:
        table = DeltaTable(str(location))
    except TableNotFoundError as error:
        raise FileNotFoundError(f"There is no Delta table at {location}.") from error
    actions = table.get_add_actions(flatten=True)
    metadata, protocol = table.metadata(), table.protocol()
    features = [*(protocol.reader_features or []), *(protocol.writer_features or [])]
    return Detail(
        version=table.version(),
        files=actions.num_rows,
        bytes=sum(actions["size_bytes"].to_pylist()),
        rows=sum(count or 0 for count in actions["num_records"].to_pylist()) if actions.num_rows else 0,
        partition_columns=list(metadata.partition_columns),
        created_ms=metadata.created_time,
        reader_version=protocol.min_reader_version,
        writer_version=protocol.min_writer_version,
        table_features=sorted(set(features)),
    )


def add_columns(location: Path, new: SchemaFields) -> None:
    """Add columns; existing rows have null in them."""
    schema = Schema.from_json(json.dumps({"type": "struct", "fields": new}))
    DeltaTable(str(location)).alter.add_columns(list(schema.fields))


def compact(location: Path, zorder_by: Sequence[str] = ()) -> dict[str, Any]:
    """Rewrite small files into large ones; what was done, in the library's words."""
    optimize = DeltaTable(str(location)).optimize
    return optimize.z_order(list(zorder_by)) if zorder_by else optimize.compact()


def vacuum(location: Path, retain_hours: float | None, *, dry_run: bool) -> list[str]:
    """Delete files that no version within the retention needs; the files, relative to the table."""
    hours = None if retain_hours is None else int(retain_hours)
    return DeltaTable(str(location)).vacuum(
        retention_hours=hours, dry_run=dry_run, enforce_retention_duration=hours is None
    )


def keep_up(location: Path, before: int, after: int, upkeep: Upkeep = UPKEEP) -> None:
    """Do what is due when a table has gone from one version to another; the caller is its only writer.

    Whoever writes a little at a time would leave a file and a log entry each time, for ever; the platform looks after
    its managed tables in the same way. A table that this library cannot maintain stays as it is.
    """
    with suppress(DeltaError, OSError):
        if before // upkeep.clean_every != after // upkeep.clean_every:
            _clean(location, upkeep)
        elif before // upkeep.merge_every != after // upkeep.merge_every:
            DeltaTable(str(location)).optimize.compact(target_size=SMALL_FILE)


def _clean(location: Path, upkeep: Upkeep) -> None:
    table = DeltaTable(str(location))
    table.optimize.compact(target_size=MEDIUM_FILE)
    table.vacuum(retention_hours=upkeep.kept_hours, dry_run=False, enforce_retention_duration=False)
    table.create_checkpoint()
    log = location / "_delta_log"
    # Now, by the clock of the file system.
    old_s = (log / "_last_checkpoint").stat().st_mtime - 3600 * upkeep.kept_hours
    for file in log.iterdir():
        version = file.name.partition(".")[0]
        if (
            version.isdigit()
            and int(version) < table.version() - upkeep.kept_versions
            and _is_older(file, old_s)
        ):
            file.unlink(missing_ok=True)
    for folder, _, _ in os.walk(location, topdown=False):
        if Path(folder) not in {location, log} and _is_older(Path(folder), old_s):
            with suppress(OSError):  # it holds files
                Path(folder).rmdir()


def _is_older(path: Path, moment_s: float) -> bool:
    return path.stat().st_mtime <= moment_s
