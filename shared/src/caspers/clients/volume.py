"""Files in a Unity Catalog volume, through the Files API: whole files in, whole files out, written at once or not at all."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound as PlatformNotFound

from caspers.clients.platform_errors import PLATFORM_ERRORS, from_platform
from caspers.errors import Invalid, NotFound

BLOCK_BYTES = 1 << 20


class _InLargeBlocks(BytesIO):
    """Content that answers with a large block when asked for a small one.

    The HTTP client asks for 16 KiB at a time, and for each it waits until other threads let go of the interpreter:
    with busy threads beside it, a file of some MB took longer to send than to make.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """At least a block, if that much is left."""
        return super().read(-1 if size is None or size < 0 else max(size, BLOCK_BYTES))


@dataclass(frozen=True)
class VolumeFile:
    """An entry of a directory; sizes are bytes, and a directory has none."""

    name: str
    path: str
    is_directory: bool
    size: int
    modified_at: datetime | None


class Volume:
    """The files below `root` ("/Volumes/catalog/schema/volume", or a folder inside); names are relative to it."""

    def __init__(self, workspace: WorkspaceClient, root: str) -> None:
        self._files = workspace.files
        self.root = root.rstrip("/")

    def write(self, name: str, content: bytes, *, overwrite: bool = True) -> None:
        """Put a whole file there. Raises `Conflict` if it exists and may not be overwritten."""
        with self._doing("writing", name) as path:
            self._files.upload(path, _InLargeBlocks(content), overwrite=overwrite)

    def read(self, name: str) -> bytes:
        """The whole content. Raises `NotFound`."""
        with self._doing("reading", name) as path:
            contents = self._files.download(path).contents
            if contents is None:
                return b""
            with contents:
                return contents.read()

    def read_if_there(self, name: str) -> bytes | None:
        """The whole content, or None when there is no such file."""
        try:
            return self.read(name)
        except NotFound:
            return None

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        with self._doing("looking for", name) as path:
            try:
                self._files.get_metadata(path)
            except PlatformNotFound:
                return False
            return True

    def list(self, folder: str = "") -> list[VolumeFile]:
        """The entries of a folder in the order of their names; empty when the folder does not exist."""
        with self._doing("listing", folder) as path:
            try:
                entries = list(self._files.list_directory_contents(path))
            except PlatformNotFound:
                return []
        files = [
            VolumeFile(
                name=entry.name or "",
                path=entry.path or "",
                is_directory=bool(entry.is_directory),
                size=entry.file_size or 0,
                modified_at=_moment(entry.last_modified),
            )
            for entry in entries
        ]
        return sorted(files, key=lambda file: file.name)

    def make_folder(self, folder: str) -> None:
        """Create a folder and those above it; fine if it is there."""
        with self._doing("creating", folder) as path:
            self._files.create_directory(path)

    def delete(self, name: str) -> None:
        """Remove a file; fine if there is none."""
        with self._doing("deleting", name) as path:
            try:
                self._files.delete(path)
            except PlatformNotFound:
                return

    def path(self, name: str) -> str:
        """The absolute path of a name. Raises `Invalid` for one that would leave the root."""
        if ".." in name.split("/"):
            raise Invalid(f"{name!r} would leave {self.root}")
        return f"{self.root}/{name}".rstrip("/")

    @contextmanager
    def _doing(self, verb: str, name: str) -> Generator[str, None, None]:
        path = self.path(name)
        try:
            yield path
        except PLATFORM_ERRORS as error:
            raise from_platform(f"{verb} {path}", error) from error


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
