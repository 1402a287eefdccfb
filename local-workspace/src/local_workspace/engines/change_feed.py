"""The change data feed of a Delta table: every row that commits inserted, changed or deleted, with what happened when.

Where the writer left change files, they are the feed. Otherwise it is told from the data files (see `delta_changes`): rows
that are the same before and after have not changed. Whether an old and a new row are one row that was changed is known
for an UPDATE, and for a MERGE ON equal columns; elsewhere they are a deletion and an insertion.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from local_workspace.engines.delta_changes import Changes, Commit, LogGap, dataset, difference

CHANGE_TYPE = "_change_type"
FEED_COLUMNS = [
    pa.field(CHANGE_TYPE, pa.string()),
    pa.field("_commit_version", pa.int64()),
    pa.field("_commit_timestamp", pa.timestamp("us", tz="UTC")),
]
SAME_COLUMN = re.compile(r"`?\w+`? ?\. ?`?(?P<name>\w+)`? ?= ?`?\w+`? ?\. ?`?(?P=name)`?")
PLACE = "_place"


def write_feed(location: Path, entries: Sequence[Commit], schema: pa.Schema, target: Path) -> None:
    """Write what the commits did into one Parquet file, oldest first.

    Raises:
        LogGap: a file of the table's past was vacuumed.
    """
    partial = target.with_suffix(".partial")
    whole = pa.schema([*schema, *FEED_COLUMNS])
    with pq.ParquetWriter(partial, whole) as writer:
        for entry in entries:
            moment = datetime.fromtimestamp(entry.timestamp_ms / 1000, UTC)
            for kind, rows in _told(location, entry, schema):
                writer.write_table(_stamped(rows, kind, entry.version, moment).cast(whole))
    partial.replace(target)


def _told(location: Path, entry: Commit, schema: pa.Schema) -> Iterator[tuple[str | None, pa.Table]]:
    """What happened, and the rows it happened to; None where the rows say it themselves."""
    if entry.change_files:
        own = pa.schema([*schema, FEED_COLUMNS[0]])
        try:
            yield None, dataset(location, entry.change_files, own).to_table()
        except FileNotFoundError as error:
            raise LogGap(f"A change file was vacuumed: {error}.") from error
        return
    if entry.copies_only:
        return
    changes = difference(dataset(location, entry.removed, schema), dataset(location, entry.added, schema))
    if entry.operation == "UPDATE":
        yield "update_preimage", changes.deleted
        yield "update_postimage", changes.inserted
    else:
        yield from _paired(changes, _merge_key(entry, schema))


def _merge_key(entry: Commit, schema: pa.Schema) -> list[str]:
    """The columns that a MERGE compared for equality; none when its condition was anything else."""
    condition = str(entry.parameters.get("mergePredicate") or "")
    terms = [
        SAME_COLUMN.fullmatch(term.strip(" ()"))
        for term in re.split(r"\band\b", condition, flags=re.IGNORECASE)
    ]
    names = [term["name"] for term in terms if term is not None]
    known = {name.lower(): name for name in schema.names if not pa.types.is_nested(schema.field(name).type)}
    whole = entry.operation == "MERGE" and len(names) == len(terms)
    return (
        [known[name.lower()] for name in names]
        if whole and {n.lower() for n in names} <= known.keys()
        else []
    )


def _paired(changes: Changes, key: list[str]) -> Iterator[tuple[str, pa.Table]]:
    """Rows with the same key before and after were changed."""
    if not key or not changes.deleted.num_rows or not changes.inserted.num_rows:
        yield "delete", changes.deleted
        yield "insert", changes.inserted
        return
    deleted, inserted = _placed(changes.deleted, key), _placed(changes.inserted, key)
    for rows, here, there, changed, other in (
        (changes.deleted, deleted, inserted, "update_preimage", "delete"),
        (changes.inserted, inserted, deleted, "update_postimage", "insert"),
    ):
        for join, kind in (("left semi", changed), ("left anti", other)):
            places = here.join(there, key, join_type=join).column(PLACE)
            yield kind, rows.take(places)


def _placed(rows: pa.Table, key: list[str]) -> pa.Table:
    return rows.select(key).append_column(PLACE, pa.array(range(rows.num_rows), pa.int64()))


def _stamped(rows: pa.Table, kind: str | None, version: int, moment: datetime) -> pa.Table:
    values = [version, moment] if kind is None else [kind, version, moment]
    for column, value in zip(FEED_COLUMNS[-len(values) :], values, strict=True):
        rows = rows.append_column(column, pa.array([value] * rows.num_rows, column.type))
    return rows
