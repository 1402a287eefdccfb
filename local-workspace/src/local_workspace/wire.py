"""Habits that all API families share on the wire: pages, update masks, long-running operations."""

import base64
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from local_workspace.errors import InvalidParameterValue

T = TypeVar("T")


def page(
    items: Sequence[T], *, size: int | None, token: str | None, default: int = 100
) -> tuple[Sequence[T], str | None]:
    """One page of `items` and the token of the next page (None on the last).

    Raises:
        InvalidParameterValue: the token was not made by this workspace.
    """
    start = _offset(token)
    stop = start + (size or default)
    return items[start:stop], _token(stop) if stop < len(items) else None


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"offset": offset}).encode()).decode()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["offset"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidParameterValue(f"page_token {token!r} was not made by this workspace.") from error


def without_empty(record: dict[str, Any]) -> dict[str, Any]:
    """`record` without the fields that are None: the platform leaves them out."""
    return {name: value for name, value in record.items() if value is not None}
