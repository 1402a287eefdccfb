"""A canonical dataset, ours or anybody's: checked with a sentence per fault, then read by ranges of rows in order of time.

Only the times stay in memory; rows are read from parquet whose row groups follow time. A dataset that is not laid out
like that (rows in any order, other widths of the same types) is rewritten once into the work folder.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from caspers.errors import Invalid
from caspers.model.events import CANONICAL_EVENTS, DATASET_EPOCH_S, DAY_S, EventType

from replayer.arrow_text import compute
from replayer.windows import RowRange, Timeline

EVENTS_FILE = "events.parquet"
ROW_GROUP_ROWS = 16_384
#: Larger row groups than this would cost too much memory for a small window.
LARGEST_ROW_GROUP = 65_536
#: The columns that every event fills.
_NARROW = [field.name for field in CANONICAL_EVENTS if not field.nullable]


class DatasetFolder(Protocol):
    """Where a dataset lies; `caspers.clients.volume.Volume` is one."""

    def read(self, name: str) -> bytes: ...


class InvalidDataset(Invalid):
    """The dataset is not of the canonical format; the message names every fault."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        super().__init__(
            f"{path.name} is no canonical dataset: {'; '.join(faults)}",
            what_now="Correct the dataset, or let Canonical_Data make one.",
        )


@dataclass(frozen=True)
class Dataset:
    """An open dataset: its timeline and its rows. `fingerprint` names its content."""

    path: Path
    fingerprint: str
    timeline: Timeline

    @property
    def days(self) -> int:
        return self.timeline.length_s // DAY_S

    def shift_to(self, day_zero: datetime, loop: int) -> int:
        """Seconds to add to the rows' `ts_seconds` when day 0 of the first loop is to be at `day_zero`."""
        return int(day_zero.timestamp()) - DATASET_EPOCH_S + loop * self.timeline.length_s

    def rows(self, wanted: RowRange) -> pa.Table:
        """The rows of a range, in order of time."""
        with pq.ParquetFile(self.path) as file:
            groups, first_row = _groups_of(file.metadata, wanted)
            table = file.read_row_groups(groups, columns=CANONICAL_EVENTS.names)
        table = table.slice(wanted.start - first_row, wanted.rows)
        try:
            table.validate(full=True)
        except pa.ArrowInvalid as error:
            raise InvalidDataset(
                self.path, [f"rows {wanted.start} to {wanted.stop} hold no text ({error})"]
            ) from error
        return table


def open_dataset(source: Path, work: Path) -> Dataset:
    """Check and open `source`, rewriting it below `work` where needed. Raises `InvalidDataset`."""
    fingerprint = _fingerprint(source)
    prepared = work / f"{fingerprint}.parquet"
    try:
        if not prepared.exists():
            prepared = _prepare(source, prepared)
        return Dataset(
            prepared, fingerprint, _timeline(pq.read_table(prepared, columns=["ts_seconds", "event_type_id"]))
        )
    except pa.ArrowException as error:
        raise InvalidDataset(source, [f"it cannot be read ({error})"]) from error


def fetch_dataset(folder: DatasetFolder, work: Path) -> Dataset:
    """Bring the events of a dataset to this machine and open them. Raises `NotFound`, `InvalidDataset`."""
    content = folder.read(EVENTS_FILE)
    work.mkdir(parents=True, exist_ok=True)
    source = work / f"{sha256(content).hexdigest()[:16]}-{EVENTS_FILE}"
    unfinished = source.with_suffix(".part")
    unfinished.write_bytes(content)
    del content
    return open_dataset(unfinished.replace(source), work)


def _fingerprint(source: Path) -> str:
    with source.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]


def _prepare(source: Path, prepared: Path) -> Path:
    """The source itself if it is laid out by time, else a rewritten copy at `prepared`."""
    with pq.ParquetFile(source) as file:
        _refuse(source, _schema_faults(file.schema_arrow))
        well_laid_out = _is_canonical(file.schema_arrow) and _small_groups(file.metadata)
    narrow = _canonical(source, _NARROW)
    _refuse(source, _content_faults(narrow))
    if well_laid_out and _is_sorted(narrow["ts_seconds"].to_numpy()):
        return source
    _rewrite(source, prepared)
    return prepared


