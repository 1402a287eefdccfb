"""How a statement fails: an error class in brackets, a sentence, an SQLSTATE, as clients of the platform expect."""

import re

from local_workspace.engines.spark_connect import EngineError, EngineLost
from local_workspace.errors import ApiError

CLASSES: dict[str, str] = {
    "ARITHMETIC_OVERFLOW": "22003",
    "CANCELED": "HY008",
    "CAST_INVALID_INPUT": "22018",
    "DELTA_CHANGE_DATA_FILE_NOT_FOUND": "42K03",
    "DELTA_CONCURRENT_WRITE": "2D521",
    "DELTA_INVALID_CDC_RANGE": "22003",
    "DELTA_MISSING_CHANGE_DATA": "KD002",
    "DELTA_NOT_NULL_CONSTRAINT_VIOLATED": "23502",
    "DELTA_UNSUPPORTED_TABLE": "0A000",
    "DIVIDE_BY_ZERO": "22012",
    "ENGINE_UNAVAILABLE": "57P03",
    "EXPECT_TABLE_NOT_VIEW": "42809",
    "FUNCTION_NOT_FOUND": "42883",
    "INSERT_COLUMN_ARITY_MISMATCH": "21S01",
    "INSUFFICIENT_PERMISSIONS": "42501",
    "INVALID_PARAMETER_VALUE": "22023",
    "INVALID_STATEMENT": "42000",
    "OBJECT_ALREADY_EXISTS": "42710",
    "OBJECT_NOT_FOUND": "42704",
    "PARSE_SYNTAX_ERROR": "42601",
    "PIPELINE_OWNS_TABLE": "42809",
    "SCHEMA_NOT_EMPTY": "2BP01",
    "SCHEMA_NOT_FOUND": "42704",
    "TABLE_OR_VIEW_ALREADY_EXISTS": "42P07",
    "TABLE_OR_VIEW_NOT_FOUND": "42P01",
    "UNBOUND_SQL_PARAMETER": "42P02",
    "UNRESOLVED_COLUMN": "42703",
    "UNRESOLVED_ROUTINE": "42883",
    "UNSUPPORTED_FEATURE": "0A000",
    "WRONG_NUM_ARGS": "42605",
}
"""Error class → SQLSTATE."""

ENGINE_WORDS: list[tuple[str, str]] = [
    (r"\[TABLE_OR_VIEW_NOT_FOUND\]|[Tt]able not found", "TABLE_OR_VIEW_NOT_FOUND"),
    (r"NOT_NULL_CONSTRAINT_VIOLATED", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"),
    (r"[Dd]ivide by zero", "DIVIDE_BY_ZERO"),
    (r"[Cc]annot cast|invalid (date|timestamp)|Error parsing", "CAST_INVALID_INPUT"),
    (r"[Oo]verflow", "ARITHMETIC_OVERFLOW"),
    (r"^invalid argument: found ", "PARSE_SYNTAX_ERROR"),
    (r"No field named|cannot resolve (attribute|column|wildcard)|[Cc]olumn .*not found", "UNRESOLVED_COLUMN"),
    (r"unknown (table )?function|unknown aggregate function", "UNRESOLVED_ROUTINE"),
    (r"number of column names", "INSERT_COLUMN_ARITY_MISMATCH"),
    (r"Unsupported table features", "DELTA_UNSUPPORTED_TABLE"),
]
"""How the engine's own sentences are recognised; it has no error classes of its own."""

MISSING_COLUMN = re.compile(r"ObjectName\(\[.*?\]\) is missing from the schema")

API_CLASSES: dict[str, str] = {
    "PERMISSION_DENIED": "INSUFFICIENT_PERMISSIONS",
    "TABLE_DOES_NOT_EXIST": "TABLE_OR_VIEW_NOT_FOUND",
    "SCHEMA_DOES_NOT_EXIST": "SCHEMA_NOT_FOUND",
    "FUNCTION_DOES_NOT_EXIST": "FUNCTION_NOT_FOUND",
    "SCHEMA_NOT_EMPTY": "SCHEMA_NOT_EMPTY",
    "INVALID_PARAMETER_VALUE": "INVALID_PARAMETER_VALUE",
    "NOT_IMPLEMENTED": "UNSUPPORTED_FEATURE",
}


class SqlFailure(Exception):
    """A statement that cannot be carried out.

    Attributes:
        error_class: the name in brackets.
        message: what happened, to what, and what to do now.
        code: the ServiceErrorCode of the statement's status.
    """

    def __init__(self, error_class: str, message: str, *, code: str = "BAD_REQUEST") -> None:
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.code = code

    @property
    def sql_state(self) -> str:
        """The SQLSTATE of the error class."""
        return CLASSES.get(self.error_class, "XX000")

    @property
    def text(self) -> str:
        """The whole message as clients show it."""
        return f"[{self.error_class}] {self.message.rstrip()} SQLSTATE: {self.sql_state}"


def unsupported(what: str) -> SqlFailure:
    """A failure for what the platform can do and the local workspace cannot."""
    return SqlFailure("UNSUPPORTED_FEATURE", f"The local workspace does not support {what}.")


def from_engine(error: EngineError) -> SqlFailure:
    """The failure that an error of the engine means; its own words stay where they are fit for people."""
    if isinstance(error, EngineLost):
        return SqlFailure("ENGINE_UNAVAILABLE", error.message, code="TEMPORARILY_UNAVAILABLE")
    message = re.sub(r"^(Table not found: )?(\[[A-Z_]+\] )?", "", error.message)
    missing = MISSING_COLUMN.search(error.message)
    if missing is not None:
        column = ".".join(re.findall(r'"([^"]+)"', missing[0]))
        return SqlFailure(
            "UNRESOLVED_COLUMN", f"A column or parameter with name `{column}` cannot be resolved."
        )
    for pattern, error_class in ENGINE_WORDS:
        if re.search(pattern, error.message):
            return SqlFailure(error_class, message)
    return SqlFailure("ENGINE_ERROR", message)


def from_api(error: ApiError) -> SqlFailure:
    """The failure that a refusal of Unity Catalog means."""
    default = (
        "OBJECT_ALREADY_EXISTS"
        if error.status == 409
        else "OBJECT_NOT_FOUND"
        if error.status == 404
        else "INVALID_STATEMENT"
    )
    return SqlFailure(API_CLASSES.get(error.error_code, default), error.message)
