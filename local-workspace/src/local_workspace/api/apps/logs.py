"""What apps print, line by line with the time: kept in memory for those who look, and bounded on disk.

An app writes to its log file by itself. One thread looks at all files twice a second, so a line's time is right to half a
second; lines that were there before the workspace started have the time of the file. Of a file that grows too large the
older part goes to a second file, in place of what was there.
"""

import os
import shutil
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local_workspace.clock import Clock

LOOK_EVERY_S = 0.5
LARGEST_FILE_BYTES = 4_000_000
KEPT_LINES = 2_000
TAIL_BYTES = 262_144
LONGEST_LINE_BYTES = 16_384
SYSTEM = "[SYSTEM] "
"""What lines begin with that the workspace itself writes into an app's log."""


@dataclass(frozen=True)
class Line:
    """A line of an app's log.

    Attributes:
        number: counts from 1 on, for those who follow.
        timestamp: Unix seconds.
        source: APP, or SYSTEM for what the workspace says about the app.
    """

    number: int
    timestamp: float
    source: str
    message: str


@dataclass
class _Followed:
    """A log file and how far it was read."""

    path: Path
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    count: int = 0
    inode: int = 0
    offset: int = 0
    rest: bytes = b""


class AppLogs:
    """The logs of all apps, from `follow` to `forget`."""

    def __init__(
        self, clock: Clock, log_of: Callable[[str], Path], largest_bytes: int = LARGEST_FILE_BYTES
    ) -> None:
        self._clock = clock
        self._log_of = log_of
        self._largest_bytes = largest_bytes
        self._followed: dict[str, _Followed] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="app logs", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def follow(self, app: str) -> None:
        """Keep an app's lines from now on, and the last of what it printed before."""
        followed = _Followed(self._log_of(app))
        with suppress(FileNotFoundError):
            state = followed.path.stat()
            followed.inode = state.st_ino
            followed.offset = max(0, state.st_size - TAIL_BYTES)
            self._read(followed, state.st_mtime)
        with self._lock:
            self._followed[app] = followed

    def forget(self, app: str) -> None:
        """Keep them no longer."""
        with self._lock:
            self._followed.pop(app, None)

    def lines(self, app: str, *, after: int = 0, search: str = "") -> list[Line]:
        """The lines that are kept, oldest first: after a number, with a text in them whatever its case."""
        followed = self._followed.get(app)
        kept = list(followed.lines) if followed else []
        wanted = search.lower()
        return [it for it in kept if it.number > after and wanted in it.message.lower()]

    def look(self) -> None:
        """Read what was printed since the last look."""
        with self._lock:
            now = self._clock.now().timestamp()
            for followed in self._followed.values():
                with suppress(FileNotFoundError):
                    self._catch_up(followed, now)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            self.look()

    def _catch_up(self, followed: _Followed, now: float) -> None:
        state = followed.path.stat()
        if state.st_ino != followed.inode or state.st_size < followed.offset:
            followed.inode, followed.offset, followed.rest = state.st_ino, 0, b""
        if state.st_size > followed.offset:
            self._read(followed, now)
        if followed.offset > self._largest_bytes:
            # The app goes on writing to the end of the same file, so it is emptied and not replaced.
            shutil.copyfile(followed.path, followed.path.with_suffix(".log.old"))
            self._read(followed, now)
            os.truncate(followed.path, 0)
            followed.offset = 0

    def _read(self, followed: _Followed, moment: float) -> None:
        with followed.path.open("rb") as file:
            file.seek(followed.offset)
            data = file.read()
        followed.offset += len(data)
        *complete, rest = (followed.rest + data).split(b"\n")
        if len(rest) > LONGEST_LINE_BYTES:
            complete, rest = [*complete, rest], b""
        followed.rest = rest
        for raw in complete:
            followed.count += 1
            followed.lines.append(_line(followed.count, moment, raw))


def _line(number: int, moment: float, raw: bytes) -> Line:
    text = raw[:LONGEST_LINE_BYTES].decode(errors="replace").rstrip("\r")
    if text.startswith(SYSTEM):
        return Line(number, moment, "SYSTEM", text.removeprefix(SYSTEM))
    return Line(number, moment, "APP", text)
