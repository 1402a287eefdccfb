"""Statement parameters as SQL literals: each value is checked against its type, then written so that it stays a value.

No I/O.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from local_workspace.api.sql.failures import SqlFailure, unsupported

WHOLE = {
    "TINYINT": 8,
    "BYTE": 8,
    "SMALLINT": 16,
    "SHORT": 16,
    "INT": 32,
    "INTEGER": 32,
    "BIGINT": 64,
    "LONG": 64,
}
"""Whole-number types and their bits."""

SQL_NAMES = {
    "BYTE": "TINYINT",
    "SHORT": "SMALLINT",
    "INTEGER": "INT",
    "LONG": "BIGINT",
    "DATETIME": "TIMESTAMP",
}
DECIMAL = re.compile(r"(?:DECIMAL|DEC|NUMERIC)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
MAX_PRECISION = 38


@dataclass(frozen=True)
class Parameter:
    """A value for `:name`, or for the `?` at a position counted from 1.

    Attributes:
        value: the value as text; None for NULL.
        type: the SQL type.
    """

    name: str | None
    ordinal: int
    value: str | None
    type: str


class Bindings:
    """The literals of a statement's parameters."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._named = {parameter.name.lower(): parameter for parameter in parameters if parameter.name}
        self._ordinal = {parameter.ordinal: parameter for parameter in parameters if not parameter.name}

    def named(self, name: str) -> str:
        """The literal of `:name`.

        Raises:
            SqlFailure: no value was given for it, or the value does not fit its type.
        """
        return _bound(self._named.get(name.lower()), f":{name}")

    def ordinal(self, position: int) -> str:
        """The literal of the `?` at a position, counted from 1."""
        return _bound(self._ordinal.get(position), f"? number {position}")


def _bound(parameter: Parameter | None, marker: str) -> str:
    if parameter is None:
        raise SqlFailure(
            "UNBOUND_SQL_PARAMETER", f"The statement has the marker {marker}, but no value was given for it."
        )
    return literal(parameter.value, parameter.type)


def literal(value: str | None, type_text: str) -> str:
    """A value of a type as SQL.

    Raises:
        SqlFailure: the text is no value of that type, or parameters of that type are not supported.
    """
    type_name = SQL_NAMES.get(type_text.strip().upper(), type_text.strip().upper())
    decimal = DECIMAL.fullmatch(type_name)
    if value is None:
        return "NULL" if type_name in {"STRING", "VOID"} else f"CAST(NULL AS {_known(type_name)})"
    try:
        return _decimal(value, decimal) if decimal else _simple(value, type_name)
    except (ValueError, InvalidOperation) as error:
        raise SqlFailure(
            "INVALID_PARAMETER_VALUE", f"{value[:60]!r} is not a value of type {type_name}."
        ) from error


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _simple(value: str, type_name: str) -> str:
    text = value.strip()
    match _known(type_name):
        case "STRING" | "VOID":
            written = quoted(value)
        case "BOOLEAN":
            written = {"true": "TRUE", "false": "FALSE"}.get(text.lower()) or _refuse(value)
        case "DOUBLE" | "FLOAT" as wanted:
            written = f"CAST({quoted(str(float(text)))} AS {wanted})"
        case "DATE":
            written = f"DATE'{date.fromisoformat(text).isoformat()}'"
        case "TIMESTAMP" | "TIMESTAMP_NTZ" as wanted:
            datetime.fromisoformat(text)
            written = f"CAST({quoted(text)} AS {wanted})"
        case "BINARY":
            written = f"X'{bytes.fromhex(text).hex()}'"
        case whole:
            written = _whole(int(text), whole)
    return written


def _whole(number: int, type_name: str) -> str:
    limit = 2 ** (WHOLE[type_name] - 1)
    if not -limit <= number < limit:
        _refuse(str(number))
    return str(number) if type_name == "INT" and number >= 0 else f"CAST({number} AS {type_name})"


def _decimal(value: str, decimal: re.Match[str]) -> str:
    number = Decimal(value)
    if not number.is_finite():
        _refuse(value)
    _, digits, exponent = number.as_tuple()
    scale = int(decimal[2] or 0) if decimal[1] else max(0, -int(exponent))
    precision = int(decimal[1]) if decimal[1] else min(MAX_PRECISION, max(len(digits), scale + 1))
    return f"CAST('{number:f}' AS DECIMAL({precision},{scale}))"


def _known(type_name: str) -> str:
    known = {
        "STRING",
        "VOID",
        "BOOLEAN",
        "DOUBLE",
        "FLOAT",
        "DATE",
        "TIMESTAMP",
        "TIMESTAMP_NTZ",
        "BINARY",
        *WHOLE,
    }
    if type_name not in known and not DECIMAL.fullmatch(type_name):
        raise unsupported(f"parameters of type {type_name}")
    return type_name


def _refuse(value: str) -> str:
    raise ValueError(value)
