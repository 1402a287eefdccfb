"""How a result's columns are called on the wire and how their values read as JSON strings. No I/O."""

import base64
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa

SIMPLE: dict[pa.DataType, tuple[str, str]] = {
    pa.bool_(): ("BOOLEAN", "BOOLEAN"),
    pa.int8(): ("BYTE", "TINYINT"),
    pa.int16(): ("SHORT", "SMALLINT"),
    pa.int32(): ("INT", "INT"),
    pa.int64(): ("LONG", "BIGINT"),
    pa.float32(): ("FLOAT", "FLOAT"),
    pa.float64(): ("DOUBLE", "DOUBLE"),
    pa.string(): ("STRING", "STRING"),
    pa.large_string(): ("STRING", "STRING"),
    pa.string_view(): ("STRING", "STRING"),
    pa.binary(): ("BINARY", "BINARY"),
    pa.large_binary(): ("BINARY", "BINARY"),
    pa.binary_view(): ("BINARY", "BINARY"),
    pa.date32(): ("DATE", "DATE"),
    pa.null(): ("NULL", "VOID"),
}
"""Arrow type → (ColumnInfoTypeName, SQL type)."""

KINDS: list[tuple[Callable[[pa.DataType], bool], str]] = [
    (pa.types.is_decimal, "DECIMAL"),
    (pa.types.is_timestamp, "TIMESTAMP"),
    (pa.types.is_map, "MAP"),
    (pa.types.is_struct, "STRUCT"),
    (pa.types.is_list, "ARRAY"),
    (pa.types.is_large_list, "ARRAY"),
    (pa.types.is_duration, "INTERVAL"),
    (pa.types.is_interval, "INTERVAL"),
]
"""How types with parts are told, and their ColumnInfoTypeName."""


def columns(schema: pa.Schema) -> list[dict[str, Any]]:
    """The manifest's columns."""
    return [_column(position, field) for position, field in enumerate(schema)]


def sql_type(arrow: pa.DataType) -> str:
    """The SQL spelling of a type: DECIMAL(10,2), ARRAY<INT>, STRUCT<a: INT>."""
    return _named(arrow)[1]


def json_rows(batch: pa.RecordBatch) -> list[list[str | None]]:
    """The rows as the JSON_ARRAY format has them: every value a string, null as null."""
    spelled = [_spelled(column) for column in batch.columns]
    return (
        [list(row) for row in zip(*spelled, strict=True)] if spelled else [[] for _ in range(batch.num_rows)]
    )


def _column(position: int, field: pa.Field) -> dict[str, Any]:
    name, text = _named(field.type)
    described: dict[str, Any] = {
        "name": field.name,
        "type_text": text,
        "type_name": name,
        "position": position,
    }
    if pa.types.is_decimal(field.type):
        described |= {"type_precision": field.type.precision, "type_scale": field.type.scale}
    return described


def _named(arrow: pa.DataType) -> tuple[str, str]:
    if arrow in SIMPLE:
        return SIMPLE[arrow]
    kind = next((name for is_kind, name in KINDS if is_kind(arrow)), "USER_DEFINED_TYPE")
    match kind:
        case "DECIMAL":
            text = f"DECIMAL({arrow.precision},{arrow.scale})"
        case "TIMESTAMP":
            text = "TIMESTAMP" if arrow.tz else "TIMESTAMP_NTZ"
        case "MAP":
            text = f"MAP<{sql_type(arrow.key_type)}, {sql_type(arrow.item_type)}>"
        case "STRUCT":
            text = f"STRUCT<{', '.join(f'{field.name}: {sql_type(field.type)}' for field in arrow)}>"
        case "ARRAY":
            text = f"ARRAY<{sql_type(arrow.value_type)}>"
        case "INTERVAL":
            text = "INTERVAL DAY TO SECOND"
        case _:
            text = str(arrow).upper()
    return kind, text


def _spelled(column: pa.Array) -> Iterable[str | None]:
    if pa.types.is_string(column.type):
        return column.to_pylist()
    if pa.types.is_integer(column.type):
        return column.cast(pa.string()).to_pylist()
    spell = _speller(column.type)
    return [None if value is None else spell(value) for value in column.to_pylist(maps_as_pydicts="lossy")]


def _speller(arrow: pa.DataType) -> Callable[[Any], str]:
    if pa.types.is_nested(arrow):
        return lambda value: orjson.dumps(_plain(value), option=orjson.OPT_NON_STR_KEYS).decode()
    return lambda value: str(_plain(value))


def _plain(value: Any) -> Any:
    """A value as it stands in JSON text; inside arrays, maps and structs numbers stay numbers."""
    plain: Any = value
    match value:
        case bool():
            plain = "true" if value else "false"
        case float():
            plain = _float(value)
        case bytes():
            plain = base64.b64encode(value).decode()
        case datetime():
            plain = f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}{'Z' if value.tzinfo else ''}"
        case date() | Decimal():
            plain = str(value)
        case timedelta():
            plain = f"{value.days} {value - timedelta(days=value.days)}"
        case list():
            plain = [_plain(item) for item in value]
        case dict():
            plain = {str(_plain(key)): _plain(item) for key, item in value.items()}
        case _:
            pass
    return plain


def _float(value: float) -> str | float:
    if value != value:  # noqa: PLR0124  NaN is the only number that differs from itself
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    return value
