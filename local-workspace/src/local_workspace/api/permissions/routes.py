"""`/api/2.0/permissions`: read, add to and replace access control lists."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from local_workspace.api.permissions.object_kinds import DESCRIPTIONS, OWNER, kind_of
from local_workspace.api.permissions.rows import Entry
from local_workspace.api.permissions.rules import ADMINS, PRINCIPAL_KINDS, AccessList, Permissions
from local_workspace.errors import InvalidParameterValue
from local_workspace.identity import Caller
from local_workspace.wire import without_empty

PREFIXES = (
    "/api/2.0/permissions/{object_type}/{object_id}",
    "/api/2.0/permissions/sql/{object_type}/{object_id}",
)
"""The second is how older clients ask about warehouses."""

Answer = dict[str, Any]


class AccessControlRequest(BaseModel):
    """One line of a list, as the client sends it."""

    user_name: str | None = None
    group_name: str | None = None
    service_principal_name: str | None = None
    permission_level: str

    def entry(self) -> Entry:
        """The principal and its level."""
        for kind in PRINCIPAL_KINDS:
            name = getattr(self, kind)
            if name:
                return kind, name, self.permission_level
        raise InvalidParameterValue("An access control entry names a user, a group or a service principal.")


class AccessControlChange(BaseModel):
    """The body of PUT and PATCH."""

    access_control_list: list[AccessControlRequest] = []

    def entries(self) -> list[Entry]:
        """The lines of the list."""
        return [line.entry() for line in self.access_control_list]


def router(permissions: Permissions) -> APIRouter:
    """The routes of object permissions."""
    api = APIRouter()
    for prefix in PREFIXES:
        api.include_router(_routes(permissions), prefix=prefix)
    return api


def _routes(permissions: Permissions) -> APIRouter:
    api = APIRouter()

    @api.get("")
    def read(object_type: str, object_id: str, caller: Caller) -> Answer:
        return _answer(permissions, permissions.read(caller, object_type, object_id))

    @api.patch("")
    def add(object_type: str, object_id: str, body: AccessControlChange, caller: Caller) -> Answer:
        changed = permissions.change(caller, object_type, object_id, body.entries(), replace=False)
        return _answer(permissions, changed)

    @api.put("")
    def replace(object_type: str, object_id: str, body: AccessControlChange, caller: Caller) -> Answer:
        changed = permissions.change(caller, object_type, object_id, body.entries(), replace=True)
        return _answer(permissions, changed)

    @api.get("/permissionLevels")
    def levels(object_type: str, object_id: str, caller: Caller) -> Answer:
        permissions.read(caller, object_type, object_id)
        described = [
            {"permission_level": level, "description": DESCRIPTIONS[level]}
            for level in kind_of(object_type).levels
        ]
        return {"permission_levels": described}

    return api


def _answer(permissions: Permissions, found: AccessList) -> Answer:
    kind = kind_of(found.object_type)
    levels: dict[tuple[str, str], list[Answer]] = {}
    for who, principal, level in found.entries:
        levels.setdefault((who, principal), []).append({"permission_level": level, "inherited": False})
    if found.owner is not None:
        who = "user_name" if "@" in found.owner else "service_principal_name"
        own = OWNER if OWNER in kind.levels else "CAN_MANAGE"
        levels[who, found.owner] = [{"permission_level": own, "inherited": False}]
    everywhere = _inherited("CAN_MANAGE", kind.prefix)
    levels.setdefault(("group_name", ADMINS), []).append(everywhere)
    for it in found.inherited:
        who, principal, level = it.entry
        levels.setdefault((who, principal), []).append(_inherited(level, it.source))
    lines = [
        without_empty({who: name, "display_name": permissions.display_name(name), "all_permissions": held})
        for (who, name), held in levels.items()
    ]
    return {
        "object_id": kind.prefix + found.object_id,
        "object_type": kind.name,
        "access_control_list": lines,
    }


def _inherited(level: str, source: str) -> Answer:
    return {"permission_level": level, "inherited": True, "inherited_from_object": [source]}
