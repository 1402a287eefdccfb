"""Lines of files that are anything but tidy; batches of files that never change once they are recorded."""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_workspace.pipeline_runs.lines import SourceFile, split, stage
from local_workspace.pipeline_runs.source_files import FileSource, Progress, Watch

SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\n\nb", ["a", "", "b"]),
        (b"\n", [""]),
        ("é\n🍮".encode(), ["é", "🍮"]),
        (b"ok\n\xff\xfe\n", ["ok", "\ufffd\ufffd"]),
        (b"a\x00b\n", ["a\x00b"]),
    ],
)
def test_lines_are_what_stands_between_newlines(text: bytes, expected: list[str]):
    assert split(text).to_pylist() == expected


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))))
def test_lines_that_are_joined_and_split_are_the_same(texts: list[str]):
    assert split("".join(f"{text}\n" for text in texts).encode()).to_pylist() == texts


def test_staged_lines_know_their_file_and_missing_files_are_left_out(tmp_path: Path):
    (tmp_path / "a").write_text("1\n2\n")
    files = [SourceFile("/Volumes/v/a", tmp_path / "a"), SourceFile("/Volumes/v/gone", tmp_path / "gone")]
    stage(files, tmp_path / "staged.parquet")
    rows = pq.read_table(tmp_path / "staged.parquet").to_pylist()
    assert [row["value"] for row in rows] == ["1", "2"]
    assert rows[0]["_metadata"]["file_path"] == "/Volumes/v/a"
    assert rows[0]["_metadata"]["file_size"] == 4


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    """The progress of a pipeline that has read nothing."""
    return Progress(tmp_path / "state" / "progress.sqlite")


def test_each_file_belongs_to_one_batch_for_ever(progress: Progress, tmp_path: Path):
    volume = tmp_path / "volume"
    (volume / "deep").mkdir(parents=True)
    source = FileSource("/Volumes/c/s/v", files_per_batch=2)
    for name in ("a", "b", "deep/c", ".hidden", "_state"):
        (volume / name).write_text("x")
    assert progress.record_new_batches(source, volume) == 3
    assert progress.last_batch(source) == 2
    (volume / "a").write_text("changed")
    assert progress.record_new_batches(source, volume) == 0
    names = [file.known_as for number in (1, 2) for file in progress.batch(source, number, volume)]
    assert sorted(names) == ["/Volumes/c/s/v/a", "/Volumes/c/s/v/b", "/Volumes/c/s/v/deep/c"]


def test_recorded_batches_outlive_the_process(progress: Progress, tmp_path: Path):
    source = FileSource("/v")
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume" / "a").write_text("x")
    progress.record_new_batches(source, tmp_path / "volume")
    progress.pass_over("flow", 1)
    progress.close()
    again = Progress(tmp_path / "state" / "progress.sqlite")
    assert again.record_new_batches(source, tmp_path / "volume") == 0
    assert again.position("flow") == 1


def test_a_missing_volume_has_no_files(progress: Progress, tmp_path: Path):
    assert progress.record_new_batches(FileSource("/v"), tmp_path / "nowhere") == 0


def test_a_watch_notices_new_files_and_new_directories(tmp_path: Path):
    watch = Watch(tmp_path)
    os.utime(tmp_path, ns=(SECOND_NS, SECOND_NS))
    assert watch.changed(10 * SECOND_NS)
    assert not watch.changed(10 * SECOND_NS)
    (tmp_path / "deep").mkdir()
    assert watch.changed(tmp_path.stat().st_mtime_ns + SECOND_NS)
    assert not watch.changed(tmp_path.stat().st_mtime_ns + SECOND_NS)
    (tmp_path / "deep" / "a").write_text("x")
    assert watch.changed((tmp_path / "deep").stat().st_mtime_ns + SECOND_NS)


def test_a_watch_looks_again_at_a_directory_that_just_changed(tmp_path: Path):
    watch = Watch(tmp_path)
    just_now = tmp_path.stat().st_mtime_ns + 1
    assert watch.changed(just_now)
    assert watch.changed(just_now)
