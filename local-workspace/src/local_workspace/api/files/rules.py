"""Files in volumes: READ VOLUME to see them, WRITE VOLUME to change them, and no way out of the volume."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar

from local_workspace.api.files.paths import VolumePath, volume_path
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.engines import disk
from local_workspace.engines.disk import Entry
from local_workspace.errors import AlreadyExists, ApiError, BadRequest, InvalidParameterValue, NotFound
from local_workspace.identity import Principal

READ = "READ_VOLUME"
WRITE = "WRITE_VOLUME"


class InsufficientStorage(ApiError):
    """The disk is full."""

    status: ClassVar[int] = 507
    code: ClassVar[str] = "INSUFFICIENT_STORAGE"


class VolumeFiles:
    """Reads, writes and lists the files of volumes for a caller."""

    def __init__(self, unity_catalog: UnityCatalog) -> None:
        self._unity_catalog = unity_catalog

    @contextmanager
    def new_file(self, caller: Principal, path: str, *, overwrite: bool) -> Generator[BinaryIO]:
        """A file to write to; it appears under `path`, whole, when the block ends well.

        Raises:
            AlreadyExists: it exists and is not to be overwritten; said before anything is written.
        """
        with _refusals(path):
            target = self.require_writable(caller, path, overwrite=overwrite)
            with self._unity_catalog.storage.new_file(target, overwrite=overwrite) as file:
                yield file

    def require_writable(self, caller: Principal, path: str, *, overwrite: bool) -> Path:
        """Where a file is to be written; raises what `new_file` would raise before anything is written."""
        with _refusals(path):
            target = self._locate(caller, WRITE, path)
            if target.is_dir():
                raise IsADirectoryError
            if not overwrite and target.exists():
                raise FileExistsError
            return target

    def open(self, caller: Principal, path: str) -> BinaryIO:
        """A file open for reading; a later overwrite or delete does not touch what is read."""
        with _refusals(path):
            return self._locate(caller, READ, path).open("rb")

    def delete_file(self, caller: Principal, path: str) -> None:
        """Raises NotFound when there is none."""
        with _refusals(path):
            self._locate(caller, WRITE, path).unlink()

    def make_directory(self, caller: Principal, path: str) -> None:
        """Make a directory and those above it; one that exists is fine."""
        with _refusals(path):
            disk.make_directory(self._locate(caller, WRITE, path))

    def delete_directory(self, caller: Principal, path: str) -> None:
        """Raises BadRequest when it is not empty, or is the volume itself."""
        with _refusals(path):
            if not volume_path(path).relative:
                raise BadRequest(f"{path} is a volume; drop the volume instead.")
            directory = self._locate(caller, WRITE, path)
            if disk.entries(directory, limit=1):
                raise BadRequest(f"The directory {path} is not empty; delete what it holds first.")
            directory.rmdir()

    def require_directory(self, caller: Principal, path: str) -> None:
        """Raises NotFound when there is no such directory."""
        with _refusals(path):
            if not self._locate(caller, READ, path).is_dir():
                raise FileNotFoundError

    def entries(
        self, caller: Principal, path: str, *, after: str, limit: int
    ) -> tuple[VolumePath, list[Entry]]:
        """Up to `limit` entries of a directory, by name, from the name following `after`."""
        with _refusals(path):
            directory = self._locate(caller, READ, path)
            return volume_path(path), disk.entries(directory, after=after, limit=limit)

    def _locate(self, caller: Principal, privilege: str, path: str) -> Path:
        wanted = volume_path(path)
        volume = self._unity_catalog.volume(wanted.volume)
        self._unity_catalog.require(caller, privilege, "volume", volume.full_name)
        return disk.inside(volume.directory, wanted.relative)


@contextmanager
def _refusals(path: str) -> Generator[None]:
    """Say what the file system says in the words of the API."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound(f"There is no {path}.") from None
    except FileExistsError:
        raise AlreadyExists(f"{path} exists already; overwrite it or choose another name.") from None
    except IsADirectoryError:
        raise BadRequest(f"{path} is a directory, not a file.") from None
    except NotADirectoryError:
        raise BadRequest(f"{path} is a file, or leads through one, where a directory is needed.") from None
    except disk.OutsideRoot as error:
        raise InvalidParameterValue(f"{path!r} is not a valid path: {error}") from error
    except disk.NoRoom as error:
        raise InsufficientStorage(f"{path} was not written, and nothing is left of it. {error}") from error
