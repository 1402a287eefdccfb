"""Who was given which level on which object."""

from local_workspace.state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS object_permissions (
    object_type TEXT NOT NULL,      -- as in the path: apps, database-projects, …
    object_id TEXT NOT NULL,
    principal_kind TEXT NOT NULL,   -- user_name, group_name or service_principal_name
    principal TEXT NOT NULL,
    level TEXT NOT NULL,
    PRIMARY KEY (object_type, object_id, principal)
);
"""

Entry = tuple[str, str, str]
"""Principal's kind, principal, level."""


class PermissionRows:
    """The table of object permissions."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.define(SCHEMA)

    def of(self, object_type: str, object_id: str) -> list[Entry]:
        rows = self._state.all(
            "SELECT principal_kind, principal, level FROM object_permissions"
            " WHERE object_type = :object_type AND object_id = :object_id ORDER BY principal",
            object_type=object_type,
            object_id=object_id,
        )
        return [(row["principal_kind"], row["principal"], row["level"]) for row in rows]

    def put(self, object_type: str, object_id: str, entries: list[Entry], *, replace: bool) -> None:
        with self._state.transaction() as connection:
            if replace:
                self.clear(object_type, object_id)
            connection.executemany(
                "INSERT OR REPLACE INTO object_permissions VALUES (?, ?, ?, ?, ?)",
                [(object_type, object_id, *entry) for entry in entries],
            )

    def clear(self, object_type: str, object_id: str) -> None:
        with self._state.transaction() as connection:
            connection.execute(
                "DELETE FROM object_permissions WHERE object_type = ? AND object_id = ?",
                (object_type, object_id),
            )

    def forget_principal(self, object_type: str, object_id: str, principal: str) -> None:
        with self._state.transaction() as connection:
            connection.execute(
                "DELETE FROM object_permissions WHERE object_type = ? AND object_id = ? AND principal = ?",
                (object_type, object_id, principal),
            )

    def forget_principal_everywhere(self, principal: str) -> None:
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM object_permissions WHERE principal = ?", (principal,))
