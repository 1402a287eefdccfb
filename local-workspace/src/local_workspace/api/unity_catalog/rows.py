"""Securables and grants in SQLite: each securable is one row, its fields as JSON beside what is searched by."""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from local_workspace.api.unity_catalog.names import parent_of
from local_workspace.api.unity_catalog.securables import (
    Catalog,
    Function,
    Metastore,
    Schema,
    Securable,
    Table,
    Volume,
)
from local_workspace.errors import InvalidParameterValue
from local_workspace.state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS securables (
    kind TEXT NOT NULL,
    full_name TEXT NOT NULL,
    parent TEXT NOT NULL,       -- full name of the catalog or schema it is in; empty for the rest
    body TEXT NOT NULL,         -- JSON of the dataclass in securables.py
    PRIMARY KEY (kind, full_name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS securables_by_parent ON securables (kind, parent, full_name);
CREATE TABLE IF NOT EXISTS grants (
    kind TEXT NOT NULL,
    full_name TEXT NOT NULL,
    principal TEXT NOT NULL,
    privilege TEXT NOT NULL,
    PRIMARY KEY (kind, full_name, principal, privilege),
    FOREIGN KEY (kind, full_name) REFERENCES securables ON DELETE CASCADE ON UPDATE CASCADE
) WITHOUT ROWID;
"""

S = TypeVar("S", bound=Securable)
_ADAPTERS: dict[type[Securable], TypeAdapter[Securable]] = {
    cls: TypeAdapter(cls) for cls in (Metastore, Catalog, Schema, Volume, Table, Function)
}


class Rows:
    """Reads and writes; knows no rules."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.define(SCHEMA)

    def find(self, kind: type[S], full_name: str) -> S | None:
        """The securable of that name."""
        row = self._state.one(
            "SELECT body FROM securables WHERE kind = :kind AND full_name = :full_name",
            kind=kind.kind,
            full_name=full_name,
        )
        return _load(kind, row["body"]) if row else None

    def inside(self, kind: type[S], parent: str) -> list[S]:
        """All securables of a kind directly inside `parent`, by name."""
        rows = self._state.all(
            "SELECT body FROM securables WHERE kind = :kind AND parent = :parent ORDER BY full_name",
            kind=kind.kind,
            parent=parent,
        )
        return [_load(kind, row["body"]) for row in rows]

    def children(self, parent: str) -> int:
        """How many securables of any kind are directly inside `parent`."""
        row = self._state.one("SELECT count(*) AS n FROM securables WHERE parent = :parent", parent=parent)
        return row["n"] if row else 0

    def owner(self, kind: str, full_name: str) -> str | None:
        """Who owns it; None when it does not exist."""
        row = self._state.one(
            "SELECT body ->> '$.owner' AS owner FROM securables WHERE kind = :kind AND full_name = :full_name",
            kind=kind,
            full_name=full_name,
        )
        return row["owner"] if row else None

    def save(self, securable: Securable) -> None:
        """Add it, or write it over the one of that name; its grants stay.

        Raises:
            InvalidParameterValue: a field has a value of the wrong type, which could not be read back.
        """
        body = _written(securable)
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO securables VALUES (?, ?, ?, ?)"
                " ON CONFLICT (kind, full_name) DO UPDATE SET body = excluded.body",
                (securable.kind, securable.full_name, parent_of(securable.full_name), body),
            )

    def rename(self, old_name: str, securable: Securable) -> None:
        """Move a row and its grants to the securable's new name."""
        with self._state.transaction() as connection:
            connection.execute(
                "UPDATE securables SET full_name = ?, parent = ? WHERE kind = ? AND full_name = ?",
                (securable.full_name, parent_of(securable.full_name), securable.kind, old_name),
            )
            self.save(securable)

    def delete(self, kind: str, full_name: str) -> None:
        """Remove a row, everything inside it and their grants."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM securables WHERE kind = ? AND full_name = ?", (kind, full_name))
            if kind in {"catalog", "schema"}:
                inside = (f"{full_name}.", f"{full_name}/")  # "/" is the character after "."
                connection.execute("DELETE FROM securables WHERE full_name > ? AND full_name < ?", inside)

    def change_grants(
        self, securable: tuple[str, str], principal: str, *, add: Iterable[str], remove: Iterable[str]
    ) -> None:
        """Give and take privileges on (kind, full name)."""
        with self._state.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO grants VALUES (?, ?, ?, ?)",
                [(*securable, principal, privilege) for privilege in add],
            )
            connection.executemany(
                "DELETE FROM grants WHERE kind = ? AND full_name = ? AND principal = ? AND privilege = ?",
                [(*securable, principal, privilege) for privilege in remove],
            )

    def grants(self, kind: str, full_name: str) -> dict[str, list[str]]:
        """Privileges by principal, directly on this securable."""
        rows = self._state.all(
            "SELECT principal, privilege FROM grants WHERE kind = :kind AND full_name = :full_name"
            " ORDER BY principal, privilege",
            kind=kind,
            full_name=full_name,
        )
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(row["principal"], []).append(row["privilege"])
        return found


def _written(securable: Securable) -> str:
    adapter = _ADAPTERS[type(securable)]
    body = adapter.dump_json(securable, warnings=False)
    try:
        adapter.validate_json(body)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise InvalidParameterValue(
            f"{securable.kind.capitalize()} '{securable.full_name}': {faults}"
        ) from error
    return body.decode()


def _load(kind: type[S], body: str) -> S:
    loaded = _ADAPTERS[kind].validate_json(body)
    assert isinstance(loaded, kind)
    return loaded
