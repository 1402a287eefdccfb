"""The files of a streaming source: which there are, and which batch read which.

A batch is recorded before it is read, so a batch that was interrupted is read again with the same files, and a file
belongs to one batch for ever, by path. Names that begin with `.` or `_` are not data.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local_workspace.pipeline_runs.lines import SourceFile

BYTES_PER_BATCH = 1_000_000_000
FILES_PER_BATCH = 50_000
SETTLING_NS = 50_000_000
"""A directory that changed this recently may change again without its time stamp moving, so it is listed again."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    source TEXT NOT NULL,
    path TEXT NOT NULL,             -- below the source's directory
    batch INTEGER NOT NULL,
    PRIMARY KEY (source, path)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_by_batch ON files (source, batch);
CREATE TABLE IF NOT EXISTS positions (
    flow TEXT PRIMARY KEY,
    position INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class FileSource:
    """What a flow asked to stream from.

    Attributes:
        path: as the pipeline's source names it; rows carry file paths below it.
        files_per_batch: the most files of one batch.
    """

    path: str
    files_per_batch: int = FILES_PER_BATCH


@dataclass(frozen=True)
class _Found:
    path: str
    size: int
    modified: int


class Progress:
    """How far the flows of one pipeline have come; kept in one SQLite file.

    A flow's position counts batches (files) or table versions (tables). It stands in the Delta log of the flow's
    target; here is only what moved on without writing a row.
    """

    def __init__(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(SCHEMA)
        self._known: dict[str, set[str]] = {}

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def position(self, flow: str) -> int | None:
        """How far the flow had read when it last found nothing to write."""
        row = self._database.execute("SELECT position FROM positions WHERE flow = ?", (flow,)).fetchone()
        return row[0] if row else None

    def pass_over(self, flow: str, position: int) -> None:
        """Note that the flow read up to `position` and had no row to write."""
        self._database.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (flow, position))

    def forget(self, flow: str) -> None:
        """Let only the Delta log say where the flow is."""
        self._database.execute("DELETE FROM positions WHERE flow = ?", (flow,))

    def last_batch(self, source: FileSource) -> int:
        """The number of the newest batch, 0 when there is none."""
        row = self._database.execute(
            "SELECT max(batch) FROM files WHERE source = ?", (source.path,)
        ).fetchone()
        return row[0] or 0

    def batch(self, source: FileSource, number: int, directory: Path) -> list[SourceFile]:
        """The files of a batch."""
        rows = self._database.execute(
            "SELECT path FROM files WHERE source = ? AND batch = ? ORDER BY path", (source.path, number)
        )
        return [SourceFile(f"{source.path.rstrip('/')}/{path}", directory / path) for (path,) in rows]

    def record_new_batches(self, source: FileSource, directory: Path) -> int:
        """Put the files that no batch has yet into new batches; returns the number of those files."""
        known = self._known_paths(source)
        found = sorted(
            (file for file in _listed(directory) if file.path not in known),
            key=lambda file: (file.modified, file.path),
        )
        number = self.last_batch(source)
        for batch in _batches(found, source.files_per_batch):
            number += 1
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "INSERT INTO files VALUES (?, ?, ?)", [(source.path, file.path, number) for file in batch]
            )
            self._database.execute("COMMIT")
            known.update(file.path for file in batch)
        return len(found)

    def _known_paths(self, source: FileSource) -> set[str]:
        if source.path not in self._known:
            rows = self._database.execute("SELECT path FROM files WHERE source = ?", (source.path,))
            self._known[source.path] = {path for (path,) in rows}
        return self._known[source.path]


class Watch:
    """Tells whether a directory tree may have new files, at the cost of a `stat` per directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen: Mapping[str, int] = {}

    def changed(self, now_ns: int) -> bool:
        """True when something may have changed since the last call that said so."""
        if self._seen and all(_modified(path) == at for path, at in self._seen.items()):
            return False
        current = {str(path): _modified(str(path)) for path in _directories(self._directory)}
        self._seen = (
            {path: at for path, at in current.items() if now_ns - at > SETTLING_NS}
            if _settled(current, now_ns)
            else {}
        )
        return True


def _settled(directories: Mapping[str, int], now_ns: int) -> bool:
    return all(now_ns - at > SETTLING_NS for at in directories.values())


def _modified(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  called three times a second for ever
    except FileNotFoundError:
        return -1


def _directories(directory: Path) -> Iterator[Path]:
    yield directory
    if directory.is_dir():
        with os.scandir(directory) as entries:
            below = [Path(entry.path) for entry in entries if entry.is_dir() and not _hidden(entry.name)]
        for path in below:
            yield from _directories(path)


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _listed(directory: Path, prefix: str = "") -> Iterator[_Found]:
    if not directory.is_dir():
        return
    with os.scandir(directory) as entries:
        for entry in entries:
            if _hidden(entry.name):
                continue
            if entry.is_dir():
                yield from _listed(Path(entry.path), f"{prefix}{entry.name}/")
            else:
                status = entry.stat()
                yield _Found(prefix + entry.name, status.st_size, status.st_mtime_ns)


def _batches(files: list[_Found], most_files: int) -> Iterator[list[_Found]]:
    batch: list[_Found] = []
    size = 0
    for file in files:
        if batch and (len(batch) >= most_files or size + file.size > BYTES_PER_BATCH):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch
