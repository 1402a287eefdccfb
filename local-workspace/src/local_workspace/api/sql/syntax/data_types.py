"""SQL data types: read from text, told as the Delta log tells them (JSON) and as people read them."""

import json
from dataclasses import dataclass
from typing import Any

from local_workspace.api.sql.syntax.reader import Reader

SIMPLE = {
    "BOOLEAN": "boolean",
    "TINYINT": "byte",
    "BYTE": "byte",
    "SMALLINT": "short",
    "SHORT": "short",
    "INT": "integer",
    "INTEGER": "integer",
    "BIGINT": "long",
    "LONG": "long",
    "FLOAT": "float",
    "REAL": "float",
    "DOUBLE": "double",
    "STRING": "string",
    "BINARY": "binary",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_LTZ": "timestamp",
    "TIMESTAMP_NTZ": "timestamp_ntz",
}
"""SQL name → name in the Delta log."""

SPOKEN = {"byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint"}
"""Names in the Delta log that SQL calls otherwise."""

DEFAULT_DECIMAL = (10, 0)

DeltaType = str | dict[str, Any]
"""A type as the schema in a Delta log has it."""


@dataclass(frozen=True)
class ColumnType:
    """A column of a table to be, or a parameter."""

    name: str
    type: DeltaType
    nullable: bool = True
    comment: str | None = None

    def field(self) -> dict[str, Any]:
        """The column as a field of a Delta schema."""
        metadata = {"comment": self.comment} if self.comment else {}
        return {"name": self.name, "type": self.type, "nullable": self.nullable, "metadata": metadata}


def read_type(reader: Reader) -> DeltaType:
    """A type as it is written in CREATE TABLE.

    Raises:
        SqlFailure: there is no such type.
    """
    place = reader.index
    word = reader.identifier().upper()
    if word in SIMPLE:
        return SIMPLE[word]
    if word in {"DECIMAL", "DEC", "NUMERIC"}:
        return _decimal(reader)
    if word in {"VARCHAR", "CHAR"}:
        reader.group()
        return "string"
    nested = {"ARRAY": _array, "MAP": _map, "STRUCT": _struct}.get(word)
    if nested is None:
        reader.index = place
        raise reader.error(f"{word} is not a data type of the local workspace")
    reader.expect_symbol("<")
    found = nested(reader)
    reader.expect_symbol(">")
    return found


def spoken(delta: DeltaType) -> str:
    """The type in SQL, in lower case as Unity Catalog tells it: decimal(10,2), array<int>, struct<a:int>."""
    if isinstance(delta, str):
        return SPOKEN.get(delta, delta)
    match delta["type"]:
        case "array":
            return f"array<{spoken(delta['elementType'])}>"
        case "map":
            return f"map<{spoken(delta['keyType'])},{spoken(delta['valueType'])}>"
        case _:
            fields = ",".join(f"{field['name']}:{spoken(field['type'])}" for field in delta["fields"])
            return f"struct<{fields}>"


def schema_json(columns: list[ColumnType]) -> str:
    """The schema of a Delta table."""
    return json.dumps({"type": "struct", "fields": [column.field() for column in columns]})


def _decimal(reader: Reader) -> str:
    if not reader.at_symbol("("):
        return "decimal({},{})".format(*DEFAULT_DECIMAL)
    precision, _, scale = reader.group().partition(",")
    return f"decimal({int(precision)},{int(scale or 0)})"


def _array(reader: Reader) -> DeltaType:
    return {"type": "array", "elementType": read_type(reader), "containsNull": True}


def _map(reader: Reader) -> DeltaType:
    key = read_type(reader)
    reader.expect_symbol(",")
    return {"type": "map", "keyType": key, "valueType": read_type(reader), "valueContainsNull": True}


def _struct(reader: Reader) -> DeltaType:
    fields: list[dict[str, Any]] = []
    while not fields or reader.take_symbol(","):
        name = reader.identifier()
        reader.take_symbol(":")
        delta = read_type(reader)
        nullable = not reader.take("NOT", "NULL")
        comment = reader.string() if reader.take("COMMENT") else None
        fields.append(ColumnType(name, delta, nullable, comment).field())
    return {"type": "struct", "fields": fields}
