"""SHOW and DESCRIBE: what there is, as tables of strings."""

import fnmatch
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from local_workspace.api.sql.answers import answer, texts
from local_workspace.api.sql.call import Call
from local_workspace.api.sql.expansion import Expander
from local_workspace.api.sql.failures import SqlFailure
from local_workspace.api.sql.names import quoted
from local_workspace.api.sql.parameters import quoted as string_literal
from local_workspace.api.sql.result_types import sql_type
from local_workspace.api.sql.results import schema_of
from local_workspace.api.sql.syntax.commands import Describe, DescribeQuery, SetVariable, Show
from local_workspace.api.sql.syntax.lexer import quoted_name, rows_of
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import Securable, Table
from local_workspace.engines import delta
from local_workspace.engines.spark import Spark

HISTORY_COLUMNS = {
    "version": pa.int64(),
    "timestamp": pa.timestamp("us", "UTC"),
    "operation": pa.string(),
    "operationParameters": pa.map_(pa.string(), pa.string()),
    "operationMetrics": pa.map_(pa.string(), pa.string()),
    "userName": pa.string(),
    "engineInfo": pa.string(),
}
DETAIL_COLUMNS = {
    "format": pa.string(),
    "id": pa.string(),
    "name": pa.string(),
    "description": pa.string(),
    "location": pa.string(),
    "createdAt": pa.timestamp("us", "UTC"),
    "lastModified": pa.timestamp("us", "UTC"),
    "partitionColumns": pa.list_(pa.string()),
    "clusteringColumns": pa.list_(pa.string()),
    "numFiles": pa.int64(),
    "sizeInBytes": pa.int64(),
    "properties": pa.map_(pa.string(), pa.string()),
    "minReaderVersion": pa.int32(),
    "minWriterVersion": pa.int32(),
    "tableFeatures": pa.list_(pa.string()),
}
MICROSECONDS_PER_MS = 1000


