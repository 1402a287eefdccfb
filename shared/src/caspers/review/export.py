"""Rows as CSV or JSON Lines, a piece at a time: an export of any length takes the memory of one piece.

In CSV a text that begins with =, +, -, @, a tab or a line end would be run as a formula by spreadsheets; it gets an
apostrophe in front, which they take for "this is text". Numbers stay as they are. JSON Lines are never altered.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any, Literal
from uuid import UUID

Format = Literal["csv", "jsonl"]

MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")

Record = Mapping[str, Any]


def exported(form: Format, columns: Sequence[str], pieces: Iterable[Sequence[Record]]) -> Iterator[bytes]:
    """The bytes of an export, one part for each piece; `columns` are the columns of CSV, in order."""
    return _csv(columns, pieces) if form == "csv" else _json_lines(pieces)


def _csv(columns: Sequence[str], pieces: Iterable[Sequence[Record]]) -> Iterator[bytes]:
    yield _csv_rows([columns])
    for piece in pieces:
        yield _csv_rows([_cell(record.get(column)) for column in columns] for record in piece)


def _csv_rows(rows: Iterable[Iterable[Any]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, default=plain, ensure_ascii=False)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return "" if value is None else value if isinstance(value, int | float | Decimal) else plain(value)


def _json_lines(pieces: Iterable[Sequence[Record]]) -> Iterator[bytes]:
    for piece in pieces:
        lines = [json.dumps(dict(record), default=plain, ensure_ascii=False) + "\n" for record in piece]
        yield "".join(lines).encode()


def plain(value: Any) -> str | float:
    """What JSON and CSV say for a value that they have no word for: ISO 8601, money as a number."""
    match value:
        case Decimal():
            return float(value)
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be exported")
