"""Arrow rows into Postgres: which type a column gets, and COPY as fast as the two formats allow."""

import base64
import io
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, LiteralString

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from psycopg import Connection
from psycopg.sql import SQL, Composable, Identifier

NUL = "\0"
WITHOUT_NUL = pc.ReplaceSubstringOptions(NUL, "")

TYPES: dict[pa.DataType, LiteralString] = {
    pa.string(): "text",
    pa.large_string(): "text",
    pa.string_view(): "text",
    pa.int8(): "smallint",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float32(): "real",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.binary(): "bytea",
    pa.large_binary(): "bytea",
    pa.binary_view(): "bytea",
}


class UnsupportedType(Exception):
    """Postgres has no type for a column; the message names both."""


def postgres_type(field: pa.Field) -> Composable:
    """The type of a column in Postgres, as Lakebase chooses it.

    Raises:
        UnsupportedType: there is none.
    """
    kind = field.type
    if pa.types.is_decimal(kind):
        return SQL("numeric({},{})").format(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind):
        return SQL("timestamptz") if kind.tz else SQL("timestamp")
    if pa.types.is_nested(kind):
        return SQL("jsonb")
    if kind not in TYPES:
        raise UnsupportedType(f"Column {field.name!r} is of type {kind}, which a synced table cannot hold.")
    return SQL(TYPES[kind])


def copy_rows(connection: Connection, table: Composable, batches: Iterable[pa.RecordBatch]) -> int:
    """COPY rows into the columns of their names; the number of rows."""
    rows = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        columns = SQL(", ").join(map(Identifier, batch.schema.names))
        statement = SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(table, columns)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(_as_csv(batch))
        rows += batch.num_rows
    return rows


def _as_csv(batch: pa.RecordBatch) -> memoryview:
    """CSV as Postgres reads it: texts are quoted, nulls are nothing at all."""
    columns = [_writable(column) for column in batch.columns]
    text = io.BytesIO()
    arrow_csv.write_csv(
        pa.record_batch(columns, batch.schema.names), text, arrow_csv.WriteOptions(include_header=False)
    )
    return text.getbuffer()


def _writable(column: pa.Array) -> pa.Array:
    """The same values in a type that Arrow writes as CSV and Postgres reads; NUL characters, which it refuses, go."""
    kind = column.type
    if pa.types.is_nested(kind):
        return pa.array([_json(value) for value in column.to_pylist()], pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary_view():
        return pa.array([None if it is None else f"\\x{it.hex()}" for it in column.to_pylist()], pa.string())
    if kind == pa.string_view():
        column, kind = column.cast(pa.string()), pa.string()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.call_function("replace_substring", [column], WITHOUT_NUL)
    return column


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """What JSON can say of a nested value; maps come from Arrow as lists of pairs."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return dict(items) if items and isinstance(value[0], tuple) else items
    if isinstance(value, tuple):
        return str(_plain(value[0])), _plain(value[1])
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value).replace(NUL, "")
