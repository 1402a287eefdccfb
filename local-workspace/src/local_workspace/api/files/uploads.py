"""Multipart uploads: a large file comes in parts, side by side, and appears when they are completed.

The session token is the secret in the addresses of the parts, which are sent without a login, as to a cloud's
storage. Sessions are in memory: a restart ends them, and their parts with them.
"""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO

from local_workspace import ids
from local_workspace.api.files.rules import VolumeFiles
from local_workspace.clock import Clock
from local_workspace.engines.disk import Storage
from local_workspace.errors import BadRequest, NotFound, PermissionDenied
from local_workspace.identity import Principal

SESSION_LIFE = timedelta(hours=6)
MAX_PARTS = 10_000


@dataclass
class _Session:
    caller: Principal
    path: str
    overwrite: bool
    ends_at: datetime
    etags: dict[int, str] = field(default_factory=dict)


class Uploads:
    """Multipart uploads under way."""

    def __init__(self, files: VolumeFiles, storage: Storage, clock: Clock) -> None:
        self._files = files
        self._storage = storage
        self._clock = clock
        self._sessions: dict[str, _Session] = {}

    def begin(self, caller: Principal, path: str, *, overwrite: bool) -> str:
        """The token of a new session; raises what writing the file at once would raise."""
        self._end_old_sessions()
        self._files.require_writable(caller, path, overwrite=overwrite)
        token = ids.new_secret("upload-")
        self._sessions[token] = _Session(caller, path, overwrite, self._clock.now() + SESSION_LIFE)
        return token

    def require(self, caller: Principal, token: str) -> None:
        """Raises NotFound, or PermissionDenied when the session is somebody else's."""
        if self._session(token).caller != caller:
            raise PermissionDenied("This upload was begun by somebody else.")

    def part(self, token: str, number: int) -> AbstractContextManager[BinaryIO]:
        """A file to write a part to, which replaces an earlier try."""
        self._session(token)
        if not 1 <= number <= MAX_PARTS:
            raise BadRequest(f"Part number {number} is not between 1 and {MAX_PARTS}.")
        return self._storage.new_file(self._storage.staged(f"{token}.{number}"), overwrite=True)

    def part_written(self, token: str, number: int) -> str:
        """The ETag of a part that was written just now."""
        etag = f'"{ids.new_hex()}"'
        self._session(token).etags[number] = etag
        return etag

    def complete(self, caller: Principal, token: str, parts: dict[int, str]) -> None:
        """Make the file out of its parts, given with the ETags they got.

        Raises:
            BadRequest: a part is missing, or was sent again since.
        """
        self.require(caller, token)
        session = self._session(token)
        if not parts or any(session.etags.get(number) != etag for number, etag in parts.items()):
            raise BadRequest(
                f"The parts given are not those that were uploaded for {session.path}; send them again."
            )
        with self._files.new_file(caller, session.path, overwrite=session.overwrite) as file:
            for part in self._parts(token, sorted(parts)):
                shutil.copyfileobj(part, file, 1024 * 1024)
        self.abort(token)

    def abort(self, token: str) -> None:
        """End a session and delete its parts."""
        session = self._sessions.pop(token, None)
        for number in session.etags if session else ():
            self._storage.staged(f"{token}.{number}").unlink(missing_ok=True)

    def _parts(self, token: str, numbers: list[int]) -> Iterator[BinaryIO]:
        for number in numbers:
            with self._storage.staged(f"{token}.{number}").open("rb") as part:
                yield part

    def _session(self, token: str) -> _Session:
        session = self._sessions.get(token)
        if session is None:
            raise NotFound(
                "This upload is not known, has ended, or the workspace was restarted; begin it again."
            )
        return session

    def _end_old_sessions(self) -> None:
        now = self._clock.now()
        for token in [token for token, session in self._sessions.items() if session.ends_at < now]:
            self.abort(token)
