"""`/api/2.0/permissions`: read, add to and replace access control lists."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from local_workspace.api.permissions.rows import Entry
from local_workspace.api.permissions.rules import PRINCIPAL_KINDS, AccessList, Permissions, known_levels
from local_workspace.errors import InvalidParameterValue
from local_workspace.identity import Caller


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
    api = APIRouter(prefix="/api/2.0/permissions/{object_type}/{object_id}")

    @api.get("")
    async def read(object_type: str, object_id: str, _caller: Caller) -> dict[str, Any]:
        return _answer(permissions.read(object_type, object_id))

    @api.patch("")
    async def add(
        object_type: str, object_id: str, body: AccessControlChange, caller: Caller
    ) -> dict[str, Any]:
        return _answer(permissions.change(caller, object_type, object_id, body.entries(), replace=False))

    @api.put("")
    async def replace(
        object_type: str, object_id: str, body: AccessControlChange, caller: Caller
    ) -> dict[str, Any]:
        return _answer(permissions.change(caller, object_type, object_id, body.entries(), replace=True))

    @api.get("/permissionLevels")
    async def levels(object_type: str, object_id: str, _caller: Caller) -> dict[str, Any]:
        described = [
            {"permission_level": level, "description": f"{level} on {object_type} {object_id}"}
            for level in known_levels(object_type)
        ]
        return {"permission_levels": described}

    return api


def _answer(found: AccessList) -> dict[str, Any]:
    lines = [
        {kind: principal, "all_permissions": [{"permission_level": level, "inherited": False}]}
        for kind, principal, level in found.entries
    ]
    if found.owner is not None:
        kind = "user_name" if "@" in found.owner else "service_principal_name"
        owner_level = known_levels(found.object_type)[-1]
        lines.append(
            {kind: found.owner, "all_permissions": [{"permission_level": owner_level, "inherited": False}]}
        )
    return {
        "object_id": f"/{found.object_type}/{found.object_id}",
        "object_type": found.object_type,
        "access_control_list": lines,
    }