class Inspection:
    """Answers questions about securables; only what the caller may see is shown."""

    def __init__(self, catalog: UnityCatalog, expander: Expander, spark: Spark) -> None:
        self._catalog = catalog
        self._expander = expander
        self._spark = spark

    def show(self, call: Call, statement: Show) -> Iterator[bytes]:
        """SHOW of any kind."""
        match statement.what:
            case "CATALOGS":
                return _names("catalog", self._visible(call, self._catalog.catalogs()), statement.pattern)
            case "SCHEMAS":
                catalog = call.scope.place.full(statement.inside or _current_catalog(call), "catalog")
                return _names(
                    "databaseName", self._visible(call, self._catalog.schemas(catalog)), statement.pattern
                )
            case "COLUMNS":
                table = self._expander.readable(statement.inside, call.scope)
                return answer(texts("col_name"), [(column.name,) for column in table.columns])
            case "TBLPROPERTIES":
                properties = self._expander.readable(statement.inside, call.scope).properties
                return answer(texts("key", "value"), sorted(properties.items()))
            case "CREATE TABLE":
                table = self._expander.readable(statement.inside, call.scope)
                return answer(texts("createtab_stmt"), [(create_statement(table),)])
            case _:
                return self._show_inside_schema(call, statement)

    def describe(self, call: Call, statement: Describe) -> Iterator[bytes]:
        """DESCRIBE of any kind."""
        if statement.kind != "table":
            name = call.scope.place.full(statement.name, statement.kind)
            securable = self._catalog.securable(statement.kind, name)
            self._catalog.require_visible(call.caller, securable)
            return answer(texts("info_name", "info_value"), _facts(securable))
        table = self._expander.readable(statement.name, call.scope)
        match statement.form:
            case "HISTORY":
                entries = delta.history(_stored(table), statement.limit)
                return answer(HISTORY_COLUMNS, [_history_row(entry) for entry in entries])
            case "DETAIL":
                return answer(DETAIL_COLUMNS, [_detail_row(table)])
            case form:
                rows = [(column.name, column.type_text, column.comment) for column in table.columns]
                extended = form == "EXTENDED"
                return answer(texts("col_name", "data_type", "comment"), rows + _extended(table) * extended)

    def describe_query(self, call: Call, statement: DescribeQuery) -> Iterator[bytes]:
        """DESCRIBE QUERY: the columns that a query gives."""
        text = self._expander.expanded(statement.text, call.scope)
        schema = schema_of(self._spark.query(rows_of(f"(\n{text}\n) LIMIT 0"), call.operation))
        rows = [(field.name, sql_type(field.type).lower(), None) for field in schema]
        return answer(texts("col_name", "data_type", "comment"), rows)

    def set_variable(self, call: Call, statement: SetVariable) -> Iterator[bytes]:
        """SET: kept in the session and shown; the engine's own behaviour is fixed (ANSI mode, time zone UTC)."""
        settings = call.session.settings
        if statement.name is not None and statement.value is not None:
            _check_setting(statement.name, statement.value)
            settings[statement.name] = statement.value
        shown = {statement.name: settings.get(statement.name, "<undefined>")} if statement.name else settings
        return answer(texts("key", "value"), sorted(shown.items()))

    def _show_inside_schema(self, call: Call, statement: Show) -> Iterator[bytes]:
        full_name = call.scope.place.full(statement.inside or (call.session.schema,), "schema")
        catalog, schema = full_name.split(".")
        match statement.what:
            case "VOLUMES":
                found = self._matching(call, self._catalog.volumes(full_name), statement.pattern)
                return answer(texts("database", "volume_name"), [(schema, item.name) for item in found])
            case "FUNCTIONS":
                found = self._matching(call, self._catalog.functions(catalog, schema), statement.pattern)
                return answer(texts("function"), [(item.full_name,) for item in found])
            case what:
                tables = self._catalog.tables(catalog, schema)
                chosen = [table for table in tables if what == "TABLES" or table.table_type == "VIEW"]
                found = self._matching(call, chosen, statement.pattern)
                columns = {
                    "namespace" if what == "VIEWS" else "database": pa.string(),
                    "viewName" if what == "VIEWS" else "tableName": pa.string(),
                    "isTemporary": pa.bool_(),
                }
                return answer(columns, [(schema, item.name, False) for item in found])

    def _visible(self, call: Call, items: Iterable[Any]) -> list[Any]:
        return self._catalog.visible(call.caller, items)

    def _matching(self, call: Call, items: Iterable[Any], pattern: str | None) -> list[Any]:
        return [item for item in self._visible(call, items) if _matches(item.name, pattern)]


def create_statement(table: Table) -> str:
    """The statement that would make a table or view again."""
    comment = f"\nCOMMENT {string_literal(table.comment)}" if table.comment else ""
    if table.view_definition is not None and table.location is None:
        return f"CREATE VIEW {quoted(table.full_name)}{comment} AS\n{table.view_definition}"
    columns = ",\n".join(
        f"  {quoted_name(column.name)} {column.type_text}"
        + ("" if column.nullable else " NOT NULL")
        + (f" COMMENT {string_literal(column.comment)}" if column.comment else "")
        for column in table.columns
    )
    partitions = delta.detail(_stored(table)).partition_columns
    partitioned = f"\nPARTITIONED BY ({', '.join(map(quoted_name, partitions))})" if partitions else ""
    pairs = [
        f"{string_literal(key)} = {string_literal(value)}" for key, value in sorted(table.properties.items())
    ]
    properties = f"\nTBLPROPERTIES ({', '.join(pairs)})" if pairs else ""
    return f"CREATE TABLE {quoted(table.full_name)} (\n{columns}\n)\nUSING delta{partitioned}{comment}{properties}"


def _current_catalog(call: Call) -> tuple[str, ...]:
    if call.session.catalog is None:
        raise SqlFailure(
            "OBJECT_NOT_FOUND", "No catalog is chosen: write SHOW SCHEMAS IN catalog, or USE CATALOG first."
        )
    return (call.session.catalog,)


