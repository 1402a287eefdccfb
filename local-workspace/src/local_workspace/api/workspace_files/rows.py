"""What the disk does not say about workspace files: their ids, and which of them are notebooks."""

from dataclasses import dataclass

from local_workspace import ids
from local_workspace.state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS workspace_objects (
    path TEXT PRIMARY KEY,              -- without the /Workspace prefix
    object_id INTEGER NOT NULL UNIQUE,
    language TEXT                       -- of a notebook; NULL for files and directories
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Row:
    """The id of an object and, for a notebook, its language."""

    object_id: int
    language: str | None


class Rows:
    """Reads and writes by path."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.define(SCHEMA)

    def find(self, path: str) -> Row | None:
        """The row of an object, if it has one."""
        row = self._state.one("SELECT * FROM workspace_objects WHERE path = :path", path=path)
        return Row(row["object_id"], row["language"]) if row else None

    def path_of(self, object_id: int) -> str | None:
        """The path of the object with this id."""
        row = self._state.one("SELECT path FROM workspace_objects WHERE object_id = :id", id=object_id)
        return row["path"] if row else None

    def ensure(self, path: str) -> Row:
        """The row of an object on disk, made when it has none yet."""
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO workspace_objects VALUES (?, ?, NULL)", (path, ids.new_number())
            )
            row = connection.execute("SELECT * FROM workspace_objects WHERE path = ?", (path,)).fetchone()
            return Row(row["object_id"], row["language"])

    def set_language(self, path: str, language: str | None) -> None:
        """Say what an object is from now on; it keeps its id."""
        with self._state.transaction() as connection:
            self.ensure(path)
            connection.execute("UPDATE workspace_objects SET language = ? WHERE path = ?", (language, path))

    def delete(self, path: str) -> list[int]:
        """Forget an object and all that is under it; their ids."""
        bounds = (path, f"{path}/", f"{path}0")  # "0" is the character after "/"
        with self._state.transaction() as connection:
            gone = connection.execute(
                "DELETE FROM workspace_objects WHERE path = ? OR (path > ? AND path < ?) RETURNING object_id",
                bounds,
            ).fetchall()
            return [row["object_id"] for row in gone]
