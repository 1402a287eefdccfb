"""Roles, databases and passwords inside a cluster: what Lakebase does through SQL, by the cluster's administrator.

A role has one password in Postgres, while Lakebase hands out any number of tokens. So all tokens of a role are the same one
until it is about to expire: it is derived from the cluster's key and the moment of expiry, and nothing needs to be kept.
Postgres itself refuses it afterwards; sessions outlive it.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from psycopg import Connection, errors
from psycopg.sql import SQL, Identifier, Literal

from local_workspace.engines.postgres import Cluster

SUPERUSER_GROUP = "databricks_superuser"
ROTATE_BEFORE_EXPIRY = timedelta(seconds=30)
"""A password is replaced this long before it expires, or for its last quarter where it lives very shortly."""

ROLE_EXISTS: LiteralString = "SELECT 1 FROM pg_roles WHERE rolname = %s"
ROLE_VALID_UNTIL: LiteralString = (
    "SELECT rolvaliduntil FROM pg_authid WHERE rolname = %s AND rolpassword IS NOT NULL"
)
DATABASES: LiteralString = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
OWNS_SOMETHING: LiteralString = """
SELECT 1 FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid
WHERE rolname = %s AND refclassid = 'pg_authid'::regclass AND deptype = 'o' LIMIT 1
"""
PREPARE_CLUSTER: tuple[LiteralString, ...] = (
    "CREATE ROLE databricks_superuser NOLOGIN",
    "GRANT pg_read_all_data, pg_write_all_data, pg_monitor, pg_signal_backend TO databricks_superuser",
)


class RoleOwnsObjects(Exception):
    """The role cannot be dropped before somebody else owns its objects."""


@dataclass(frozen=True)
class RoleAttributes:
    """What a role may do beyond what it is granted."""

    superuser_member: bool = False
    createdb: bool = False
    createrole: bool = False
    bypassrls: bool = False


@dataclass(frozen=True)
class Password:
    """A role's password and when Postgres will refuse it."""

    token: str
    expires_at: datetime


def prepare(connection: Connection) -> None:
    """Make a new cluster a Lakebase one: the group that project owners belong to."""
    for statement in PREPARE_CLUSTER:
        connection.execute(statement)


def role_exists(connection: Connection, role: str) -> bool:
    return connection.execute(ROLE_EXISTS, (role,)).fetchone() is not None


def ensure_role(connection: Connection, role: str, attributes: RoleAttributes) -> None:
    """Create the role, or give an existing one these attributes; it has no password until one is asked for."""
    verb = "ALTER" if role_exists(connection, role) else "CREATE"
    words: list[LiteralString] = [
        "LOGIN",
        "CREATEDB" if attributes.createdb else "NOCREATEDB",
        "CREATEROLE" if attributes.createrole else "NOCREATEROLE",
        "BYPASSRLS" if attributes.bypassrls else "NOBYPASSRLS",
    ]
    connection.execute(
        SQL("{} ROLE {} {}").format(SQL(verb), Identifier(role), SQL(" ").join(map(SQL, words)))
    )
    membership = (
        SQL("GRANT {} TO {} WITH ADMIN OPTION") if attributes.superuser_member else SQL("REVOKE {} FROM {}")
    )
    connection.execute(membership.format(Identifier(SUPERUSER_GROUP), Identifier(role)))


def drop_role(cluster: Cluster, role: str, *, reassign_owned_to: str | None) -> None:
    """Drop a role with its privileges in every database; what it owns goes to another role.

    Raises:
        RoleOwnsObjects: it owns something and nobody was named to take it.
    """
    with cluster.admin() as connection:
        if not role_exists(connection, role):
            return
        if reassign_owned_to is None and connection.execute(OWNS_SOMETHING, (role,)).fetchone():
            raise RoleOwnsObjects(f"Role {role!r} owns databases, schemas or tables.")
        databases = [name for (name,) in connection.execute(DATABASES).fetchall()]
    for database in databases:
        with cluster.admin(database) as connection:
            if reassign_owned_to is not None:
                names = Identifier(role), Identifier(reassign_owned_to)
                connection.execute(SQL("REASSIGN OWNED BY {} TO {}").format(*names))
            connection.execute(SQL("DROP OWNED BY {}").format(Identifier(role)))
    with cluster.admin() as connection:
        connection.execute(SQL("DROP ROLE {}").format(Identifier(role)))


def create_database(connection: Connection, database: str, owner: str) -> bool:
    """Create a database; False if there is one of that name."""
    try:
        connection.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(database), Identifier(owner)))
    except errors.DuplicateDatabase:
        return False
    connection.execute(
        SQL("GRANT ALL ON DATABASE {} TO {}").format(Identifier(database), Identifier(SUPERUSER_GROUP))
    )
    return True


def set_owner(connection: Connection, database: str, owner: str) -> None:
    connection.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(database), Identifier(owner)))


def drop_database(connection: Connection, database: str) -> None:
    """Drop a database, ending the sessions in it."""
    connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(database)))


def allow_connect_and_create(connection: Connection, database: str, role: str) -> None:
    """What attaching a database to an app grants: to connect, and to create schemas of its own."""
    connection.execute(
        SQL("GRANT CONNECT, CREATE ON DATABASE {} TO {}").format(Identifier(database), Identifier(role))
    )


def password(cluster: Cluster, role: str, now: datetime, life: timedelta) -> Password:
    """The role's current password; a new one when the last is about to expire."""
    with cluster.admin() as connection:
        row = connection.execute(ROLE_VALID_UNTIL, (role,)).fetchone()
        if row is not None and row[0] is not None and row[0] - now > min(ROTATE_BEFORE_EXPIRY, life / 4):
            return Password(_derive(cluster.key, role, row[0]), row[0])
        expires_at = (now + life).replace(microsecond=0)
        return set_password(connection, role, Password(_derive(cluster.key, role, expires_at), expires_at))


def set_password(connection: Connection, role: str, new: Password) -> Password:
    """Make this the role's password until it expires."""
    statement = SQL("ALTER ROLE {} PASSWORD {} VALID UNTIL {}")
    expiry = Literal(new.expires_at.isoformat())
    connection.execute(statement.format(Identifier(role), Literal(new.token), expiry))
    return new


def _derive(key: str, role: str, expires_at: datetime) -> str:
    message = f"{role}|{expires_at.astimezone(UTC).isoformat()}"
    return "lbt" + hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()
