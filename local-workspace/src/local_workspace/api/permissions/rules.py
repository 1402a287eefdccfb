"""Access control lists of workspace objects: who may use, run or manage an app, a warehouse, a Lakebase project.

Admins and an object's owner may do everything. The lists are enforced for the object types whose family says who owns its
objects (`enforce`) and asks `require`: apps, database-projects, pipelines and serving-endpoints. Those of directories, jobs and warehouses are
kept and answered, and have no effect here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from local_workspace.api.permissions.rows import Entry, PermissionRows
from local_workspace.errors import InvalidParameterValue, PermissionDenied
from local_workspace.identity import Principal

LEVELS = {
    "apps": ("CAN_USE", "CAN_MANAGE"),
    "database-projects": ("CAN_USE", "CAN_MANAGE"),
    "directories": ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"),
    "jobs": ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"),
    "pipelines": ("CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER"),
    "serving-endpoints": ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"),
    "warehouses": ("CAN_VIEW", "CAN_MONITOR", "CAN_USE", "CAN_MANAGE", "IS_OWNER"),
}
"""The levels of each object type, weakest first: each includes the ones before it."""

PRINCIPAL_KINDS = ("user_name", "group_name", "service_principal_name")
EVERYONE = "users"

OwnerOf = Callable[[str], str | None]
"""The name of an object's owner, None for what the workspace itself provides; raises the family's own error if there is no such object."""


@dataclass(frozen=True)
class AccessList:
    """An object's owner and what others were given."""

    object_type: str
    object_id: str
    owner: str | None
    entries: list[Entry]


class Permissions:
    """The lists of all objects."""

    def __init__(self, rows: PermissionRows) -> None:
        self._rows = rows
        self._owners: dict[str, OwnerOf] = {}

    def enforce(self, object_type: str, owner_of: OwnerOf) -> None:
        """Let a family say who owns its objects; from then on missing objects are noticed, too."""
        self._owners[object_type] = owner_of

    def may(self, caller: Principal, object_type: str, object_id: str, level: str) -> bool:
        """Whether the caller has this level, or a stronger one."""
        if caller.admin or caller.name == self._owner(object_type, object_id):
            return True
        order = LEVELS[object_type]
        groups = {caller.name, EVERYONE}
        held = [
            given for _kind, principal, given in self._rows.of(object_type, object_id) if principal in groups
        ]
        return any(order.index(given) >= order.index(level) for given in held)

    def require(self, caller: Principal, object_type: str, object_id: str, level: str) -> None:
        """Raise unless the caller has this level.

        Raises:
            PermissionDenied: names the level and the object.
        """
        if not self.may(caller, object_type, object_id, level):
            raise PermissionDenied(
                f"{caller.display_name} ({caller.name}) needs {level} on {object_type} {object_id}."
            )

    def read(self, object_type: str, object_id: str) -> AccessList:
        """The list of one object."""
        known_levels(object_type)
        return AccessList(
            object_type, object_id, self._owner(object_type, object_id), self._rows.of(object_type, object_id)
        )

    def change(
        self, caller: Principal, object_type: str, object_id: str, entries: list[Entry], *, replace: bool
    ) -> AccessList:
        """Add entries to a list, or put them in its place; only those who manage the object may."""
        levels = known_levels(object_type)
        unknown = [level for _kind, _principal, level in entries if level not in levels]
        if unknown:
            raise InvalidParameterValue(
                f"{unknown[0]!r} is no level of {object_type}; there are {', '.join(levels)}."
            )
        self.require(caller, object_type, object_id, "CAN_MANAGE")
        if replace:
            self._rows.clear(object_type, object_id)
        self._rows.put(object_type, object_id, entries)
        return self.read(object_type, object_id)

    def share(
        self, caller: Principal, object_type: str, object_id: str, principal: Principal, level: str
    ) -> None:
        """Add one entry, as attaching a resource to an app does; where lists are enforced, only managers may."""
        if object_type in self._owners:
            self.require(caller, object_type, object_id, "CAN_MANAGE")
        kind = "user_name" if principal.is_user else "service_principal_name"
        self._rows.put(object_type, object_id, [(kind, principal.name, level)])

    def take(self, object_type: str, object_id: str, principal: str) -> None:
        """Remove a principal from a list."""
        self._rows.forget_principal(object_type, object_id, principal)

    def forget(self, object_type: str, object_id: str) -> None:
        """Drop the list of an object that is no more."""
        self._rows.clear(object_type, object_id)

    def _owner(self, object_type: str, object_id: str) -> str | None:
        owner_of = self._owners.get(object_type)
        return owner_of(object_id) if owner_of else None


def known_levels(object_type: str) -> tuple[str, ...]:
    """The levels of an object type, weakest first.

    Raises:
        InvalidParameterValue: objects of this type have no permissions here.
    """
    try:
        return LEVELS[object_type]
    except KeyError:
        raise InvalidParameterValue(
            f"{object_type!r} is no object type with permissions here; there are {', '.join(LEVELS)}."
        ) from None
