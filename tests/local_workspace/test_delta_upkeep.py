"""A table that is written a little at a time, for ever, stays a handful of files."""

from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from local_workspace.engines import delta
from local_workspace.engines.delta import UPKEEP, Upkeep

HASTY = Upkeep(merge_every=4, clean_every=16, kept_versions=8, kept_hours=0)


def _append(table: Path, times: int, upkeep: Upkeep) -> None:
    for _ in range(times):
        before = DeltaTable(table).version() if DeltaTable.is_deltatable(str(table)) else 0
        write_deltalake(table, pa.table({"a": [1], "day": ["1"]}), mode="append")
        delta.keep_up(table, before, DeltaTable(table).version(), upkeep)


def _places(table: Path) -> int:
    return sum(1 for _ in table.rglob("*"))


def test_files_and_log_entries_do_not_grow_with_the_commits(tmp_path: Path):
    _append(tmp_path / "t", 48, HASTY)
    first = _places(tmp_path / "t")
    _append(tmp_path / "t", 96, HASTY)
    assert _places(tmp_path / "t") <= first + 4
    assert delta.row_count(tmp_path / "t") == 144


def test_directories_that_a_clean_up_has_emptied_go(tmp_path: Path):
    _append(tmp_path / "t", 1, HASTY)
    (tmp_path / "t" / "0000000001-abc" / "day=1").mkdir(parents=True)
    _append(tmp_path / "t", 32, HASTY)  # its own time stamp changes when the one below it goes
    assert not (tmp_path / "t" / "0000000001-abc").exists()


def test_what_was_written_within_the_hour_stays_readable(tmp_path: Path):
    _append(tmp_path / "t", 20, Upkeep(clean_every=8))
    assert DeltaTable(tmp_path / "t", version=3).to_pyarrow_table().num_rows == 4
    assert len(DeltaTable(tmp_path / "t").file_uris()) < 10


def test_a_table_that_the_library_cannot_maintain_stays_as_it_is(tmp_path: Path):
    delta.keep_up(tmp_path / "nothing", 0, UPKEEP.clean_every)
    assert not (tmp_path / "nothing").exists()
