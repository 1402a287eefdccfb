"""Who may do what: three roles, each with all that the one before it may.

Whoever deployed the admin owns the demo. Others are what the table says, and who is not in it may look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import LiteralString

from caspers.clock import Clock
from caspers.errors import Conflict, NotFound, Refused
from caspers.web.identity import Identity

from admin.control_tables import ControlTables
from admin.shapes import Role, RoleGrant

ROLES: tuple[Role, ...] = ("viewer", "operator", "owner")
"""Each may what those before it may."""

NEEDED: Mapping[str, Role] = {
    "run.start": "operator",
    "run.repair": "operator",
    "run.cancel": "operator",
    "run.stop": "operator",
    "run.teardown": "owner",
    "worker.pause": "operator",
    "worker.resume": "operator",
    "worker.parameters": "operator",
    "worker.tick": "operator",
    "replay.pause": "operator",
    "replay.resume": "operator",
    "replay.speed": "operator",
    "replay.seek": "operator",
    "replay.step": "operator",
    "replay.run_until": "operator",
    "replay.tick": "operator",
    "role.grant": "owner",
    "role.revoke": "owner",
}
"""Everything that changes something, and the role that it takes."""

REMEMBERED_S = 1.0
"""Seconds for which this process trusts what it read of the roles; its own changes count at once."""

READ: LiteralString = (
    "SELECT principal, role, granted_by, granted_at FROM control.roles ORDER BY principal LIMIT 1000"
)
GRANT: LiteralString = """
INSERT INTO control.roles (principal, role, granted_by, granted_at) VALUES (:principal, :role, :by, :at)
ON CONFLICT (principal) DO UPDATE
   SET role = excluded.role, granted_by = excluded.granted_by, granted_at = excluded.granted_at
"""
REVOKE: LiteralString = "DELETE FROM control.roles WHERE principal = :principal"


class MayNot(Refused):
    """The caller's role is too small for this."""


@dataclass(frozen=True)
class Actor:
    """Somebody who asks, in their role."""

    who: str
    role: Role

    def may(self, action: str) -> bool:
        """Whether the role is enough."""
        return ROLES.index(self.role) >= ROLES.index(NEEDED[action])

    @property
    def allowed(self) -> tuple[str, ...]:
        """All that the role may do."""
        return tuple(action for action in NEEDED if self.may(action))


class Roles:
    """The table of roles. Safe between threads."""

    def __init__(self, tables: ControlTables, owner: str, clock: Clock) -> None:
        self._tables = tables
        self._owner = owner.casefold()
        self._clock = clock
        self._lock = Lock()
        self._read: tuple[RoleGrant, ...] = ()
        self._read_at_s: float | None = None

    def actor(self, identity: Identity) -> Actor:
        """Whom these headers name, in their role: that of any of their names, the greatest."""
        names = {name.casefold() for name in _names_of(identity)}
        if self._owner and self._owner in names:
            return Actor(identity.label, "owner")
        held = {grant.role for grant in self.grants() if grant.principal.casefold() in names}
        for role in reversed(ROLES):
            if role in held:
                return Actor(identity.label, role)
        return Actor(identity.label, "viewer")

    def grants(self) -> tuple[RoleGrant, ...]:
        """Everybody with a role of their own; whoever deployed the admin has theirs without being listed."""
        with self._lock:
            now_s = self._clock.monotonic()
            if self._read_at_s is None or now_s - self._read_at_s >= REMEMBERED_S:
                rows = self._tables.read(lambda reader: reader.rows(READ), without=[])
                self._read = tuple(RoleGrant(*row) for row in rows)
                self._read_at_s = now_s
            return self._read

    def grant(self, principal: str, role: Role, *, by: str) -> RoleGrant:
        """Give somebody a role instead of the one they had. Raises `Conflict` before there is a control database."""
        self._refuse_owner(principal)
        given = RoleGrant(principal, role, by, self._clock.now())
        written = self._tables.write(
            lambda writer: writer.execute(GRANT, principal=principal, role=role, by=by, at=given.granted_at),
            without=None,
        )
        if written is None:
            raise Conflict(
                "roles are kept in the control database, which does not exist yet",
                what_now="Run the stage Canonical_Data first.",
            )
        self._read_at_s = None
        return given

    def revoke(self, principal: str) -> None:
        """Make somebody a viewer again. Raises `NotFound` for who has no role of their own."""
        self._refuse_owner(principal)
        gone = self._tables.write(lambda writer: writer.execute(REVOKE, principal=principal), without=0)
        self._read_at_s = None
        if not gone:
            raise NotFound(f"{principal} has no role of their own", what_now="GET /api/v1/roles lists them.")

    def _refuse_owner(self, principal: str) -> None:
        if principal.casefold() == self._owner:
            raise Conflict(
                f"{principal} deployed this admin and stays its owner",
                what_now="Whoever deploys it anew owns it then.",
            )


def _names_of(identity: Identity) -> set[str]:
    """What a principal may be called in the table; the platform adds the workspace to a user's id (`42@123`).

    A person's display name is theirs to choose, so it names nobody; a service principal has no e-mail.
    """
    plain_id = identity.user_id.partition("@")[0]
    return {identity.user_id, plain_id, identity.email or identity.name} - {""}
