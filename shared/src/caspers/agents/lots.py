"""Lots: what falls to whom by chance, yet the same for ever, in Python and in SQL alike.

A lot is eight hexadecimal digits of a digest of its purpose and its subject, so the lots of two purposes have nothing
to do with each other. A larger share holds all that a smaller one does.
"""

from hashlib import sha256
from typing import LiteralString

#: The lot of a subject as Spark SQL; :purpose is bound, {subject} is a column.
LOT_SQL: LiteralString = "left(sha2(concat(:purpose, '/', {subject}), 256), 8)"

_DIGITS = 8
_LOTS = 16**_DIGITS
#: Sorts behind every lot.
_BEHIND_ALL = "g"


def lot(purpose: str, subject: str) -> str:
    """The lot that the subject draws for a purpose."""
    return sha256(f"{purpose}/{subject}".encode()).hexdigest()[:_DIGITS]


def fraction(purpose: str, subject: str) -> float:
    """The same lot as a number from 0 to below 1, evenly spread."""
    return int(lot(purpose, subject), 16) / _LOTS


def lots_below(share: float) -> str:
    """The bound of a share of all subjects: it holds those whose lot sorts before."""
    bound = round(share * _LOTS)
    return f"{bound:0{_DIGITS}x}" if bound < _LOTS else _BEHIND_ALL
