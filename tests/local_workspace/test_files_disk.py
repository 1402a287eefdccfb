"""Files under a root: nobody leaves it, and a file is there whole or not at all."""

import resource
from pathlib import Path

import pytest
from local_workspace.engines import disk
from local_workspace.engines.disk import NoRoom, OutsideRoot, Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    made = Storage(tmp_path / "root")
    made.clean()
    return made


@pytest.mark.parametrize("path", ["..", "a/../b", "./a", "a\0", ".incoming/a", ".discarded", "é" * 200])
def test_a_path_that_is_not_plain_is_refused(storage: Storage, path: str):
    with pytest.raises(OutsideRoot):
        disk.inside(storage.root, path)


@pytest.mark.parametrize("path", ["a", "a//b", "/a", "a/", "...", "a..b", "~", "C:\\x", "é" * 100])
def test_an_unusual_but_harmless_path_stays_inside(storage: Storage, path: str):
    assert storage.root in disk.inside(storage.root, path).parents


def test_symbolic_links_are_not_followed(storage: Storage):
    (storage.root / "link").symlink_to("/etc")
    for path in ("link", "link/passwd"):
        with pytest.raises(OutsideRoot):
            disk.inside(storage.root, path)


def test_a_failed_write_leaves_the_old_file(storage: Storage):
    target = storage.root / "a" / "b"
    with storage.new_file(target, overwrite=False) as file:
        file.write(b"old")
    with pytest.raises(ZeroDivisionError), storage.new_file(target, overwrite=True) as file:
        file.write(b"new" * (1 // 0))
    assert target.read_bytes() == b"old"
    assert not list((storage.root / disk.INCOMING).iterdir())


def test_a_file_that_exists_is_not_overwritten_unasked(storage: Storage):
    target = storage.root / "a"
    with pytest.raises(FileExistsError), storage.new_file(target, overwrite=False):
        target.write_bytes(b"first")
    assert target.read_bytes() == b"first"


def test_a_full_disk_is_said_and_leaves_nothing(storage: Storage):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(NoRoom), storage.new_file(storage.root / "a", overwrite=True) as file:
            file.write(b"x" * 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert disk.entries(storage.root) == []
    assert not list((storage.root / disk.INCOMING).iterdir())


def test_a_listing_goes_on_after_a_name(storage: Storage):
    for name in ("c", "a", "b"):
        (storage.root / name).touch()
    assert [entry.name for entry in disk.entries(storage.root, limit=2)] == ["a", "b"]
    assert [entry.name for entry in disk.entries(storage.root, after="b", limit=2)] == ["c"]


def test_what_is_discarded_is_gone_at_once(storage: Storage):
    (storage.root / "a" / "b").mkdir(parents=True)
    discarded = storage.discard(storage.root / "a")
    assert disk.entries(storage.root) == []
    disk.delete(discarded)
    assert storage.discard(storage.root / "a") is None
    with pytest.raises(OutsideRoot):
        storage.discard(storage.root.parent / "elsewhere")
