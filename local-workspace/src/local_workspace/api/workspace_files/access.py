"""Who may do what with workspace files: what was given on an object or a folder above it, /Shared, and people's homes."""

from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath

from local_workspace.api.permissions.object_kinds import kind_of
from local_workspace.api.permissions.rows import Entry
from local_workspace.api.permissions.rules import EVERYONE, Inherited, Permissions, enough
from local_workspace.api.workspace_files.rows import Rows
from local_workspace.errors import PermissionDenied, ResourceDoesNotExist
from local_workspace.identity import Principal

SHARED = "/Shared"
USERS = "/Users"
OBJECT_TYPES = ("directories", "files", "notebooks")
SHARED_WITH_ALL: Entry = ("group_name", EVERYONE, "CAN_MANAGE")

TypeOf = Callable[[str], str]
"""Which of OBJECT_TYPES the object at a path is; raises if there is none."""


class Access:
    """Levels on workspace objects, by path. A folder's entries hold for all that is in it."""

    def __init__(self, rows: Rows, permissions: Permissions, type_of: TypeOf) -> None:
        self._rows = rows
        self._permissions = permissions
        self._type_of = type_of
        for object_type in OBJECT_TYPES:
            permissions.enforce(
                object_type, partial(self._owner, object_type), partial(self._inherited, object_type)
            )

    def may(self, caller: Principal, path: str, level: str) -> bool:
        """Whether the caller has this level at a path, at which there may be nothing yet."""
        if caller.admin or _owner_of_home(path) == caller.name or _is_under(path, SHARED):
            return True
        return enough(caller, "directories", self._given(path), level)

    def require(self, caller: Principal, path: str, level: str) -> None:
        """Raise unless the caller has this level.

        Raises:
            PermissionDenied: names the level and the path.
        """
        if not self.may(caller, path, level):
            home = f"{USERS}/{caller.name}"
            raise PermissionDenied(
                f"{caller.name} needs {level} on {path}; {SHARED} and {home} are open to it without."
            )

    def forget(self, object_ids: list[int]) -> None:
        """Drop the lists of objects that are no more."""
        for object_id in object_ids:
            for object_type in OBJECT_TYPES:
                self._permissions.forget(object_type, str(object_id))

    def _given(self, path: str) -> list[Entry]:
        """What was given on an object and the folders above it."""
        own = self._rows.find(path)
        types = OBJECT_TYPES if own else ()
        direct = [
            entry for kind in types if own for entry in self._permissions.direct(kind, str(own.object_id))
        ]
        return direct + [it.entry for it in self._from_above(path)]

    def _from_above(self, path: str) -> list[Inherited]:
        found: list[Inherited] = []
        for folder in map(str, PurePosixPath(path).parents):
            row = self._rows.find(folder)
            if row is not None:
                source = f"{kind_of('directories').prefix}{row.object_id}"
                given = self._permissions.direct("directories", str(row.object_id))
                found += [Inherited(entry, source) for entry in given]
        return found

    def _owner(self, object_type: str, object_id: str) -> str | None:
        return _owner_of_home(self._path(object_type, object_id))

    def _inherited(self, object_type: str, object_id: str) -> list[Inherited]:
        path = self._path(object_type, object_id)
        shared = self._rows.ensure(SHARED).object_id
        everyones = [Inherited(SHARED_WITH_ALL, f"{kind_of('directories').prefix}{shared}")]
        return self._from_above(path) + (everyones if _is_under(path, SHARED) else [])

    def _path(self, object_type: str, object_id: str) -> str:
        path = self._rows.path_of(int(object_id)) if object_id.isdecimal() else None
        if path is None or self._type_of(path) != object_type:
            raise ResourceDoesNotExist(f"{object_type} has no object {object_id}.")
        return path


def _is_under(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _owner_of_home(path: str) -> str | None:
    parts = path.split("/")
    return parts[2] if len(parts) > 2 and f"/{parts[1]}" == USERS else None
