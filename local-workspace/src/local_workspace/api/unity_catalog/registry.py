"""What every kind of securable has in common: it is found, placed, added, changed and dropped in the same way."""

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

from local_workspace import ids
from local_workspace.api.unity_catalog.grants import Grants
from local_workspace.api.unity_catalog.names import parent_of, valid_full_name
from local_workspace.api.unity_catalog.privileges import MANAGE
from local_workspace.api.unity_catalog.rows import Rows
from local_workspace.api.unity_catalog.securables import Catalog, Metastore, Schema, Securable, Table, Volume
from local_workspace.clock import Clock, milliseconds
from local_workspace.engines import disk
from local_workspace.errors import BadRequest, NotFound, ResourceAlreadyExists
from local_workspace.identity import Identities, Principal
from local_workspace.state import State

S = TypeVar("S", bound=Securable)


class Registry:
    """Securables of all kinds, with their grants and their places on disk."""

    def __init__(self, state: State, identities: Identities, clock: Clock, storage: disk.Storage) -> None:
        self._state = state
        self._clock = clock
        self._rows = Rows(state)
        self.storage = storage
        self.grants = Grants(self._rows, identities)
        storage.clean()

    def ensure_metastore(self, owner: Principal) -> Metastore:
        """The one metastore, made on first use."""
        known = self._rows.inside(Metastore, "")
        return (
            known[0] if known else self.add(Metastore(**self.new_fields(owner, ids.new_uuid(), None, None)))
        )

    def find(self, kind: type[S], full_name: str) -> S | None:
        """The securable of that name, if there is one."""
        return self._rows.find(kind, full_name.lower())

    def inside(self, kind: type[S], parent: str) -> list[S]:
        """All of a kind directly inside `parent`, by name; catalogs are inside the empty name."""
        return self._rows.inside(kind, parent)

    def existing(self, kind: type[S], full_name: str) -> S:
        """Raises NotFound when there is none of that name."""
        found = self._rows.find(kind, full_name.lower())
        if found is None:
            raise NotFound(
                f"{kind.kind.capitalize()} '{full_name.lower()}' does not exist.",
                error_code=f"{kind.kind.upper()}_DOES_NOT_EXIST",
            )
        return found

    def placed(self, caller: Principal, privilege: str, full_name: str, kind: type[Securable]) -> str:
        """The valid name of a new securable, whose parent exists and lets the caller create it there."""
        full_name = valid_full_name(full_name, kind.kind)
        parent_kind = Catalog if kind is Schema else Schema
        parent = self.existing(parent_kind, parent_of(full_name))
        self.grants.require(caller, privilege, parent_kind.kind, parent.full_name)
        return full_name

    def new_fields(
        self, caller: Principal, full_name: str, comment: str | None, properties: dict[str, str] | None
    ) -> dict[str, Any]:
        """The fields that every new securable has."""
        now = milliseconds(self._clock.now())
        return {
            "full_name": full_name,
            "owner": caller.name,
            "comment": comment,
            "properties": properties or {},
            "created_at": now,
            "created_by": caller.name,
            "updated_at": now,
            "updated_by": caller.name,
        }

    def add(self, securable: S) -> S:
        """Raises ResourceAlreadyExists when the name is taken."""
        with self._state.transaction():
            self.refuse_taken(type(securable), securable.full_name)
            self._rows.save(securable)
        return securable

    def refuse_taken(self, kind: type[Securable], full_name: str) -> None:
        """Raises ResourceAlreadyExists when there is one of that name."""
        if self._rows.owner(kind.kind, full_name) is not None:
            raise ResourceAlreadyExists(
                f"{kind.kind.capitalize()} '{full_name}' already exists.",
                details=[_error_info(f"{kind.kind.upper()}_ALREADY_EXISTS")],
            )

    def rename(self, caller: Principal, securable: S, full_name: str) -> S:
        """Give it another name; its grants go along."""
        with self._state.transaction():
            self.refuse_taken(type(securable), full_name)
            renamed = dataclasses.replace(securable, full_name=full_name)
            self._rows.rename(securable.full_name, renamed)
            return self.save(caller, renamed)

    def save(self, caller: Principal, securable: S, **changes: Any) -> S:
        """The securable with changes, and with who changed it when."""
        now = milliseconds(self._clock.now())
        changed = dataclasses.replace(securable, **changes, updated_at=now, updated_by=caller.name)
        self._rows.save(changed)
        return changed

    def drop(
        self,
        caller: Principal,
        kind: type[Securable],
        full_name: str,
        *,
        cascade: bool = False,
        if_exists: bool = False,
    ) -> None:
        """Remove a securable with its files; one that holds others only with `cascade`.

        Raises:
            NotFound: it does not exist, unless `if_exists`.
            BadRequest: it is not empty.
        """
        with self._state.transaction():
            if if_exists and self._rows.owner(kind.kind, full_name.lower()) is None:
                return
            securable = self.existing(kind, full_name)
            self.grants.require(caller, MANAGE, kind.kind, securable.full_name)
            inside = self._rows.children(securable.full_name)
            if inside and not cascade:
                raise BadRequest(
                    f"{kind.kind.capitalize()} '{securable.full_name}' is not empty: it holds {inside} objects."
                    " Drop them first, or drop it with force (in SQL: CASCADE).",
                    error_code=f"{kind.kind.upper()}_NOT_EMPTY",
                )
            buried = self.bury(securable)
            self._rows.delete(kind.kind, securable.full_name)
        disk.delete(buried)

    def bury(self, securable: Securable) -> Path | None:
        """Take the files of a securable out of their place, to be deleted once its row is gone."""
        match securable:
            case Catalog() | Schema():
                files = self.storage.root.joinpath(*securable.full_name.split("."))
            case Volume(directory=directory):
                files = directory
            case Table(location=Path() as location) if (
                self.owns(location) and securable.table_type != "EXTERNAL"
            ):
                files = location
            case _:
                return None
        return self.storage.discard(files)

    def owns(self, location: Path) -> bool:
        """Whether a directory lies in the workspace's own storage."""
        return self.storage.root in location.parents


def _error_info(reason: str) -> dict[str, Any]:
    """The detail that names an error more closely than its code."""
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "unity-catalog.databricks.com",
    }
