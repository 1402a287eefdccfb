"""Unity Catalog: what exists under which name, who owns it, and who may do what with it.

Names are case-insensitive and kept in lower case. Every method that changes something takes the caller and checks
their privileges; a change is one transaction. Files of what is dropped go after the row is gone, and only when they
lie in the workspace's own storage.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from local_workspace import ids
from local_workspace.api.unity_catalog.grants import EffectivePrivilege, GrantChange
from local_workspace.api.unity_catalog.names import like, valid_full_name, valid_name
from local_workspace.api.unity_catalog.privileges import MANAGE
from local_workspace.api.unity_catalog.registry import Registry
from local_workspace.api.unity_catalog.securables import (
    Catalog,
    Column,
    Function,
    FunctionSpec,
    Metastore,
    Schema,
    Securable,
    Table,
    TableSpec,
    Volume,
)
from local_workspace.clock import Clock
from local_workspace.engines import disk
from local_workspace.errors import InvalidParameterValue, NotFound, PermissionDenied
from local_workspace.identity import Identities, Principal
from local_workspace.state import State
from local_workspace.wire import without_empty

S = TypeVar("S", bound=Securable)

KINDS: dict[str, type[Securable]] = {
    cls.kind: cls for cls in (Metastore, Catalog, Schema, Table, Volume, Function)
}
CREATING: dict[str, str] = {
    "MATERIALIZED_VIEW": "CREATE_MATERIALIZED_VIEW",
}
"""The privilege to create a table of this type, where it is not CREATE_TABLE."""


class UnityCatalog:
    """Catalogs, schemas, volumes, tables, functions and their grants."""

    def __init__(self, state: State, identities: Identities, clock: Clock, storage: disk.Storage) -> None:
        self._state = state
        self._identities = identities
        self._registry = Registry(state, identities, clock, storage)
        self._grants = self._registry.grants
        self.storage = storage
        self.metastore = self._registry.ensure_metastore(identities.ensure_local_user())

    # Catalogs and schemas

    def catalogs(self) -> list[Catalog]:
        """All catalogs, by name."""
        return self._registry.inside(Catalog, "")

    def catalog(self, name: str) -> Catalog:
        """Raises NotFound when there is none of that name."""
        return self._registry.existing(Catalog, name)

    def create_catalog(
        self,
        caller: Principal,
        name: str,
        *,
        comment: str | None = None,
        properties: dict[str, str] | None = None,
        options: dict[str, str] | None = None,
        catalog_type: str = "MANAGED_CATALOG",
    ) -> Catalog:
        """Create a catalog, with a schema `default` in it unless it stands for a database elsewhere."""
        name = valid_name(name, "catalog")
        self.require(caller, "CREATE_CATALOG", "metastore", self.metastore.full_name)
        catalog = Catalog(
            **self._registry.new_fields(caller, name, comment, properties),
            catalog_type=catalog_type,
            options=options or {},
        )
        with self._state.transaction():
            self._registry.add(catalog)
            if catalog_type == "MANAGED_CATALOG":
                self.create_schema(caller, f"{name}.default", comment="Default schema")
        return catalog

    def drop_catalog(
        self, caller: Principal, name: str, *, cascade: bool = False, if_exists: bool = False
    ) -> None:
        """Drop a catalog; `cascade` also drops all it holds, `default` included."""
        self._registry.drop(caller, Catalog, name, cascade=cascade, if_exists=if_exists)

    def schemas(self, catalog: str) -> list[Schema]:
        """All schemas of a catalog, by name."""
        return self._registry.inside(Schema, self.catalog(catalog).full_name)

    def schema(self, full_name: str) -> Schema:
        """Raises NotFound when there is none of that name."""
        return self._registry.existing(Schema, full_name)

    def create_schema(
        self,
        caller: Principal,
        full_name: str,
        *,
        comment: str | None = None,
        properties: dict[str, str] | None = None,
    ) -> Schema:
        """Create a schema in a catalog."""
        full_name = self._registry.placed(caller, "CREATE_SCHEMA", full_name, Schema)
        schema = Schema(
            **self._registry.new_fields(caller, full_name, comment, properties), schema_id=ids.new_uuid()
        )
        return self._registry.add(schema)

    def drop_schema(
        self, caller: Principal, full_name: str, *, cascade: bool = False, if_exists: bool = False
    ) -> None:
        """Drop a schema; `cascade` also drops all it holds."""
        self._registry.drop(caller, Schema, full_name, cascade=cascade, if_exists=if_exists)

    # Volumes

    def volumes(self, schema: str) -> list[Volume]:
        """All volumes of a schema, by name."""
        return self._registry.inside(Volume, self.schema(schema).full_name)

    def volume(self, full_name: str) -> Volume:
        """Raises NotFound when there is none of that name."""
        return self._registry.existing(Volume, full_name)

    def create_volume(self, caller: Principal, full_name: str, *, comment: str | None = None) -> Volume:
        """Create a managed volume and its empty directory."""
        full_name = self._registry.placed(caller, "CREATE_VOLUME", full_name, Volume)
        catalog, schema, name = full_name.split(".")
        directory = self.storage.root / catalog / schema / "volumes" / name
        volume = Volume(
            **self._registry.new_fields(caller, full_name, comment, None),
            volume_id=ids.new_uuid(),
            directory=directory,
        )
        with self._state.transaction():
            self._registry.add(volume)
            left = self.storage.discard(directory)  # by an upload that outlived the volume before
            directory.mkdir(parents=True)
        disk.delete(left)
        return volume

    def drop_volume(self, caller: Principal, full_name: str, *, if_exists: bool = False) -> None:
        """Drop a volume with its files."""
        self._registry.drop(caller, Volume, full_name, if_exists=if_exists)

    # Tables and views

    def tables(self, catalog: str, schema: str) -> list[Table]:
        """All tables and views of a schema, by name."""
        return self._registry.inside(Table, self.schema(f"{catalog}.{schema}").full_name)

    def tables_like(self, catalog: str, schema_pattern: str, table_pattern: str) -> list[Table]:
        """Tables of a catalog whose names match SQL LIKE patterns."""
        return [
            table
            for schema in self.schemas(catalog)
            if like(schema.name, schema_pattern)
            for table in self._registry.inside(Table, schema.full_name)
            if like(table.name, table_pattern)
        ]

    def table(self, full_name: str) -> Table:
        """Raises NotFound when there is none of that name."""
        return self._registry.existing(Table, full_name)

    def find_table(self, full_name: str) -> Table | None:
        """The table or view of that name, if there is one."""
        return self._registry.find(Table, full_name)

    def managed_location(self, full_name: str) -> Path:
        """A new directory of its own for the data of a managed table; it does not exist yet."""
        catalog, schema, _name = valid_full_name(full_name, "table").split(".")
        return self.storage.root / catalog / schema / "tables" / ids.new_uuid()

    def register_table(self, caller: Principal, spec: TableSpec) -> Table:
        """Enter a table whose data is in place, or a view."""
        privilege = CREATING.get(spec.table_type, "CREATE_TABLE")
        full_name = self._registry.placed(caller, privilege, spec.full_name, Table)
        table_id = (
            spec.location.name if spec.location and self._registry.owns(spec.location) else ids.new_uuid()
        )
        created = self._registry.new_fields(caller, full_name, spec.comment, spec.properties)
        return self._registry.add(Table(**created, table_id=table_id, **_content(spec)))

    def replace_table(self, caller: Principal, spec: TableSpec) -> Table:
        """CREATE OR REPLACE: owner, grants and age of an existing table stay; old data elsewhere is discarded."""
        existing = self.find_table(spec.full_name)
        if existing is None:
            return self.register_table(caller, spec)
        self.require(caller, MANAGE, "table", existing.full_name)
        with self._state.transaction():
            changed = self._registry.save(
                caller, existing, comment=spec.comment, properties=spec.properties, **_content(spec)
            )
            left = self._registry.bury(existing) if existing.location != spec.location else None
        disk.delete(left)
        return changed

    def alter_table(
        self,
        caller: Principal,
        full_name: str,
        *,
        columns: tuple[Column, ...] | None = None,
        properties: dict[str, str] | None = None,
        comment: str | None = None,
    ) -> Table:
        """Change what is given of a table's columns, properties (as a whole) and comment."""
        given = {"columns": columns, "properties": properties, "comment": comment}
        with self._state.transaction():
            table = self.table(full_name)
            self.require(caller, "MODIFY", "table", table.full_name)
            return self._registry.save(caller, table, **without_empty(given))

    def rename_table(self, caller: Principal, full_name: str, new_full_name: str) -> Table:
        """Give a table another name within its catalog; data and grants stay."""
        table = self.table(full_name)
        self.require(caller, MANAGE, "table", table.full_name)
        new_full_name = self._registry.placed(caller, "CREATE_TABLE", new_full_name, Table)
        if new_full_name.split(".")[0] != table.catalog:
            raise InvalidParameterValue(
                f"{full_name} cannot be renamed into another catalog; copy it instead."
            )
        return self._registry.rename(caller, table, new_full_name)

    def drop_table(self, caller: Principal, full_name: str, *, if_exists: bool = False) -> None:
        """Drop a table or view; the data of a managed table goes with it."""
        self._registry.drop(caller, Table, full_name, if_exists=if_exists)

    # Functions

    def functions(self, catalog: str, schema: str) -> list[Function]:
        """All functions of a schema, by name."""
        return self._registry.inside(Function, self.schema(f"{catalog}.{schema}").full_name)

    def function(self, full_name: str) -> Function:
        """Raises NotFound when there is none of that name."""
        return self._registry.existing(Function, full_name)

    def register_function(self, caller: Principal, spec: FunctionSpec, *, replace: bool = False) -> Function:
        """Enter an SQL function; with `replace`, over one of the same name, whose grants stay."""
        existing = self._registry.find(Function, spec.full_name)
        content: dict[str, Any] = {
            "parameters": spec.parameters,
            "returns": spec.returns,
            "body_sql": spec.body_sql,
        }
        if existing and replace:
            self.require(caller, MANAGE, "function", existing.full_name)
            return self._registry.save(caller, existing, comment=spec.comment, **content)
        full_name = self._registry.placed(caller, "CREATE_FUNCTION", spec.full_name, Function)
        created = self._registry.new_fields(caller, full_name, spec.comment, None)
        return self._registry.add(Function(**created, function_id=ids.new_uuid(), **content))

    def drop_function(self, caller: Principal, full_name: str, *, if_exists: bool = False) -> None:
        """Drop a function."""
        self._registry.drop(caller, Function, full_name, if_exists=if_exists)

    # Privileges

    def require(self, caller: Principal, privilege: str, kind: str, full_name: str) -> None:
        """Check a privilege, and USE CATALOG and USE SCHEMA on what holds the securable.

        Raises:
            PermissionDenied: says which privilege is missing, on what.
        """
        self._grants.require(caller, privilege, kind, full_name.lower())

    def visible(self, caller: Principal, securables: Iterable[S]) -> list[S]:
        """Those that the caller owns or has some privilege on."""
        return [item for item in securables if self._grants.visible(caller, item.kind, item.full_name)]

    def require_visible(self, caller: Principal, securable: Securable) -> None:
        """Raises PermissionDenied when the caller has no privilege on it at all."""
        if not self._grants.visible(caller, securable.kind, securable.full_name):
            raise PermissionDenied(
                f"User does not have any privilege on {securable.kind.capitalize()} '{securable.full_name}'."
            )

    def grant(
        self, caller: Principal, kind: str, full_name: str, principal: str, privileges: Iterable[str]
    ) -> None:
        """Grant privileges to a user, a service principal (by application id) or `account users`."""
        self.change_grants(caller, kind, full_name, [GrantChange(principal, add=tuple(privileges))])

    def revoke(
        self, caller: Principal, kind: str, full_name: str, principal: str, privileges: Iterable[str]
    ) -> None:
        """Take back privileges; those that were not granted are no error."""
        self.change_grants(caller, kind, full_name, [GrantChange(principal, remove=tuple(privileges))])

    def change_grants(
        self, caller: Principal, kind: str, full_name: str, changes: Iterable[GrantChange]
    ) -> None:
        """Several changes as one."""
        securable = self.securable(kind, full_name)
        with self._state.transaction():
            for change in changes:
                self._grants.change(caller, (kind, securable.full_name), change)

    def grants(self, kind: str, full_name: str) -> dict[str, list[str]]:
        """Privileges by principal, granted directly on a securable."""
        return self._grants.direct(kind, self.securable(kind, full_name).full_name)

    def effective_grants(self, kind: str, full_name: str) -> list[EffectivePrivilege]:
        """Privileges on a securable, those inherited from what holds it included."""
        return self._grants.effective(kind, self.securable(kind, full_name).full_name)

    # Any kind

    def securable(self, kind: str, full_name: str) -> Securable:
        """The securable of a kind given by its name on the wire: catalog, schema, table, volume, function, metastore."""
        if kind not in KINDS:
            raise InvalidParameterValue(f"{kind!r} is not a kind of securable; known: {', '.join(KINDS)}.")
        return self._registry.existing(KINDS[kind], full_name)

    def update(self, caller: Principal, kind: type[S], full_name: str, **changes: Any) -> S:
        """Change owner, comment, properties or options.

        Raises:
            NotFound: it does not exist, or the new owner is not known here.
        """
        owner = changes.get("owner")
        if owner is not None and self._identities.find(owner) is None:
            raise NotFound(
                f"Could not find principal with name {owner}.", error_code="PRINCIPAL_DOES_NOT_EXIST"
            )
        with self._state.transaction():
            securable = self._registry.existing(kind, full_name)
            self.require(caller, MANAGE, kind.kind, securable.full_name)
            return self._registry.save(caller, securable, **changes)


def _content(spec: TableSpec) -> dict[str, Any]:
    """The fields that a table has from its spec alone, whether new or replaced."""
    return {
        "table_type": spec.table_type,
        "columns": spec.columns,
        "location": spec.location,
        "view_definition": spec.view_definition,
        "pipeline_id": spec.pipeline_id,
    }
