"""Unity Catalog: what exists under which name, who owns it, and who may do what with it.

Names are case-insensitive and kept in lower case. Every method that changes something takes the caller and checks
their privileges; a change is one transaction. Files of what is dropped go after the row is gone, and only when they
lie in the workspace's own storage.
"""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from local_workspace import ids
from local_workspace.api.unity_catalog.grants import EffectivePrivilege, Grants
from local_workspace.api.unity_catalog.names import like, parent_of, valid_full_name, valid_name
from local_workspace.api.unity_catalog.privileges import MANAGE
from local_workspace.api.unity_catalog.rows import Rows
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
from local_workspace.clock import Clock, milliseconds
from local_workspace.engines import disk
from local_workspace.errors import (
    BadRequest,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
)
from local_workspace.identity import Identities, Principal
from local_workspace.state import State

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
        self._clock = clock
        self.storage = storage
        self._rows = Rows(state)
        self._identities = identities
        self._grants = Grants(self._rows, identities)
        storage.clean()
        self.metastore = self._ensure_metastore(identities.ensure_local_user())

    # Catalogs and schemas

    def catalogs(self) -> list[Catalog]:
        """All catalogs, by name."""
        return self._rows.inside(Catalog, "")

    def catalog(self, name: str) -> Catalog:
        """Raises NotFound when there is none of that name."""
        return self._existing(Catalog, name)

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
            **self._new(caller, name, comment, properties), catalog_type=catalog_type, options=options or {}
        )
        with self._state.transaction():
            self._add(catalog)
            if catalog_type == "MANAGED_CATALOG":
                self.create_schema(caller, f"{name}.default", comment="Default schema")
        return catalog

    def drop_catalog(
        self, caller: Principal, name: str, *, cascade: bool = False, if_exists: bool = False
    ) -> None:
        """Drop a catalog; `cascade` also drops all it holds, `default` included."""
        self._drop(caller, Catalog, name, cascade=cascade, if_exists=if_exists)

    def schemas(self, catalog: str) -> list[Schema]:
        """All schemas of a catalog, by name."""
        return self._rows.inside(Schema, self.catalog(catalog).full_name)

    def schema(self, full_name: str) -> Schema:
        """Raises NotFound when there is none of that name."""
        return self._existing(Schema, full_name)

    def create_schema(
        self,
        caller: Principal,
        full_name: str,
        *,
        comment: str | None = None,
        properties: dict[str, str] | None = None,
    ) -> Schema:
        """Create a schema in a catalog."""
        full_name = self._placed(caller, "CREATE_SCHEMA", full_name, Schema)
        schema = Schema(**self._new(caller, full_name, comment, properties), schema_id=ids.new_uuid())
        return self._add(schema)

    def drop_schema(
        self, caller: Principal, full_name: str, *, cascade: bool = False, if_exists: bool = False
    ) -> None:
        """Drop a schema; `cascade` also drops all it holds."""
        self._drop(caller, Schema, full_name, cascade=cascade, if_exists=if_exists)

    # Volumes

    def volumes(self, schema: str) -> list[Volume]:
        """All volumes of a schema, by name."""
        return self._rows.inside(Volume, self.schema(schema).full_name)

    def volume(self, full_name: str) -> Volume:
        """Raises NotFound when there is none of that name."""
        return self._existing(Volume, full_name)

    def create_volume(self, caller: Principal, full_name: str, *, comment: str | None = None) -> Volume:
        """Create a managed volume and its empty directory."""
        full_name = self._placed(caller, "CREATE_VOLUME", full_name, Volume)
        catalog, schema, name = full_name.split(".")
        directory = self.storage.root / catalog / schema / "volumes" / name
        volume = Volume(
            **self._new(caller, full_name, comment, None), volume_id=ids.new_uuid(), directory=directory
        )
        with self._state.transaction():
            self._add(volume)
            left = self.storage.discard(directory)  # by an upload that outlived the volume before
            directory.mkdir(parents=True)
        disk.delete(left)
        return volume

    def drop_volume(self, caller: Principal, full_name: str, *, if_exists: bool = False) -> None:
        """Drop a volume with its files."""
        self._drop(caller, Volume, full_name, if_exists=if_exists)

    # Tables and views

    def tables(self, catalog: str, schema: str) -> list[Table]:
        """All tables and views of a schema, by name."""
        return self._rows.inside(Table, self.schema(f"{catalog}.{schema}").full_name)

    def tables_like(self, catalog: str, schema_pattern: str, table_pattern: str) -> list[Table]:
        """Tables of a catalog whose names match SQL LIKE patterns."""
        return [
            table
            for schema in self.schemas(catalog)
            if like(schema.name, schema_pattern)
            for table in self._rows.inside(Table, schema.full_name)
            if like(table.name, table_pattern)
        ]

    def table(self, full_name: str) -> Table:
        """Raises NotFound when there is none of that name."""
        return self._existing(Table, full_name)

    def find_table(self, full_name: str) -> Table | None:
        """The table or view of that name, if there is one."""
        return self._rows.find(Table, full_name.lower())

    def managed_location(self, full_name: str) -> Path:
        """A new directory of its own for the data of a managed table; it does not exist yet."""
        catalog, schema, _name = valid_full_name(full_name, "table").split(".")
        return self.storage.root / catalog / schema / "tables" / ids.new_uuid()

    def register_table(self, caller: Principal, spec: TableSpec) -> Table:
        """Enter a table whose data is in place, or a view."""
        privilege = CREATING.get(spec.table_type, "CREATE_TABLE")
        full_name = self._placed(caller, privilege, spec.full_name, Table)
        table_id = spec.location.name if spec.location and self._owns(spec.location) else ids.new_uuid()
        created = self._new(caller, full_name, spec.comment, spec.properties)
        return self._add(Table(**created, table_id=table_id, **_content(spec)))

    def replace_table(self, caller: Principal, spec: TableSpec) -> Table:
        """CREATE OR REPLACE: owner, grants and age of an existing table stay; old data elsewhere is discarded."""
        existing = self.find_table(spec.full_name)
        if existing is None:
            return self.register_table(caller, spec)
        self.require(caller, MANAGE, "table", existing.full_name)
        with self._state.transaction():
            changed = self._save(
                caller, existing, comment=spec.comment, properties=spec.properties, **_content(spec)
            )
            left = self._bury(existing) if existing.location != spec.location else None
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
        table = self.table(full_name)
        self.require(caller, "MODIFY", "table", table.full_name)
        given = {"columns": columns, "properties": properties, "comment": comment}
        return self._save(
            caller, table, **{name: value for name, value in given.items() if value is not None}
        )

    def rename_table(self, caller: Principal, full_name: str, new_full_name: str) -> Table:
        """Give a table another name within its catalog; data and grants stay."""
        table = self.table(full_name)
        self.require(caller, MANAGE, "table", table.full_name)
        new_full_name = self._placed(caller, "CREATE_TABLE", new_full_name, Table)
        if new_full_name.split(".")[0] != table.catalog:
            raise InvalidParameterValue(
                f"{full_name} cannot be renamed into another catalog; copy it instead."
            )
        with self._state.transaction():
            self._refuse_taken(Table, new_full_name)
            renamed = dataclasses.replace(table, full_name=new_full_name)
            self._rows.rename(table.full_name, renamed)
            return self._save(caller, renamed)

    def drop_table(self, caller: Principal, full_name: str, *, if_exists: bool = False) -> None:
        """Drop a table or view; the data of a managed table goes with it."""
        self._drop(caller, Table, full_name, if_exists=if_exists)

    # Functions

    def functions(self, catalog: str, schema: str) -> list[Function]:
        """All functions of a schema, by name."""
        return self._rows.inside(Function, self.schema(f"{catalog}.{schema}").full_name)

    def function(self, full_name: str) -> Function:
        """Raises NotFound when there is none of that name."""
        return self._existing(Function, full_name)

    def register_function(self, caller: Principal, spec: FunctionSpec, *, replace: bool = False) -> Function:
        """Enter an SQL function; with `replace`, over one of the same name, whose grants stay."""
        existing = self._rows.find(Function, spec.full_name.lower())
        content: dict[str, Any] = {
            "parameters": spec.parameters,
            "returns": spec.returns,
            "body_sql": spec.body_sql,
        }
        if existing and replace:
            self.require(caller, MANAGE, "function", existing.full_name)
            return self._save(caller, existing, comment=spec.comment, **content)
        full_name = self._placed(caller, "CREATE_FUNCTION", spec.full_name, Function)
        created = self._new(caller, full_name, spec.comment, None)
        return self._add(Function(**created, function_id=ids.new_uuid(), **content))

    def drop_function(self, caller: Principal, full_name: str, *, if_exists: bool = False) -> None:
        """Drop a function."""
        self._drop(caller, Function, full_name, if_exists=if_exists)

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
        securable = self.securable(kind, full_name)
        self._grants.change(caller, (kind, securable.full_name), principal, add=privileges)

    def change_grants(
        self, caller: Principal, kind: str, full_name: str, changes: Iterable[dict[str, Any]]
    ) -> None:
        """Several changes {principal, add, remove} as one."""
        securable = self.securable(kind, full_name)
        with self._state.transaction():
            for change in changes:
                add, remove = change.get("add") or (), change.get("remove") or ()
                self._grants.change(
                    caller, (kind, securable.full_name), change["principal"], add=add, remove=remove
                )

    def revoke(
        self, caller: Principal, kind: str, full_name: str, principal: str, privileges: Iterable[str]
    ) -> None:
        """Take back privileges; those that were not granted are no error."""
        securable = self.securable(kind, full_name)
        self._grants.change(caller, (kind, securable.full_name), principal, remove=privileges)

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
        return self._existing(KINDS[kind], full_name)

    def update(self, caller: Principal, securable: S, **changes: Any) -> S:
        """Change owner, comment or properties.

        Raises:
            NotFound: the new owner is not known here.
        """
        self.require(caller, MANAGE, securable.kind, securable.full_name)
        owner = changes.get("owner")
        if owner is not None and self._identities.find(owner) is None:
            raise NotFound(
                f"Could not find principal with name {owner}.", error_code="PRINCIPAL_DOES_NOT_EXIST"
            )
        return self._save(caller, securable, **changes)

    def _ensure_metastore(self, owner: Principal) -> Metastore:
        known = self._state.one("SELECT full_name FROM securables WHERE kind = 'metastore'")
        if known:
            return self._existing(Metastore, known["full_name"])
        metastore = Metastore(**self._new(owner, ids.new_uuid(), None, None))
        self._rows.save(metastore)
        return metastore

    def _existing(self, kind: type[S], full_name: str) -> S:
        found = self._rows.find(kind, full_name.lower())
        if found is None:
            raise NotFound(
                f"{kind.kind.capitalize()} '{full_name.lower()}' does not exist.",
                error_code=f"{kind.kind.upper()}_DOES_NOT_EXIST",
            )
        return found

    def _placed(self, caller: Principal, privilege: str, full_name: str, kind: type[Securable]) -> str:
        """The valid name of a new securable, whose parent exists and lets the caller create it there."""
        full_name = valid_full_name(full_name, kind.kind)
        parent_kind = Catalog if kind is Schema else Schema
        parent = self._existing(parent_kind, parent_of(full_name))
        self.require(caller, privilege, parent_kind.kind, parent.full_name)
        return full_name

    def _new(
        self, caller: Principal, full_name: str, comment: str | None, properties: dict[str, str] | None
    ) -> dict[str, Any]:
        """The fields that every new securable has."""
        now = milliseconds(self._clock.now())
        return {
            "full_name": full_name,
            "owner": caller.name,
            "comment": comment,
            "properties": properties or {},
            "created_at": now,
            "created_by": caller.name,
            "updated_at": now,
            "updated_by": caller.name,
        }

    def _add(self, securable: S) -> S:
        with self._state.transaction():
            self._refuse_taken(type(securable), securable.full_name)
            self._rows.save(securable)
        return securable

    def _refuse_taken(self, kind: type[Securable], full_name: str) -> None:
        if self._rows.owner(kind.kind, full_name) is not None:
            raise ResourceAlreadyExists(
                f"{kind.kind.capitalize()} '{full_name}' already exists.",
                details=[error_info(f"{kind.kind.upper()}_ALREADY_EXISTS")],
            )

    def _save(self, caller: Principal, securable: S, **changes: Any) -> S:
        now = milliseconds(self._clock.now())
        changed = dataclasses.replace(securable, **changes, updated_at=now, updated_by=caller.name)
        self._rows.save(changed)
        return changed

    def _drop(
        self,
        caller: Principal,
        kind: type[Securable],
        full_name: str,
        *,
        cascade: bool = False,
        if_exists: bool = False,
    ) -> None:
        with self._state.transaction():
            if if_exists and self._rows.owner(kind.kind, full_name.lower()) is None:
                return
            securable = self._existing(kind, full_name)
            self.require(caller, MANAGE, kind.kind, securable.full_name)
            inside = self._rows.children(securable.full_name)
            if inside and not cascade:
                raise BadRequest(
                    f"{kind.kind.capitalize()} '{securable.full_name}' is not empty: it holds {inside} objects."
                    " Drop them first, or drop it with force (in SQL: CASCADE).",
                    error_code=f"{kind.kind.upper()}_NOT_EMPTY",
                )
            buried = self._bury(securable)
            self._rows.delete(kind.kind, securable.full_name)
        disk.delete(buried)

    def _bury(self, securable: Securable) -> Path | None:
        """Take the files of a securable out of their place, to be deleted once its row is gone."""
        match securable:
            case Catalog() | Schema():
                files = self.storage.root.joinpath(*securable.full_name.split("."))
            case Volume(directory=directory):
                files = directory
            case Table(location=Path() as location) if (
                self._owns(location) and securable.table_type != "EXTERNAL"
            ):
                files = location
            case _:
                return None
        return self.storage.discard(files)

    def _owns(self, location: Path) -> bool:
        return self.storage.root in location.parents


def error_info(reason: str) -> dict[str, Any]:
    """The detail that names an error more closely than its code."""
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "unity-catalog.databricks.com",
    }


def _content(spec: TableSpec) -> dict[str, Any]:
    """The fields that a table has from its spec alone, whether new or replaced."""
    return {
        "table_type": spec.table_type,
        "columns": spec.columns,
        "location": spec.location,
        "view_definition": spec.view_definition,
        "pipeline_id": spec.pipeline_id,
    }
