"""The numbers that a text cites, for telling whether they come from the facts.

Pure. A number is a run of digits with at most one decimal point, thousands marked or not, whatever stands around it
($12.5 and 12.50 minutes are the same); digits that belong to a word (P75, A-7) or an ordinal (99th) are names.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

#: Longest text whose numbers are looked for, in characters.
LONGEST_TEXT = 5_000

_NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])\d+(?:\.\d+)?")
_NAMING = re.compile(r"(?:st|nd|rd|th)\b", re.IGNORECASE)
_PERCENT = re.compile(r"\s*(?:%|percent\b)", re.IGNORECASE)


def strangers(text: str, known: Iterable[Decimal], percents: Iterable[Decimal] = ()) -> list[str]:
    """The numbers in a text that are not known, as they stand there; `percents` may stand before a percent sign."""
    known, percents = set(known), set(percents)
    return [
        found.group()
        for found in _NUMBER.finditer(text[:LONGEST_TEXT])
        if not _NAMING.match(text, found.end())
        and _value(found.group()) not in (known | percents if _PERCENT.match(text, found.end()) else known)
    ]


def numbers_in(values: Any) -> set[Decimal]:
    """Every number in JSON values, those inside texts included."""
    match values:
        case bool() | None:
            return set()
        case int() | float() | Decimal():
            return {Decimal(str(values))}
        case str():
            return {_value(found.group()) for found in _NUMBER.finditer(values[:LONGEST_TEXT])}
        case dict():
            return numbers_in(list(values.values()))
        case _:
            return {number for value in values for number in numbers_in(value)}


def _value(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))
