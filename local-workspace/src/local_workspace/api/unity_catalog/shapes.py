"""Securables in the shape of the REST API 2.1."""

from typing import Any

from local_workspace.api.unity_catalog import column_types
from local_workspace.api.unity_catalog.grants import EffectivePrivilege
from local_workspace.api.unity_catalog.securables import (
    Catalog,
    Column,
    Function,
    Parameter,
    Schema,
    Securable,
    Table,
    Volume,
)
from local_workspace.wire import without_empty


class Shapes:
    """Writes securables of one metastore."""

    def __init__(self, metastore_id: str) -> None:
        self._metastore_id = metastore_id

    def catalog(self, catalog: Catalog) -> dict[str, Any]:
        """A CatalogInfo."""
        return self._common(catalog) | {
            "catalog_type": catalog.catalog_type,
            "options": catalog.options,
            "isolation_mode": "OPEN",
            "securable_type": "CATALOG",
        }

    def schema(self, schema: Schema) -> dict[str, Any]:
        """A SchemaInfo."""
        return self._common(schema) | {"catalog_name": schema.catalog, "schema_id": schema.schema_id}

    def volume(self, volume: Volume) -> dict[str, Any]:
        """A VolumeInfo."""
        return self._placed(volume) | {
            "volume_id": volume.volume_id,
            "volume_type": "MANAGED",
            "storage_location": volume.directory.as_uri(),
        }

    def table(self, table: Table, *, columns: bool = True, properties: bool = True) -> dict[str, Any]:
        """A TableInfo."""
        return self._placed(table) | without_empty(
            {
                "table_id": table.table_id,
                "table_type": table.table_type,
                "data_source_format": table.data_source_format,
                "columns": [_column(column) for column in table.columns] if columns else None,
                "properties": table.properties if properties else {},
                "storage_location": table.location.as_uri() if table.location else None,
                "view_definition": table.view_definition,
                "pipeline_id": table.pipeline_id,
            }
        )

    def function(self, function: Function) -> dict[str, Any]:
        """A FunctionInfo."""
        fields = self._placed(function)
        del fields["properties"]  # a string here, which we do not use
        fields |= {
            "function_id": function.function_id,
            "input_params": {"parameters": [_parameter(*item) for item in enumerate(function.parameters)]},
            "routine_body": "SQL",
            "routine_definition": function.body_sql,
            "specific_name": function.name,
            "security_type": "DEFINER",
            "sql_data_access": "READS_SQL_DATA",
            "parameter_style": "S",
            "is_deterministic": False,
            "is_null_call": False,
        }
        if isinstance(function.returns, str):
            type_name = column_types.described(function.returns)["type_name"]
            return fields | {"data_type": type_name, "full_data_type": function.returns}
        return fields | {
            "data_type": "TABLE_TYPE",
            "full_data_type": ", ".join(f"{column.name} {column.type_text}" for column in function.returns),
            "return_params": {"parameters": [_parameter(*item) for item in enumerate(function.returns)]},
        }

    def _common(self, securable: Securable) -> dict[str, Any]:
        return without_empty(
            {
                "name": securable.name,
                "full_name": securable.full_name,
                "owner": securable.owner,
                "comment": securable.comment,
                "properties": securable.properties,
                "metastore_id": self._metastore_id,
                "created_at": securable.created_at,
                "created_by": securable.created_by,
                "updated_at": securable.updated_at,
                "updated_by": securable.updated_by,
            }
        )

    def _placed(self, securable: Securable) -> dict[str, Any]:
        return self._common(securable) | {"catalog_name": securable.catalog, "schema_name": securable.schema}


def assignments(grants: dict[str, list[str]]) -> list[dict[str, Any]]:
    """PrivilegeAssignments by principal."""
    return [{"principal": principal, "privileges": privileges} for principal, privileges in grants.items()]


def effective_assignments(
    privileges: list[EffectivePrivilege], securable: tuple[str, str]
) -> list[dict[str, Any]]:
    """EffectivePrivilegeAssignments: each privilege says where it is inherited from."""
    by_principal: dict[str, list[dict[str, Any]]] = {}
    for item in privileges:
        shape: dict[str, Any] = {"privilege": item.privilege}
        if item.granted_on != securable:
            kind, name = item.granted_on
            shape |= {"inherited_from_type": kind.upper(), "inherited_from_name": name}
        by_principal.setdefault(item.principal, []).append(shape)
    return [{"principal": principal, "privileges": shapes} for principal, shapes in by_principal.items()]


def _column(column: Column) -> dict[str, Any]:
    json_text = column.type_json or column_types.type_json(
        column.name, column.type_text, nullable=column.nullable
    )
    return column_types.described(column.type_text) | without_empty(
        {
            "name": column.name,
            "type_json": json_text,
            "position": column.position,
            "nullable": column.nullable,
            "comment": column.comment,
        }
    )


def _parameter(position: int, parameter: Parameter) -> dict[str, Any]:
    return column_types.described(parameter.type_text) | without_empty(
        {
            "name": parameter.name,
            "position": position,
            "parameter_default": parameter.default,
            "comment": parameter.comment,
        }
    )
