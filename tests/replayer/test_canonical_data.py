from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from caspers.clock import ManualClock
from caspers.errors import Invalid, Unavailable
from caspers.worker.step import StepContext
from replayer.canonical_data import CanonicalData

from tests.support.datasets import FolderFiles

ORDERS = {"days": 1, "seed": 5}


def context(tell: Callable[[dict[str, Any]], None]) -> StepContext:
    return StepContext(1, ManualClock(datetime(2026, 11, 21, tzinfo=UTC)), tell)


def test_a_dataset_is_made_uploaded_and_then_left_alone(tmp_path: Path):
    volume = FolderFiles(tmp_path / "volume")
    worker = CanonicalData(volume, tmp_path / "cache")
    told: list[dict[str, Any]] = []
    progress = worker.step(ORDERS, context(told.append)).progress
    folder = Path(progress["path"])
    assert [each["state"] for each in told] == ["generating", "uploading"]
    assert progress["state"] == "complete"
    assert progress["events"] == orjson.loads((folder / "manifest.json").read_bytes())["rows"]["events"]
    written = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert worker.step(ORDERS, context(told.append)).progress == progress
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == written


def test_an_upload_that_broke_off_is_finished_from_the_cache(tmp_path: Path):
    volume = FolderFiles(tmp_path / "volume")
    worker = CanonicalData(volume, tmp_path / "cache")
    folder = Path(worker.step(ORDERS, context(lambda _: None)).progress["path"])
    events = (folder / "events.parquet").read_bytes()
    (folder / "manifest.json").unlink()
    (folder / "events.parquet").write_bytes(b"half of it")
    worker.step(ORDERS, context(lambda _: None))
    assert (folder / "events.parquet").read_bytes() == events


def test_an_interrupted_step_leaves_nothing_half_done(tmp_path: Path):
    volume = FolderFiles(tmp_path / "volume")
    interrupted = context(lambda _: None)
    interrupted.interrupt()
    outcome = CanonicalData(volume, tmp_path / "cache").step(ORDERS, interrupted)
    assert outcome.again
    assert volume.names() == []
    assert not [path for path in (tmp_path / "cache").iterdir() if not path.name.startswith(".")]


def test_a_generator_that_fails_is_reported_with_its_last_words(tmp_path: Path):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / ".v1-1d-s5.part").touch()
    with pytest.raises(Unavailable, match=r"generator of the canonical dataset failed: .*File exists"):
        CanonicalData(FolderFiles(tmp_path / "volume"), cache).step(ORDERS, context(lambda _: None))


def test_orders_without_days_are_refused(tmp_path: Path):
    with pytest.raises(Invalid, match="days: "):
        CanonicalData(FolderFiles(tmp_path / "volume"), tmp_path).step({"seed": 1}, context(lambda _: None))
