"""Names in a session: what a name of one, two or three parts means there."""

from dataclasses import dataclass

from local_workspace.api.sql.failures import SqlFailure
from local_workspace.api.sql.sessions import Session
from local_workspace.api.sql.syntax.lexer import quoted_name
from local_workspace.api.sql.syntax.reader import Name

PARTS = {"metastore": 0, "catalog": 1, "schema": 2, "table": 3, "volume": 3, "function": 3}


@dataclass(frozen=True)
class Place:
    """The catalog and schema that short names are completed with."""

    catalog: str | None
    schema: str

    @classmethod
    def of(cls, session: Session) -> "Place":
        """The session's current ones."""
        return cls(session.catalog, session.schema)

    def full(self, name: Name, kind: str = "table") -> str:
        """The full name, lower-cased as Unity Catalog keeps it.

        Raises:
            SqlFailure: a catalog is missing, because none has been chosen.
        """
        wanted = PARTS[kind]
        if len(name) > wanted:
            raise SqlFailure(
                "PARSE_SYNTAX_ERROR", f"{'.'.join(name)!r} has too many parts for the name of a {kind}."
            )
        missing = [self.catalog, self.schema][: wanted - len(name)] if wanted > 1 else []
        if None in missing:
            raise SqlFailure(
                "TABLE_OR_VIEW_NOT_FOUND" if kind == "table" else "OBJECT_NOT_FOUND",
                f"The {kind} {'.'.join(name)!r} cannot be found: no catalog is chosen."
                " Write its full name, or choose a catalog with USE CATALOG.",
            )
        return ".".join([*(part for part in missing if part), *name]).lower()


def quoted(full_name: str) -> str:
    """A full name, each part in backticks."""
    return ".".join(quoted_name(part) for part in full_name.split("."))
