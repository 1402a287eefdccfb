"""Files under a root that nobody may leave: resolved safely, written whole or not at all, discarded at once.

Two reserved directories at the root keep what is not there yet and what is no longer there, so that a reader of any
other directory never meets a half-written or half-deleted thing.
"""

import errno
import heapq
import os
import shutil
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from local_workspace import ids

INCOMING = ".incoming"
DISCARDED = ".discarded"
MAX_NAME_BYTES = 255
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class OutsideRoot(Exception):
    """A path that would lead out of its root, or that no file system can hold; the message says why."""


class NoRoom(Exception):
    """The disk has no room for a file; nothing of it was kept."""


@dataclass(frozen=True)
class Entry:
    """A file or directory in a listing; `modified_ms` is Unix milliseconds."""

    name: str
    is_directory: bool
    size: int
    modified_ms: int


class Storage:
    """A directory of the workspace's own, with its reserved places."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def clean(self) -> None:
        """Delete what interrupted writes and drops have left; only when nothing else uses the root."""
        for name in (INCOMING, DISCARDED):
            shutil.rmtree(self.root / name, ignore_errors=True)
            (self.root / name).mkdir(parents=True)

    def staged(self, name: str) -> Path:
        """A place for a part of something that is not there yet; gone after a restart."""
        return self.root / INCOMING / name

    @contextmanager
    def new_file(self, path: Path, *, overwrite: bool) -> Generator[BinaryIO]:
        """A file to write to, which becomes `path` when the block ends well and leaves nothing when it does not.

        Parent directories are made. Readers see the old file or the whole new one.

        Raises:
            FileExistsError: the file exists and is not to be overwritten.
            IsADirectoryError: `path` is a directory.
            NotADirectoryError: something above `path` is a file.
            NoRoom: the disk is full.
        """
        incoming = self.staged(ids.new_hex())
        try:
            with incoming.open("xb") as file:
                yield file
            make_directory(path.parent)
            if overwrite:
                incoming.replace(path)
            else:
                os.link(incoming, path)  # unlike a rename, this refuses a name that is taken
        except OSError as error:
            if error.errno in NO_ROOM:
                raise NoRoom(f"The disk has no room for {path.name}: {error.strerror}.") from error
            raise
        finally:
            with suppress(FileNotFoundError):
                incoming.unlink()

    def discard(self, path: Path) -> Path | None:
        """Take a file or directory out of its place; `delete` what this returns. None if it was not there.

        Raises:
            OutsideRoot: it is not under the root.
        """
        if self.root not in path.parents:
            raise OutsideRoot(f"{path} is not under {self.root}.")
        discarded = self.root / DISCARDED / ids.new_hex()
        try:
            path.rename(discarded)
        except FileNotFoundError:
            return None
        return discarded


def delete(discarded: Path | None) -> None:
    """Delete what was discarded, if anything; what cannot be deleted now goes at the next `clean`."""
    if discarded is not None and discarded.is_dir():
        shutil.rmtree(discarded, ignore_errors=True)
    elif discarded is not None:
        discarded.unlink(missing_ok=True)


def inside(root: Path, relative: str) -> Path:
    """The path of `relative` (with slashes) under `root`.

    Raises:
        OutsideRoot: it has `.` or `..` parts, a NUL, a reserved or too long name, or passes through a symbolic link.
    """
    path = root
    for part in filter(None, relative.split("/")):
        if part in {".", "..", INCOMING, DISCARDED} or "\0" in part:
            raise OutsideRoot(f"{part!r} is not allowed in a path.")
        if len(part.encode(errors="surrogateescape")) > MAX_NAME_BYTES:
            raise OutsideRoot(f"The name {part[:40]}… is longer than {MAX_NAME_BYTES} bytes.")
        path /= part
        if path.is_symlink():
            raise OutsideRoot(f"{part!r} is a symbolic link, which is not followed.")
    return path


def make_directory(path: Path) -> None:
    """Make a directory and those above it; one that exists is fine.

    Raises:
        NotADirectoryError: it, or something above it, is a file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(path)) from error


def entry(path: Path) -> Entry:
    """The file or directory at `path`.

    Raises:
        FileNotFoundError: there is nothing.
    """
    status = path.lstat()
    return Entry(path.name, stat.S_ISDIR(status.st_mode), status.st_size, int(status.st_mtime * 1000))


def entries(directory: Path, *, after: str = "", limit: int | None = None) -> list[Entry]:
    """What a directory holds, by name, from the name following `after`; symbolic links are left out.

    Raises:
        FileNotFoundError: there is no such directory.
        NotADirectoryError: it is a file.
    """
    with os.scandir(directory) as scan:
        names = [
            item.name
            for item in scan
            if item.name > after and not item.is_symlink() and item.name not in {INCOMING, DISCARDED}
        ]
    chosen = sorted(names) if limit is None else heapq.nsmallest(limit, names)
    found: list[Entry] = []
    for name in chosen:
        with suppress(FileNotFoundError):  # deleted since it was listed
            found.append(entry(directory / name))
    return found
