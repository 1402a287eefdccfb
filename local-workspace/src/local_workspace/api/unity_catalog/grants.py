"""Who may do what: grants on securables, inherited downwards, checked against the caller.

An admin may do everything. An owner has every privilege on what they own and on all that is inside it. (The platform
lets the owner of a catalog or schema only manage what others made inside it, until they grant themselves more.)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from local_workspace.api.unity_catalog.privileges import (
    ALL_PRIVILEGES,
    EVERYONE,
    GRANTABLE,
    MANAGE,
    OWN,
    lineage,
    needed,
    normal,
    satisfied,
    spoken,
)
from local_workspace.api.unity_catalog.rows import Rows
from local_workspace.errors import InvalidParameterValue, NotFound, PermissionDenied
from local_workspace.identity import Identities, Principal


@dataclass(frozen=True)
class EffectivePrivilege:
    """A privilege that a principal has on a securable, and the (kind, full name) on which it was granted."""

    principal: str
    privilege: str
    granted_on: tuple[str, str]


@dataclass(frozen=True)
class GrantChange:
    """Privileges that a principal is to get and to lose."""

    principal: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class Grants:
    """Gives, takes and checks privileges."""

    def __init__(self, rows: Rows, identities: Identities) -> None:
        self._rows = rows
        self._identities = identities

    def require(self, caller: Principal, privilege: str, kind: str, full_name: str) -> None:
        """Check that the caller has a privilege, and USE on all that holds the securable.

        Raises:
            PermissionDenied: says which privilege is missing, on what.
        """
        if caller.admin:
            return
        for wanted, on_kind, on_name in needed(normal(privilege), kind, full_name):
            if not self._has(caller, wanted, on_kind, on_name):
                what = f"{on_kind.capitalize()} '{on_name}'"
                raise PermissionDenied(
                    f"User does not have {spoken(wanted)} on {what}."
                    f" Ask its owner to grant {spoken(wanted)} on it to `{caller.name}`."
                )

    def visible(self, caller: Principal, kind: str, full_name: str) -> bool:
        """True when the caller owns the securable or has any privilege that concerns it."""
        return caller.admin or any(
            self._has(caller, privilege, kind, full_name) for privilege in OWN[kind] - {ALL_PRIVILEGES}
        )

    def change(self, caller: Principal, securable: tuple[str, str], change: GrantChange) -> None:
        """Grant and revoke privileges on (kind, full name).

        Raises:
            PermissionDenied: the caller neither owns it nor has MANAGE on it.
            NotFound: there is no such principal.
            InvalidParameterValue: a privilege cannot be granted on this kind, or is both given and taken.
        """
        kind, full_name = securable
        if not self._has(caller, MANAGE, kind, full_name):
            raise PermissionDenied(
                f"User is not an owner of {kind.capitalize()} '{full_name}' and does not have MANAGE on it."
            )
        given, taken = self._grantable(kind, change.add), self._grantable(kind, change.remove)
        if given & taken:
            raise InvalidParameterValue(
                f"{', '.join(sorted(given & taken))} cannot be granted and revoked at once."
            )
        if given and change.principal != EVERYONE and self._identities.find(change.principal) is None:
            raise NotFound(
                f"Could not find principal with name {change.principal}.",
                error_code="PRINCIPAL_DOES_NOT_EXIST",
            )
        self._rows.change_grants(securable, change.principal, add=given, remove=taken)

    def direct(self, kind: str, full_name: str) -> dict[str, list[str]]:
        """Privileges by principal, granted on this securable itself."""
        return self._rows.grants(kind, full_name)

    def effective(self, kind: str, full_name: str) -> list[EffectivePrivilege]:
        """All privileges on a securable, inherited ones with where they come from."""
        return [
            EffectivePrivilege(principal, privilege, (on_kind, on_name))
            for on_kind, on_name in lineage(kind, full_name)
            for principal, privileges in self._rows.grants(on_kind, on_name).items()
            for privilege in privileges
        ]

    def _has(self, caller: Principal, privilege: str, kind: str, full_name: str) -> bool:
        """Has it by role, ownership, or a grant here or above."""
        return caller.admin or any(
            self._rows.owner(on_kind, on_name) == caller.name
            or satisfied(privilege, self._held(caller, on_kind, on_name))
            for on_kind, on_name in lineage(kind, full_name)
        )

    def _held(self, caller: Principal, kind: str, full_name: str) -> list[str]:
        granted = self._rows.grants(kind, full_name)
        return granted.get(caller.name, []) + granted.get(EVERYONE, [])

    @staticmethod
    def _grantable(kind: str, privileges: Iterable[str]) -> set[str]:
        named = {normal(privilege) for privilege in privileges}
        wrong = named - GRANTABLE[kind]
        if wrong:
            raise InvalidParameterValue(
                f"{', '.join(map(spoken, sorted(wrong)))} cannot be granted on a {kind};"
                f" possible: {', '.join(map(spoken, sorted(GRANTABLE[kind])))}."
            )
        return named
