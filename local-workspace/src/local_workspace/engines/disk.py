"""Files and directories under a root that nobody may leave: resolve, write at once or not at all, discard.

A name that starts with PARTIAL_PREFIX belongs to a write in progress; listings leave it out.
"""

import errno
import os
import shutil
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from local_workspace import ids

PARTIAL_PREFIX = ".partial-"
DISCARDED = ".discarded"
MAX_NAME_BYTES = 255


class OutsideRoot(Exception):
    """A path that would lead out of its root, or that no file system can hold; the message says which."""


class DiskFull(Exception):
    """There is no room for the file; nothing of it was kept."""


@dataclass(frozen=True)
class Entry:
    """A file or directory in a listing; `modified_ms` is Unix milliseconds."""

    name: str
    is_directory: bool
    size: int
    modified_ms: int


def inside(root: Path, relative: str) -> Path:
    """The path of `relative` (with slashes) under `root`.

    Raises:
        OutsideRoot: it has `.` or `..` parts, a NUL, a reserved or too long name, or passes through a symbolic link.
    """
    path = root
    for part in filter(None, relative.split("/")):
        if part in {".", ".."} or "\0" in part or part.startswith(PARTIAL_PREFIX):
            raise OutsideRoot(f"{part!r} is not allowed in a path.")
        if len(part.encode(errors="surrogatepass")) > MAX_NAME_BYTES:
            raise OutsideRoot(f"The name {part[:40]!r}… is longer than {MAX_NAME_BYTES} bytes.")
        path /= part
        if path.is_symlink():
            raise OutsideRoot(f"{part!r} is a symbolic link, which is not followed.")
    return path


@contextmanager
def written_at_once(path: Path, *, overwrite: bool) -> Generator[BinaryIO]:
    """A file to write to, which becomes `path` when the block ends well and leaves nothing when it does not.

    Parent directories are made. Readers see the old file or the whole new one.

    Raises:
        FileExistsError: the file exists and is not to be overwritten.
        IsADirectoryError: `path` is a directory.
        NotADirectoryError: a parent is a file.
        DiskFull: there is no room.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL_PREFIX}{ids.new_hex()}")
    try:
        with partial.open("xb", buffering=0) as file:
            yield file
        if overwrite:
            partial.replace(path)
        else:
            os.link(partial, path)  # unlike a rename, refuses when the name is taken
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(f"There is no room on the disk for {path.name}.") from error
        raise
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def entries(directory: Path) -> list[Entry]:
    """What a directory holds, by name, without writes in progress and symbolic links.

    Raises:
        FileNotFoundError: there is no such directory.
        NotADirectoryError: it is a file.
    """
    found: list[Entry] = []
    with os.scandir(directory) as scan:
        for item in scan:
            if item.name.startswith(PARTIAL_PREFIX) or item.is_symlink():
                continue
            with suppress(FileNotFoundError):  # deleted since it was listed
                found.append(_entry(item.name, item.stat(follow_symlinks=False)))
    return sorted(found, key=lambda entry: entry.name)


def entry(path: Path) -> Entry:
    """The file or directory at `path`.

    Raises:
        FileNotFoundError: there is nothing.
    """
    return _entry(path.name, path.lstat())


def discard(path: Path, root: Path) -> Path | None:
    """Take a directory under `root` out of its place at once; `delete` what this returns. None if it was not there."""
    if root not in path.parents:
        raise OutsideRoot(f"{path} is not under {root}.")
    grave = root / DISCARDED
    grave.mkdir(parents=True, exist_ok=True)
    moved = grave / ids.new_hex()
    try:
        path.rename(moved)
    except FileNotFoundError:
        return None
    return moved


def delete(discarded: Path | None) -> None:
    """Delete what was discarded, if anything; what cannot be deleted now goes at the next start."""
    if discarded is not None:
        shutil.rmtree(discarded, ignore_errors=True)


def finish_discarding(root: Path) -> None:
    """Delete what an interrupted `discard` left."""
    shutil.rmtree(root / DISCARDED, ignore_errors=True)


def _entry(name: str, status: os.stat_result) -> Entry:
    return Entry(name, stat.S_ISDIR(status.st_mode), status.st_size, int(status.st_mtime * 1000))
