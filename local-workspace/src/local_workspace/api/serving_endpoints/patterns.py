"""Regular expressions from strangers: RE2's, whose time is linear in the text, whatever the pattern (Python's own can take for ever).

Letters match in either case. RE2 knows no look-around and no back references.
"""

from functools import lru_cache
from typing import Any

import re2

PATTERNS_KEPT = 1024


class BadPattern(ValueError):
    """The pattern is none; the message says why."""


def check(pattern: str, *, groups: bool = False) -> None:
    """Raise BadPattern unless this is a regular expression, and has a group where one is wanted."""
    compiled = _compiled(pattern)
    if groups and compiled.groups == 0:
        raise BadPattern(f"{pattern!r} has no group (…) for what it is to find")


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text."""
    return _compiled(pattern).search(text) is not None


def first_group(pattern: str, text: str) -> str | None:
    """The first group of the first place where the pattern is found; None when it is not."""
    found = _compiled(pattern).search(text)
    return None if found is None else found.group(1)


@lru_cache(PATTERNS_KEPT)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise BadPattern(f"{pattern!r} is no regular expression of RE2: {error}") from None
