"""Column types as the REST API names them: `decimal(10,2)` is DECIMAL with a precision and a scale."""

import json
import re
from typing import Any

TYPE_NAMES = {
    "bigint": "LONG",
    "int": "INT",
    "integer": "INT",
    "smallint": "SHORT",
    "tinyint": "BYTE",
    "double": "DOUBLE",
    "float": "FLOAT",
    "string": "STRING",
    "varchar": "STRING",
    "char": "CHAR",
    "binary": "BINARY",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamp_ntz": "TIMESTAMP_NTZ",
    "decimal": "DECIMAL",
    "array": "ARRAY",
    "map": "MAP",
    "struct": "STRUCT",
    "interval": "INTERVAL",
    "variant": "VARIANT",
    "void": "NULL",
}
DELTA_NAMES = {"bigint": "long", "int": "integer", "smallint": "short", "tinyint": "byte"}
NESTED = {"array", "map", "struct", "interval", "variant"}
DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def described(type_text: str) -> dict[str, Any]:
    """The `type_*` fields of the API for an SQL type."""
    text = type_text.strip()
    fields: dict[str, Any] = {
        "type_text": text,
        "type_name": TYPE_NAMES.get(_family(text), "USER_DEFINED_TYPE"),
    }
    decimal = DECIMAL.fullmatch(text.lower())
    if decimal:
        fields |= {"type_precision": int(decimal[1]), "type_scale": int(decimal[2])}
    return fields


def type_json(name: str, type_text: str, *, nullable: bool) -> str | None:
    """The field as the Delta log would have it; None for nested types, whose JSON only the log knows."""
    if _family(type_text) in NESTED:
        return None
    delta_type = DELTA_NAMES.get(type_text.lower(), type_text.lower())
    return json.dumps({"name": name, "type": delta_type, "nullable": nullable, "metadata": {}})


def _family(type_text: str) -> str:
    return re.split(r"[<( ]", type_text.lower(), maxsplit=1)[0]