def _rewrite(source: Path, prepared: Path) -> None:
    events = _canonical(source, CANONICAL_EVENTS.names)
    keys = [("ts_seconds", "ascending"), ("order_id", "ascending"), ("sequence", "ascending")]
    prepared.parent.mkdir(parents=True, exist_ok=True)
    unfinished = prepared.with_suffix(".part")
    in_order = events.take(compute.sort_indices(events, keys))
    pq.write_table(in_order, unfinished, compression="zstd", row_group_size=ROW_GROUP_ROWS)
    unfinished.replace(prepared)


def _canonical(source: Path, columns: list[str]) -> pa.Table:
    """Columns of the events in their canonical types."""
    schema = pa.schema([pa.field(name, CANONICAL_EVENTS.field(name).type) for name in columns])
    try:
        events = pq.read_table(source, columns=columns).cast(schema)
        events.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InvalidDataset(source, [f"a value does not fit its column ({error})"]) from error
    return events


def _refuse(source: Path, faults: Iterable[str]) -> None:
    found = list(faults)
    if found:
        raise InvalidDataset(source, found)


def _timeline(times: pa.Table) -> Timeline:
    seconds = times["ts_seconds"].to_numpy() - DATASET_EPOCH_S
    orders = seconds[times["event_type_id"].to_numpy() == EventType.ORDER_CREATED]
    last_day = int((orders if orders.size else seconds).max()) // DAY_S
    return Timeline(seconds, orders, (last_day + 1) * DAY_S)


def _schema_faults(found: pa.Schema) -> Iterator[str]:
    for field in CANONICAL_EVENTS:
        if field.name not in found.names:
            yield f"column {field.name} is missing"
        elif not _fits(found.field(field.name).type, field.type):
            yield f"column {field.name} is {found.field(field.name).type}, not {field.type}"


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of one type can stand for the other's without changing what they mean."""
    if pa.types.is_dictionary(found):
        found = found.value_type
    if pa.types.is_null(found):
        return True
    if pa.types.is_integer(wanted):
        return pa.types.is_integer(found)
    if pa.types.is_floating(wanted):
        return pa.types.is_floating(found) or pa.types.is_integer(found)
    return pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found)


def _content_faults(events: pa.Table) -> Iterator[str]:
    if not events.num_rows:
        yield "it has no events"
        return
    for name in _NARROW:
        empty = events[name].null_count
        if empty:
            yield f"column {name} is empty in {empty} rows"
    kinds = compute.unique(events["event_type_id"]).to_pylist()
    unknown = sorted(kind for kind in kinds if kind is not None and kind not in {*EventType})
    if unknown:
        yield f"event types {', '.join(map(str, unknown))} are unknown (there are 1 to {max(EventType)})"
    first = compute.min(events["ts_seconds"]).as_py()
    if first is not None and first < DATASET_EPOCH_S:
        yield f"an event lies at {first}, before the dataset's day 0 ({DATASET_EPOCH_S}, 2024-01-01 UTC)"
    if (compute.min(events["sequence"]).as_py() or 0) < 0:
        yield "a sequence number is negative"
    if not (events["order_id"].null_count or events["sequence"].null_count) and (twice := _repeated(events)):
        yield f"{twice} events share order id and sequence with another"


def _repeated(events: pa.Table) -> int:
    """How many events have an order id and sequence that another one has, too."""
    order = events["order_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    key = order.astype(np.int64) * 256 + events["sequence"].to_numpy() + 128
    seen = np.zeros(key.max() + 1, dtype=bool)
    seen[key] = True
    return int(key.size - seen.sum())


def _is_canonical(found: pa.Schema) -> bool:
    return all(found.field(field.name).type == field.type for field in CANONICAL_EVENTS)


def _small_groups(metadata: pq.FileMetaData) -> bool:
    return all(metadata.row_group(n).num_rows <= LARGEST_ROW_GROUP for n in range(metadata.num_row_groups))


def _is_sorted(seconds: np.ndarray) -> bool:
    return bool((seconds[1:] >= seconds[:-1]).all())


def _groups_of(metadata: pq.FileMetaData, wanted: RowRange) -> tuple[list[int], int]:
    """The row groups that hold a range, and the first row of the first of them."""
    ends = np.cumsum([metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)])
    first = int(np.searchsorted(ends, wanted.start, side="right"))
    last = int(np.searchsorted(ends, wanted.stop, side="left"))
    return list(range(first, last + 1)), int(ends[first - 1]) if first else 0
