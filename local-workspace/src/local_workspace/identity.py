"""Who calls: users, service principals, and the tokens that prove it.

Tokens are kept as SHA-256 digests. Personal tokens do not expire; OAuth tokens do, after an hour, as on the
platform. The local user is the workspace's admin; service principals have only what they were granted.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from local_workspace import ids
from local_workspace.clock import Clock
from local_workspace.config import TOKEN_LIFE
from local_workspace.errors import Unauthenticated
from local_workspace.state import State

LOCAL_USER = "me@localhost.test"

SCHEMA = """
CREATE TABLE IF NOT EXISTS principals (
    name TEXT PRIMARY KEY,          -- user name, or a service principal's application id
    id INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'service_principal')),
    display_name TEXT NOT NULL,
    admin INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS client_secrets (
    client_id TEXT NOT NULL REFERENCES principals(name) ON DELETE CASCADE,
    digest TEXT PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS tokens (
    digest TEXT PRIMARY KEY,
    principal TEXT NOT NULL REFERENCES principals(name) ON DELETE CASCADE,
    expires_at REAL                 -- Unix seconds; NULL for a personal token
);
"""


@dataclass(frozen=True)
class Principal:
    """A user or a service principal.

    Attributes:
        name: what grants name: a user's e-mail, or a service principal's application id.
        id: the numeric id.
        admin: may do everything, as a workspace and metastore admin.
    """

    name: str
    id: int
    kind: str
    display_name: str
    admin: bool

    @property
    def is_user(self) -> bool:
        """True for a person, False for a service principal."""
        return self.kind == "user"


class Identities:
    """Principals, their secrets and tokens."""

    def __init__(self, state: State, clock: Clock, token_life: timedelta = TOKEN_LIFE) -> None:
        self.token_life = token_life
        self._state = state
        self._clock = clock
        state.define(SCHEMA)

    def ensure_local_user(self) -> Principal:
        """The person at this machine, made on first use."""
        return self.find(LOCAL_USER) or self._create(LOCAL_USER, "user", "Local user", admin=True)

    def create_service_principal(self, display_name: str) -> tuple[Principal, str]:
        """A new service principal and its OAuth secret, which is shown only here."""
        with self._state.transaction():
            principal = self._create(ids.new_uuid(), "service_principal", display_name, admin=False)
            return principal, self.add_secret(principal.name)

    def add_secret(self, client_id: str) -> str:
        """A further OAuth secret for a service principal."""
        secret = ids.new_secret("dose")
        with self._state.transaction() as connection:
            connection.execute("INSERT INTO client_secrets VALUES (?, ?)", (client_id, _digest(secret)))
        return secret

    def delete(self, name: str) -> None:
        """Remove a principal with its secrets and tokens."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM principals WHERE name = ?", (name,))

    def find(self, name: str) -> Principal | None:
        """The principal of that name, if there is one."""
        row = self._state.one("SELECT * FROM principals WHERE name = :name", name=name)
        return (
            Principal(row["name"], row["id"], row["kind"], row["display_name"], bool(row["admin"]))
            if row
            else None
        )

    def issue_personal_token(self, principal: Principal) -> str:
        """A token that does not expire."""
        return self._issue(principal, "dapi", None)

    def exchange(self, client_id: str, client_secret: str) -> str:
        """An OAuth token for client credentials.

        Raises:
            Unauthenticated: the pair is not known.
        """
        known = self._state.one(
            "SELECT 1 FROM client_secrets WHERE client_id = :client_id AND digest = :digest",
            client_id=client_id,
            digest=_digest(client_secret),
        )
        principal = self.find(client_id)
        if known is None or principal is None:
            raise Unauthenticated(
                "The client id or its secret is not known here.", error_code="invalid_client"
            )
        return self._issue(principal, "doat", self.token_life)

    def authenticate(self, token: str) -> Principal:
        """Who a token belongs to.

        Raises:
            Unauthenticated: the token is unknown or has expired.
        """
        row = self._state.one(
            "SELECT principal, expires_at FROM tokens WHERE digest = :digest", digest=_digest(token)
        )
        expired = (
            row is not None
            and row["expires_at"] is not None
            and row["expires_at"] < self._clock.now().timestamp()
        )
        principal = self.find(row["principal"]) if row and not expired else None
        if principal is None:
            raise Unauthenticated("The access token is unknown or has expired; get a new one.")
        return principal

    def _create(self, name: str, kind: str, display_name: str, *, admin: bool) -> Principal:
        principal = Principal(name, ids.new_number(), kind, display_name, admin)
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO principals VALUES (?, ?, ?, ?, ?)",
                (name, principal.id, kind, display_name, admin),
            )
        return principal

    def _issue(self, principal: Principal, prefix: str, life: timedelta | None) -> str:
        token = ids.new_secret(prefix)
        now = self._clock.now()
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM tokens WHERE expires_at < ?", (now.timestamp(),))
            connection.execute(
                "INSERT INTO tokens VALUES (?, ?, ?)",
                (_digest(token), principal.name, (now + life).timestamp() if life else None),
            )
        return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


async def _caller(connection: HTTPConnection) -> Principal:
    identities: Identities = connection.app.state.identities
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send a token: Authorization: Bearer TOKEN.")
    return identities.authenticate(token)


Caller = Annotated[Principal, Depends(_caller)]
"""The principal of a request; asking for it in a route's signature makes the route need a valid token."""

__all__ = ["LOCAL_USER", "Caller", "Identities", "Principal"]
