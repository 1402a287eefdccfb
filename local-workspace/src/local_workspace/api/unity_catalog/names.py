"""Names of Unity Catalog: one to three parts, lower-cased, safe to use as directory names."""

import re

from local_workspace.errors import InvalidParameterValue

MAX_NAME_LENGTH = 255
FORBIDDEN = re.compile(r"[\s./\\\x00-\x1f\x7f]")
PARTS = {"catalog": 1, "schema": 2, "table": 3, "volume": 3, "function": 3}


def valid_name(name: object, kind: str) -> str:
    """A single name as Unity Catalog keeps it.

    Raises:
        InvalidParameterValue: it is empty, too long, or has a space, period, slash or control character.
    """
    if (
        not isinstance(name, str)
        or not name
        or len(name.encode()) > MAX_NAME_LENGTH
        or FORBIDDEN.search(name)
    ):
        raise InvalidParameterValue(
            f"{name!r} is not a valid {kind} name: give 1 to {MAX_NAME_LENGTH} characters"
            " without spaces, periods, slashes or control characters."
        )
    return name.lower()


def valid_full_name(full_name: str, kind: str) -> str:
    """A full name, `catalog.schema.name` for a table, as Unity Catalog keeps it.

    Raises:
        InvalidParameterValue: it has the wrong number of parts or one of them is not a valid name.
    """
    parts = full_name.split(".")
    if len(parts) != PARTS[kind]:
        expected = ".".join(("catalog", "schema", kind)[: PARTS[kind]])
        raise InvalidParameterValue(f"{full_name!r} is not the full name of a {kind}; give {expected}.")
    return ".".join(valid_name(part, kind) for part in parts)


def parent_of(full_name: str) -> str:
    """The full name of what holds `full_name`; empty for a catalog."""
    return full_name.rpartition(".")[0]


def like(name: str, pattern: str) -> bool:
    """SQL's LIKE, without regard to case."""
    expression = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, name, re.IGNORECASE) is not None
