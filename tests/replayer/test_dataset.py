from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from caspers.model.events import CANONICAL_EVENTS, DATASET_EPOCH_S
from replayer.dataset import InvalidDataset, open_dataset
from replayer.windows import RowRange, Window

from tests.support.datasets import REFERENCE, event, generated, write_events


def test_our_dataset_is_read_in_place_by_ranges_of_rows(tmp_path: Path):
    source = generated() / "events.parquet"
    dataset = open_dataset(source, tmp_path)
    whole = pq.read_table(source)
    assert dataset.path == source
    assert dataset.days == 2
    assert dataset.rows(RowRange(0, 16_000, 17_000)).equals(whole.slice(16_000, 1_000))
    assert dataset.timeline.count(Window(0, 10 * 86_400)) > 4 * whole.num_rows


def test_rows_in_any_order_are_put_in_order_of_time_once(tmp_path: Path):
    rows = [event("A", 8, 500, 6), event("A", 1, 100), event("B", 1, 300), event("A", 2, 200, 1)]
    source = write_events(tmp_path / "events.parquet", rows)
    dataset = open_dataset(source, tmp_path / "work")
    times = dataset.rows(RowRange(0, 0, 4))["ts_seconds"].to_pylist()
    assert [time - DATASET_EPOCH_S for time in times] == [100, 200, 300, 500]
    assert open_dataset(source, tmp_path / "work").path == dataset.path


def test_wider_types_with_the_same_meaning_are_accepted(tmp_path: Path):
    wide = {pa.int8(): pa.int64(), pa.string(): pa.large_string(), pa.float32(): pa.float64()}
    schema = pa.schema([pa.field(field.name, wide.get(field.type, field.type)) for field in CANONICAL_EVENTS])
    source = write_events(tmp_path / "events.parquet", [event("A", 1, 0, customer_lat=1.5)], schema)
    dataset = open_dataset(source, tmp_path / "work")
    assert dataset.rows(RowRange(0, 0, 1)).schema.types == CANONICAL_EVENTS.types
    assert dataset.rows(RowRange(0, 0, 1))["customer_lat"].to_pylist() == [1.5]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([], "it has no events"),
        ([event("A", 9, 0)], "event types 9 are unknown"),
        ([event("A", 1, -1)], "before the dataset's day 0"),
        ([event("A", 1, 0), event("A", 2, 5)], "1 events share"),
        ([event("A", 1, 0, sequence=-4)], "a sequence number is negative"),
    ],
)
def test_events_that_make_no_sense_are_refused_with_a_sentence(tmp_path: Path, rows: list[dict], fault: str):
    source = write_events(tmp_path / "events.parquet", rows)
    with pytest.raises(InvalidDataset, match=fault):
        open_dataset(source, tmp_path / "work")


def test_missing_columns_and_wrong_types_are_all_named(tmp_path: Path):
    pq.write_table(pa.table({"ts_seconds": ["soon"], "order_id": ["A"]}), tmp_path / "events.parquet")
    with pytest.raises(InvalidDataset) as refused:
        open_dataset(tmp_path / "events.parquet", tmp_path)
    assert "column items_json is missing" in refused.value.message
    assert "column ts_seconds is string, not int64" in refused.value.message


def test_numbers_that_do_not_fit_and_empty_fields_are_refused(tmp_path: Path):
    wide = pa.schema([f.with_type(pa.int64()) if f.name == "sequence" else f for f in CANONICAL_EVENTS])
    source = write_events(tmp_path / "wide.parquet", [event("A", 1, 0, sequence=300)], wide)
    with pytest.raises(InvalidDataset, match="does not fit its column"):
        open_dataset(source, tmp_path)
    loose = pa.schema([f.with_nullable(True) for f in CANONICAL_EVENTS])
    source = write_events(tmp_path / "empty.parquet", [event("A", 1, 0) | {"order_id": None}], loose)
    with pytest.raises(InvalidDataset, match="column order_id is empty in 1 rows"):
        open_dataset(source, tmp_path)


@pytest.mark.parametrize("rubbish", [b"", b"PAR1", b"no parquet at all" * 100])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, rubbish: bytes):
    (tmp_path / "events.parquet").write_bytes(rubbish)
    with pytest.raises(InvalidDataset, match="cannot be read"):
        open_dataset(tmp_path / "events.parquet", tmp_path)


def test_a_dataset_that_nobody_here_made_is_opened_whole(tmp_path: Path):
    if not REFERENCE.exists():
        pytest.skip(f"there is no dataset of somebody else's at {REFERENCE}")
    dataset = open_dataset(REFERENCE / "events.parquet", tmp_path)
    assert (dataset.days, dataset.timeline.rows) == (3, 33_057)
