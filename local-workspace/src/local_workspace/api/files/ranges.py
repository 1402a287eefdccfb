"""HTTP byte ranges, as RFC 9110 has them; one range only, which is all that clients of the Files API send."""

import re

SINGLE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class UnsatisfiableRange(Exception):
    """The range begins past the end of the file."""


def byte_range(header: str | None, size: int) -> range | None:
    """The bytes that a Range header asks for of a file of `size` bytes; None when it asks for the whole.

    Raises:
        UnsatisfiableRange: none of its bytes exist.
    """
    found = SINGLE_RANGE.fullmatch((header or "").strip())
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if start >= size or stop <= start:
        raise UnsatisfiableRange
    return range(start, stop)
