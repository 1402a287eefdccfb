"""Paging by key: a page is asked for by the last row of the one before, so that row 1,000,000 costs what row 1 costs.

A cursor is opaque to clients. It carries the sort it belongs to, the last row's sort key and the row's id.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

from caspers.errors import Invalid

CURSOR_MAX_LENGTH = 600


class OddCursor(Invalid):
    """The cursor is none of ours, or belongs to another sort."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the cursor `after` {why}", what_now="Begin again without `after`.")


@dataclass(frozen=True)
class Place:
    """The row after which a page begins."""

    key: Any
    row_id: str


def cursor(sort: str, key: Any, row_id: str) -> str:
    """The cursor of the page that begins after this row; `key` is what JSON can carry, or a moment."""
    return base64.urlsafe_b64encode(orjson.dumps([sort, key, row_id])).decode().rstrip("=")


def place(sort: str, given: str, key_type: type) -> Place:
    """Where a cursor of ours points to. Raises `OddCursor`."""
    if len(given) > CURSOR_MAX_LENGTH:
        raise OddCursor("is too long to be one of ours")
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    except (ValueError, binascii.Error) as error:
        raise OddCursor("cannot be read") from error
    match parts:
        case [str(of), key, str(row_id)] if "\0" not in row_id:
            pass
        case _:
            raise OddCursor("is none of ours")
    if of != sort:
        raise OddCursor(f"belongs to the sort {of[:20]}, not to {sort}")
    try:
        return Place(_typed(key, key_type), row_id)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise OddCursor("is none of ours") from error


def _typed(key: Any, key_type: type) -> Any:
    if isinstance(key, bool) or not isinstance(key, str | int | float):
        raise TypeError(key)
    from_text = getattr(key_type, "fromisoformat", None)
    return from_text(key) if from_text else key_type(key)
