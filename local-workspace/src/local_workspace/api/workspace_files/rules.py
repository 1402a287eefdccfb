"""The workspace's own files: folders, files and notebooks under /Shared and /Users.

An object is a file on disk below the storage root; a path may come with the prefix /Workspace and is answered without
it. Admins may do everything; other principals have /Shared, their own home, /Users/NAME, and what they were given.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from local_workspace.api.permissions.rules import Permissions
from local_workspace.api.workspace_files.access import SHARED, USERS, Access
from local_workspace.api.workspace_files.formats import Imported, imported
from local_workspace.api.workspace_files.rows import Rows
from local_workspace.engines import disk
from local_workspace.engines.disk import Entry, Storage
from local_workspace.errors import (
    ApiError,
    BadRequest,
    InvalidParameterValue,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from local_workspace.identity import LOCAL_USER, Principal

MAX_IMPORT_BYTES = 10 * 1024 * 1024
PERMANENT = {"/", SHARED, USERS}


@dataclass(frozen=True)
class WorkspaceObject:
    """A folder, file or notebook; `language` is None unless it is a notebook. Times are Unix milliseconds."""

    path: str
    object_id: int
    is_directory: bool
    language: str | None
    size: int
    modified_at: int


class WorkspaceFiles:
    """Makes, reads, lists and deletes workspace objects for a caller."""

    def __init__(self, rows: Rows, storage: Storage, permissions: Permissions) -> None:
        self._rows = rows
        self._storage = storage
        self._access = Access(rows, permissions, self._type_of)
        storage.clean()
        for folder in (SHARED, f"{USERS}/{LOCAL_USER}"):
            self._on_disk(folder).mkdir(parents=True, exist_ok=True)

    def local_path(self, path: str) -> Path:
        """Where an object is on disk, for the engines of this workspace, which read it without a caller.

        Raises:
            ResourceDoesNotExist: there is no such object.
        """
        path = normal(path)
        with _refusals(path):
            found = self._on_disk(path)
            disk.entry(found)
            return found

    def make_directory(self, caller: Principal, path: str) -> None:
        """Make a folder and those above it; one that exists is fine."""
        path = self._allowed(caller, path, self._level_to_write(path))
        with _refusals(path):
            disk.make_directory(self._on_disk(path))

    def write(
        self,
        caller: Principal,
        path: str,
        content: bytes,
        file_format: str,
        language: str | None,
        *,
        overwrite: bool,
    ) -> None:
        """Import a file or notebook into a folder that exists.

        Raises:
            ResourceAlreadyExists: there is something already, and it is not to be overwritten or is a folder.
            ResourceDoesNotExist: the folder is missing.
        """
        path = self._allowed(caller, path, self._level_to_write(path))
        if len(content) > MAX_IMPORT_BYTES:
            raise BadRequest(
                f"{path} has {len(content)} bytes; an import may have {MAX_IMPORT_BYTES}. Put large files in a volume.",
                error_code="MAX_NOTEBOOK_SIZE_EXCEEDED",
            )
        item = imported(path, content, file_format, language)
        with _refusals(item.path):
            self._store(item, overwrite=overwrite)

    def read(self, caller: Principal, path: str) -> bytes:
        """The content of a file or the source of a notebook."""
        path = self._allowed(caller, path, "CAN_READ")
        with _refusals(path):
            return self._on_disk(path).read_bytes()

    def status(self, caller: Principal, path: str) -> WorkspaceObject:
        """Raises ResourceDoesNotExist when there is no such object."""
        path = self._visible(caller, path)
        with _refusals(path):
            return self._described(path, disk.entry(self._on_disk(path)))

    def entries(self, caller: Principal, path: str) -> list[WorkspaceObject]:
        """What a folder holds, by name; a file is listed as itself."""
        path = self._visible(caller, path)
        with _refusals(path):
            target = self._on_disk(path)
            found = disk.entry(target)
            if not found.is_directory:
                return [self._described(path, found)]
            named = [(str(PurePosixPath(path) / item.name), item) for item in disk.entries(target)]
            return [self._described(name, item) for name, item in named if self._may_see(caller, name)]

    def delete(self, caller: Principal, path: str, *, recursive: bool) -> None:
        """Delete an object; a folder that is not empty needs `recursive`."""
        path = self._allowed(caller, path, "CAN_MANAGE")
        if path in PERMANENT:
            raise BadRequest(f"{path} is part of every workspace and stays.")
        with _refusals(path):
            target = self._on_disk(path)
            if disk.entry(target).is_directory and disk.entries(target, limit=1) and not recursive:
                raise BadRequest(
                    f"The folder {path} is not empty; delete it with recursive=true.",
                    error_code="DIRECTORY_NOT_EMPTY",
                )
            discarded = self._storage.discard(target)
            self._access.forget(self._rows.delete(path))
            disk.delete(discarded)

    def _store(self, item: Imported, *, overwrite: bool) -> None:
        target = self._on_disk(item.path)
        if not target.parent.is_dir():
            parent = PurePosixPath(item.path).parent
            raise ResourceDoesNotExist(f"The parent folder {parent} does not exist; make it with mkdirs.")
        if target.is_dir():
            raise IsADirectoryError
        with self._storage.new_file(target, overwrite=overwrite) as file:
            file.write(item.content)
        self._rows.set_language(item.path, item.language)

    def _described(self, path: str, entry: Entry) -> WorkspaceObject:
        row = self._rows.ensure(path)
        return WorkspaceObject(
            path, row.object_id, entry.is_directory, row.language, entry.size, entry.modified_ms
        )

    def _on_disk(self, path: str) -> Path:
        return disk.inside(self._storage.root, path)

    def _type_of(self, path: str) -> str:
        with _refusals(path):
            if disk.entry(self._on_disk(path)).is_directory:
                return "directories"
        return "notebooks" if self._rows.ensure(path).language else "files"

    def _level_to_write(self, path: str) -> str:
        """What is needed to change what is there, or to put something there."""
        with _refusals(path):
            return "CAN_EDIT" if self._on_disk(normal(path)).exists() else "CAN_MANAGE"

    def _allowed(self, caller: Principal, path: str, level: str) -> str:
        """The normal form of a path at which the caller has this level."""
        path = normal(path)
        self._access.require(caller, path, level)
        return path

    def _may_see(self, caller: Principal, path: str) -> bool:
        return path in PERMANENT or self._access.may(caller, path, "CAN_READ")

    def _visible(self, caller: Principal, path: str) -> str:
        path = normal(path)
        return path if self._may_see(caller, path) else self._allowed(caller, path, "CAN_READ")


def normal(path: str) -> str:
    """A path without the prefix /Workspace and superfluous slashes.

    Raises:
        InvalidParameterValue: it does not begin with a slash.
    """
    if not path.startswith("/"):
        raise InvalidParameterValue(f"Path ({path}) doesn't start with '/'.")
    parts = [part for part in path.split("/") if part]
    return "/" + "/".join(parts[1:] if parts[:1] == ["Workspace"] else parts)


@contextmanager
def _refusals(path: str) -> Generator[None]:
    """Say what the file system says in the words of the API."""
    try:
        yield
    except FileNotFoundError:
        raise ResourceDoesNotExist(f"Path ({path}) doesn't exist.") from None
    except FileExistsError:
        raise ResourceAlreadyExists(
            f"Path ({path}) already exists; overwrite it or choose another name."
        ) from None
    except IsADirectoryError:
        raise ResourceAlreadyExists(f"Path ({path}) is a folder; a file cannot take its place.") from None
    except NotADirectoryError:
        raise ResourceAlreadyExists(f"Path ({path}) is a file, or leads through one.") from None
    except disk.OutsideRoot as error:
        raise InvalidParameterValue(f"Path ({path!r}) is not valid: {error}") from error
    except disk.NoRoom as error:
        raise ApiError(f"Path ({path}) was not written. {error}") from error
