"""Regular expressions from strangers: RE2's, whose time is linear in the text, whatever the pattern (Python's own can take for ever).

Letters match in either case. RE2 knows no look-around and no back references.
"""

from functools import lru_cache
from typing import Any

import pyarrow as pa
from pyarrow import compute

PATTERNS_KEPT = 1024
ANSWERS_KEPT = 4096
"""Arrow compiles a pattern anew for every call; the turns of one chat ask the same of the same text."""

_RE2: Any = compute
"""Its functions are made when it is imported; no type checker knows them."""


class BadPattern(ValueError):
    """The pattern is none; the message says why."""


@lru_cache(PATTERNS_KEPT)
def check(pattern: str, *, groups: bool = False) -> None:
    """Raise BadPattern unless this is a regular expression, and has a group where one is wanted."""
    try:
        matches(pattern, "")
        if groups:
            _replace("", pattern)
    except pa.ArrowInvalid as error:
        raise BadPattern(f"{pattern!r} is no regular expression of RE2 here: {error}") from None


@lru_cache(ANSWERS_KEPT)
def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text."""
    return bool(_RE2.match_substring_regex(pa.scalar(text), pattern, ignore_case=True).as_py())


@lru_cache(ANSWERS_KEPT)
def first_group(pattern: str, text: str) -> str | None:
    """The first group of the first place where the pattern is found; None when it is not."""
    return _replace(text, pattern) if matches(pattern, text) else None


def _replace(text: str, pattern: str) -> str:
    # The whole text becomes the group: RE2 finds groups by name only, and the authors of patterns need not name them.
    whole = rf"(?i)^[\s\S]*?(?:{pattern})[\s\S]*$"
    return _RE2.replace_substring_regex(pa.scalar(text), whole, r"\1").as_py()
