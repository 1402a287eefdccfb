"""Access control lists of workspace objects: who may use, run or manage an app, a warehouse, a folder, a Lakebase project.

Admins and an object's owner may do everything. Each family says who owns its objects (`enforce`), asks before it acts
(`require`), and drops the list of an object that it deletes (`forget`). What is above an object may give levels on it, too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from local_workspace.api.permissions.object_kinds import OWNER, kind_of
from local_workspace.api.permissions.rows import Entry, PermissionRows
from local_workspace.errors import (
    InvalidParameterValue,
    NotImplementedHere,
    PermissionDenied,
    ResourceDoesNotExist,
)
from local_workspace.identity import Identities, Principal

PRINCIPAL_KINDS = ("user_name", "group_name", "service_principal_name")
EVERYONE = "users"
ADMINS = "admins"

OwnerOf = Callable[[str], str | None]
"""The name of an object's owner, None for what the workspace itself provides; raises the family's own error if there is no such object."""


@dataclass(frozen=True)
class Inherited:
    """An entry that an object has from another, which is named as in answers."""

    entry: Entry
    source: str


@dataclass(frozen=True)
class Family:
    """What a family of objects says about one of them."""

    owner_of: OwnerOf
    inherited: Callable[[str], list[Inherited]]


@dataclass(frozen=True)
class AccessList:
    """An object's owner, what others were given on it, and on what it is in."""

    object_type: str
    object_id: str
    owner: str | None
    entries: list[Entry]
    inherited: list[Inherited] = field(default_factory=list)


class Permissions:
    """The lists of all objects."""

    def __init__(self, rows: PermissionRows, identities: Identities) -> None:
        self._rows = rows
        self._identities = identities
        self._families: dict[str, Family] = {}

    def enforce(
        self,
        object_type: str,
        owner_of: OwnerOf,
        inherited: Callable[[str], list[Inherited]] = lambda _object_id: [],
    ) -> None:
        """Let a family say who owns its objects, and what they inherit."""
        self._families[object_type] = Family(owner_of, inherited)

    def may(self, caller: Principal, object_type: str, object_id: str, level: str) -> bool:
        """Whether the caller has this level, or a stronger one."""
        family = self._families[object_type]
        if caller.name == family.owner_of(object_id) or caller.admin:
            return True
        given = self.direct(object_type, object_id) + [it.entry for it in family.inherited(object_id)]
        return enough(caller, object_type, given, level)

    def require(self, caller: Principal, object_type: str, object_id: str, level: str) -> None:
        """Raise unless the caller has this level.

        Raises:
            PermissionDenied: names the level and the object.
        """
        if not self.may(caller, object_type, object_id, level):
            raise PermissionDenied(
                f"{caller.display_name} ({caller.name}) needs {level} on {object_type} {object_id}."
            )

    def direct(self, object_type: str, object_id: str) -> list[Entry]:
        """What was given on the object itself."""
        return self._rows.of(object_type, object_id)

    def read(self, caller: Principal, object_type: str, object_id: str) -> AccessList:
        """The list of one object, for those who have any level on it."""
        self._existing(caller, object_type, object_id, kind_of(object_type).levels[0])
        return self._list(object_type, object_id)

    def change(
        self, caller: Principal, object_type: str, object_id: str, entries: list[Entry], *, replace: bool
    ) -> AccessList:
        """Add entries to a list, or put them in its place; only those who manage the object may.

        Raises:
            InvalidParameterValue: a level is none of this type.
            ResourceDoesNotExist: there is no such principal.
        """
        levels = kind_of(object_type).levels
        unknown = [level for _kind, _principal, level in entries if level not in levels]
        if unknown:
            raise InvalidParameterValue(
                f"{unknown[0]!r} is no level of {object_type}; there are {', '.join(levels)}."
            )
        owner = self._existing(caller, object_type, object_id, "CAN_MANAGE")
        for entry in entries:
            self._refuse_unknown(entry)
        self._rows.put(object_type, object_id, _without_owner(entries, owner), replace=replace)
        return self._list(object_type, object_id)

    def share(
        self, caller: Principal, object_type: str, object_id: str, principal: Principal, level: str
    ) -> None:
        """Add one entry, as attaching a resource to an app does: only managers may give more than everyone has anyway."""
        owner_of = self._families[object_type].owner_of
        owner_of(object_id)
        everyones = [entry for entry in self.direct(object_type, object_id) if entry[1] == EVERYONE]
        if not enough(principal, object_type, everyones, level):
            self.require(caller, object_type, object_id, "CAN_MANAGE")
        kind = "user_name" if principal.is_user else "service_principal_name"
        self._rows.put(object_type, object_id, [(kind, principal.name, level)], replace=False)

    def take(self, object_type: str, object_id: str, principal: str) -> None:
        """Remove a principal from a list."""
        self._rows.forget_principal(object_type, object_id, principal)

    def forget(self, object_type: str, object_id: str) -> None:
        """Drop the list of an object that is no more."""
        self._rows.clear(object_type, object_id)

    def forget_principal(self, principal: str) -> None:
        """Remove a principal that is no more from all lists."""
        self._rows.forget_principal_everywhere(principal)

    def display_name(self, principal: str) -> str | None:
        """What people call a principal; None for a group."""
        found = self._identities.find(principal)
        return found.display_name if found else None

    def _list(self, object_type: str, object_id: str) -> AccessList:
        family = self._families[object_type]
        direct = self.direct(object_type, object_id)
        return AccessList(
            object_type, object_id, family.owner_of(object_id), direct, family.inherited(object_id)
        )

    def _existing(self, caller: Principal, object_type: str, object_id: str, level: str) -> str | None:
        """The owner of an object on which the caller has this level."""
        owner = self._families[object_type].owner_of(object_id)
        self.require(caller, object_type, object_id, level)
        return owner

    def _refuse_unknown(self, entry: Entry) -> None:
        kind, name, _level = entry
        known = name in {EVERYONE, ADMINS} if kind == "group_name" else self._is(kind, name)
        if not known:
            raise ResourceDoesNotExist(f"Principal {name} ({kind}) does not exist.")

    def _is(self, kind: str, name: str) -> bool:
        found = self._identities.find(name)
        return found is not None and found.is_user == (kind == "user_name")


def enough(caller: Principal, object_type: str, given: Iterable[Entry], level: str) -> bool:
    """Whether one of these entries gives the caller a level, or a stronger one."""
    kind = kind_of(object_type)
    mine = {caller.name, EVERYONE} | ({ADMINS} if caller.admin else set())
    return any(principal in mine and kind.includes(held, level) for _kind, principal, held in given)


def _without_owner(entries: list[Entry], owner: str | None) -> list[Entry]:
    """The entries but the owner's own, which needs none."""
    for _kind, principal, level in entries:
        if level == OWNER and principal != owner:
            raise NotImplementedHere(
                f"Owners do not change in the local workspace: {principal} cannot get {OWNER}."
            )
    return [entry for entry in entries if entry[2] != OWNER]
