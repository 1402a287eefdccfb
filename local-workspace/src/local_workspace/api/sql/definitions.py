"""CREATE, ALTER and DROP of tables, views and functions."""

import json
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from local_workspace.api.sql import answers, change_feed
from local_workspace.api.sql.call import Call
from local_workspace.api.sql.changes import OWNED_BY_PIPELINES, RowChanges
from local_workspace.api.sql.expansion import Expander
from local_workspace.api.sql.failures import SqlFailure, unsupported
from local_workspace.api.sql.result_types import sql_type
from local_workspace.api.sql.results import schema_of
from local_workspace.api.sql.syntax.commands import (
    AlterTable,
    CreateFunction,
    CreateTable,
    CreateView,
    Drop,
)
from local_workspace.api.sql.syntax.data_types import schema_json, spoken
from local_workspace.api.sql.syntax.lexer import quoted_name, rows_of, tokens
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import Column, FunctionSpec, Parameter, Table, TableSpec
from local_workspace.engines import delta
from local_workspace.engines.spark import Spark
from local_workspace.engines.spark_connect import Write


class Definitions:
    """Carries out definitions of tables, views and functions.

    Table properties are kept in Unity Catalog only: the engine refuses to write tables whose log asks for features
    such as the change data feed.
    """

    def __init__(self, catalog: UnityCatalog, expander: Expander, spark: Spark, changes: RowChanges) -> None:
        self._catalog = catalog
        self._expander = expander
        self._spark = spark
        self._changes = changes

    def create_table(self, call: Call, statement: CreateTable) -> Iterator[bytes]:
        """Make the Delta table, then enter it; a failure leaves nothing."""
        full_name = call.scope.place.full(statement.name)
        existing = self._catalog.find_table(full_name)
        if existing is not None and statement.if_not_exists:
            return answers.nothing()
        if existing is not None and not statement.replace:
            raise SqlFailure(
                "TABLE_OR_VIEW_ALREADY_EXISTS",
                f"{full_name} exists already; drop it, or use CREATE OR REPLACE.",
            )
        self._may_create(call, full_name, existing)
        location = self._catalog.managed_location(full_name)
        with _removed_on_failure(location):
            rows = self._make(call, statement, location)
            columns = catalog_columns(delta.fields(location))
            properties = dict(statement.properties)
            if statement.cluster_by:
                properties["clusteringColumns"] = json.dumps([[name] for name in statement.cluster_by])
            spec = TableSpec(
                full_name=full_name,
                table_type="MANAGED",
                columns=columns,
                location=location,
                comment=statement.comment,
                properties=properties,
            )
            if existing is None:
                self._catalog.register_table(call.caller, spec)
            else:
                self._catalog.replace_table(call.caller, spec)
        return (
            answers.nothing()
            if rows is None
            else answers.counts(num_affected_rows=rows, num_inserted_rows=rows)
        )

    def create_view(self, call: Call, statement: CreateView) -> Iterator[bytes]:
        """Keep a view's query, with all its names in full."""
        full_name = call.scope.place.full(statement.name)
        existing = self._catalog.find_table(full_name)
        if existing is not None and statement.if_not_exists:
            return answers.nothing()
        if existing is not None and (not statement.replace or existing.table_type != "VIEW"):
            raise SqlFailure("TABLE_OR_VIEW_ALREADY_EXISTS", f"{full_name} exists already; drop it first.")
        scope = call.definition_scope
        query = self._expander.qualified(statement.query, scope)
        schema = schema_of(
            self._spark.query(rows_of(f"(\n{self._expander.expanded(query, scope)}\n) LIMIT 0"))
        )
        names = list(statement.columns) or [(field.name, None) for field in schema]
        if len(names) != len(schema):
            raise SqlFailure(
                "INSERT_COLUMN_ARITY_MISMATCH", f"The query has {len(schema)} columns, the view {len(names)}."
            )
        if statement.columns:
            query = rows_of(f"(\n{query}\n) AS _view ({', '.join(quoted_name(name) for name, _ in names)})")
        columns = tuple(
            Column(name=name, type_text=sql_type(field.type).lower(), position=position, comment=comment)
            for position, ((name, comment), field) in enumerate(zip(names, schema, strict=True))
        )
        spec = TableSpec(
            full_name=full_name,
            table_type="VIEW",
            columns=columns,
            view_definition=query,
            comment=statement.comment,
            properties=statement.properties,
        )
        if existing is None:
            self._catalog.register_table(call.caller, spec)
        else:
            self._catalog.replace_table(call.caller, spec)
        return answers.nothing()

    def create_function(self, call: Call, statement: CreateFunction) -> Iterator[bytes]:
        """Keep a function's body, with all its names in full."""
        full_name = call.scope.place.full(statement.name, "function")
        body = statement.body
        if tokens(body)[0].is_word("SELECT", "WITH", "VALUES"):
            body = self._expander.qualified(body, call.definition_scope)
        else:
            body = self._expander.qualified(f"SELECT {body}", call.definition_scope).removeprefix("SELECT ")
        returns = statement.returns
        spec = FunctionSpec(
            full_name=full_name,
            parameters=tuple(
                Parameter(
                    name=given.name,
                    type_text=spoken(given.type),
                    default=given.default,
                    comment=given.comment,
                )
                for given in statement.parameters
            ),
            returns=tuple(
                Parameter(name=column.name, type_text=spoken(column.type), comment=column.comment)
                for column in returns
            )
            if isinstance(returns, tuple)
            else spoken(returns),
            body_sql=body,
            comment=statement.comment,
        )
        if statement.if_not_exists and self._function_exists(full_name):
            return answers.nothing()
        self._catalog.register_function(call.caller, spec, replace=statement.replace)
        return answers.nothing()

    def alter_table(self, call: Call, statement: AlterTable) -> Iterator[bytes]:
        """Add columns, set properties, rename, or comment a column."""
        full_name = call.scope.place.full(statement.name)
        table = self._catalog.table(full_name)
        if statement.rename_to is not None:
            self._catalog.rename_table(call.caller, full_name, call.scope.place.full(statement.rename_to))
        elif statement.add:
            self._add_columns(call, statement)
        elif statement.column_comment is not None:
            name, comment = statement.column_comment
            if name.lower() not in {column.name.lower() for column in table.columns}:
                raise SqlFailure("UNRESOLVED_COLUMN", f"{full_name} has no column {name!r}.")
            columns = tuple(
                replace(column, comment=comment) if column.name.lower() == name.lower() else column
                for column in table.columns
            )
            self._catalog.alter_table(call.caller, full_name, columns=columns)
        else:
            kept = {
                key: value for key, value in table.properties.items() if key not in statement.unset_properties
            }
            properties = kept | (statement.set_properties or {})
            if table.location is not None:
                following = delta.version(table.location) + 1
                properties = change_feed.enabled_since(table.properties, properties, following)
            self._catalog.alter_table(call.caller, full_name, properties=properties)
        return answers.nothing()

    def drop(self, call: Call, statement: Drop) -> Iterator[bytes]:
        """Drop a table, view or function."""
        full_name = call.scope.place.full(statement.name, statement.kind)
        if statement.kind == "function":
            self._catalog.drop_function(call.caller, full_name, if_exists=statement.if_exists)
            return answers.nothing()
        table = self._catalog.find_table(full_name)
        if table is not None and (table.table_type == "VIEW") != statement.view:
            what = "VIEW" if table.table_type == "VIEW" else "TABLE"
            raise SqlFailure("EXPECT_TABLE_NOT_VIEW", f"{full_name} is a {what.lower()}; use DROP {what}.")
        if table is not None and table.table_type in OWNED_BY_PIPELINES:
            raise SqlFailure(
                "PIPELINE_OWNS_TABLE", f"{full_name} belongs to a pipeline; delete the pipeline instead."
            )
        self._catalog.drop_table(call.caller, full_name, if_exists=statement.if_exists)
        return answers.nothing()

    def _may_create(self, call: Call, full_name: str, existing: Table | None) -> None:
        """Ask for the privileges before any data is written."""
        if existing is None:
            self._catalog.schema(full_name.rpartition(".")[0])
            self._catalog.require(call.caller, "CREATE_TABLE", "schema", full_name.rpartition(".")[0])
        else:
            self._catalog.require(call.caller, "MANAGE", "table", full_name)
            if existing.table_type in OWNED_BY_PIPELINES or existing.table_type == "VIEW":
                raise SqlFailure(
                    "TABLE_OR_VIEW_ALREADY_EXISTS",
                    f"{full_name} is a {existing.table_type}; it cannot be replaced by a table.",
                )

    def _make(self, call: Call, statement: CreateTable, location: Path) -> int | None:
        """Make the Delta table; the number of its rows when a query fills it."""
        if statement.query is None:
            delta.create_empty(location, schema_json(list(statement.columns)), statement.partition_by)
            return None
        query = self._expander.expanded(statement.query, call.scope)
        write = Write(query, str(location), "ERROR_IF_EXISTS", statement.partition_by)
        self._spark.write(write, call.operation)
        return delta.row_count(location)

    def _add_columns(self, call: Call, statement: AlterTable) -> None:
        table = self._changes.writable(call, statement.name)
        assert table.location is not None
        taken = {column.name.lower() for column in table.columns}
        for column in statement.add:
            if column.name.lower() in taken:
                raise SqlFailure(
                    "OBJECT_ALREADY_EXISTS", f"{table.full_name} has a column {column.name!r} already."
                )
            if not column.nullable:
                raise unsupported("adding columns that are NOT NULL")
        delta.add_columns(table.location, [column.field() for column in statement.add])
        self._catalog.alter_table(
            call.caller, table.full_name, columns=catalog_columns(delta.fields(table.location))
        )

    def _function_exists(self, full_name: str) -> bool:
        catalog, schema, name = full_name.split(".")
        return any(function.name == name for function in self._catalog.functions(catalog, schema))


def catalog_columns(fields: delta.SchemaFields) -> tuple[Column, ...]:
    """The columns of a Delta schema as Unity Catalog keeps them."""
    return tuple(
        Column(
            name=field["name"],
            type_text=spoken(field["type"]),
            position=position,
            nullable=field["nullable"],
            comment=field["metadata"].get("comment"),
            type_json=json.dumps(field),
        )
        for position, field in enumerate(fields)
    )


@contextmanager
def _removed_on_failure(location: Path) -> Generator[None]:
    try:
        yield
    except BaseException:
        shutil.rmtree(location, ignore_errors=True)
        raise