def _names(column: str, items: list[Securable], pattern: str | None) -> Iterator[bytes]:
    return answer(texts(column), [(item.name,) for item in items if _matches(item.name, pattern)])


def _matches(name: str, pattern: str | None) -> bool:
    """SHOW … LIKE: `*` for any letters, `|` between alternatives."""
    return pattern is None or any(
        fnmatch.fnmatchcase(name.lower(), choice.strip().lower().replace("%", "*"))
        for choice in pattern.split("|")
    )


def _stored(table: Table) -> Path:
    if table.location is None:
        raise SqlFailure(
            "EXPECT_TABLE_NOT_VIEW", f"{table.full_name} is a view; it has no history or files of its own."
        )
    return table.location


def _facts(securable: Securable) -> list[tuple[str, str]]:
    label = securable.kind.capitalize()
    facts = [
        (f"{label} Name", securable.name),
        ("Comment", securable.comment or ""),
        ("Owner", securable.owner),
    ]
    for name in ("body_sql", "returns", "directory"):
        value = getattr(securable, name, None)
        if value is not None:
            facts.append((name.replace("_sql", "").capitalize(), str(value)))
    return facts


def _extended(table: Table) -> list[tuple[str, str, str | None]]:
    facts = [
        ("", "", ""),
        ("# Detailed Table Information", "", ""),
        ("Catalog", table.catalog, ""),
        ("Database", table.schema, ""),
        ("Table", table.name, ""),
        ("Owner", table.owner, ""),
        ("Type", table.table_type, ""),
        ("Comment", table.comment or "", ""),
        ("Location", str(table.location or ""), ""),
        ("Provider", (table.data_source_format or "").lower(), ""),
        ("Table Properties", json.dumps(table.properties), ""),
    ]
    return [*facts, ("View Text", table.view_definition, "")] if table.view_definition else list(facts)


def _history_row(entry: dict[str, Any]) -> tuple[Any, ...]:
    return (
        entry.get("version"),
        entry.get("timestamp", 0) * MICROSECONDS_PER_MS,
        entry.get("operation"),
        _texts(entry.get("operationParameters")),
        _texts(entry.get("operationMetrics")),
        entry.get("userName"),
        entry.get("engineInfo") or entry.get("clientVersion"),
    )


def _detail_row(table: Table) -> tuple[Any, ...]:
    detail = delta.detail(_stored(table))
    newest = delta.history(_stored(table), 1)[0]
    clustering = [names[0] for names in json.loads(table.properties.get("clusteringColumns", "[]"))]
    return (
        "delta",
        table.table_id,
        table.full_name,
        table.comment,
        str(table.location),
        (detail.created_ms or 0) * MICROSECONDS_PER_MS,
        newest.get("timestamp", 0) * MICROSECONDS_PER_MS,
        detail.partition_columns,
        clustering,
        detail.files,
        detail.bytes,
        _texts(table.properties),
        detail.reader_version,
        detail.writer_version,
        detail.table_features,
    )


def _texts(mapping: dict[str, Any] | None) -> list[tuple[str, str]]:
    return sorted(
        (key, value if isinstance(value, str) else json.dumps(value))
        for key, value in (mapping or {}).items()
    )


def _check_setting(name: str, value: str) -> None:
    """Settings that would change what queries mean are refused unless they ask for what is so anyway."""
    fixed = {
        "TIMEZONE": "UTC",
        "ANSI_MODE": "TRUE",
        "SPARK.SQL.SESSION.TIMEZONE": "UTC",
        "SPARK.SQL.ANSI.ENABLED": "TRUE",
    }
    wanted = fixed.get(name.upper())
    if wanted is not None and value.upper() not in {wanted, "ETC/UTC"}:
        raise SqlFailure(
            "UNSUPPORTED_FEATURE", f"The local workspace always has {name} = {wanted}; it cannot be {value}."
        )
