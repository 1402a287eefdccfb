"""Catalogs, schemas and volumes by SQL, and what is said and granted about any securable."""

from collections.abc import Iterator

from local_workspace.api.sql import answers
from local_workspace.api.sql.call import Call
from local_workspace.api.sql.failures import SqlFailure
from local_workspace.api.sql.names import PARTS
from local_workspace.api.sql.syntax.commands import (
    Comment,
    CreateContainer,
    Drop,
    Grant,
    SecurableKind,
    ShowGrants,
    Use,
)
from local_workspace.api.sql.syntax.reader import Name
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.errors import ResourceAlreadyExists


class Containers:
    """Carries out statements on catalogs, schemas, volumes, comments and grants."""

    def __init__(self, catalog: UnityCatalog) -> None:
        self._catalog = catalog

    def create(self, call: Call, statement: CreateContainer) -> Iterator[bytes]:
        """CREATE CATALOG, SCHEMA or VOLUME."""
        name = call.scope.place.full(statement.name, statement.kind)
        comment, properties = statement.comment, statement.properties
        try:
            match statement.kind:
                case "catalog":
                    self._catalog.create_catalog(call.caller, name, comment=comment, properties=properties)
                case "schema":
                    self._catalog.create_schema(call.caller, name, comment=comment, properties=properties)
                case _:
                    self._catalog.create_volume(call.caller, name, comment=comment)
        except ResourceAlreadyExists:
            if not statement.if_not_exists:
                raise
        return answers.nothing()

    def drop(self, call: Call, statement: Drop) -> Iterator[bytes]:
        """DROP CATALOG, SCHEMA or VOLUME."""
        name = call.scope.place.full(statement.name, statement.kind)
        if statement.kind == "volume":
            self._catalog.drop_volume(call.caller, name, if_exists=statement.if_exists)
        elif statement.kind == "catalog":
            self._catalog.drop_catalog(
                call.caller, name, cascade=statement.cascade, if_exists=statement.if_exists
            )
        else:
            self._catalog.drop_schema(
                call.caller, name, cascade=statement.cascade, if_exists=statement.if_exists
            )
        return answers.nothing()

    def comment(self, call: Call, statement: Comment) -> Iterator[bytes]:
        """COMMENT ON."""
        securable = self._catalog.securable(statement.kind, self._full(call, statement.kind, statement.name))
        self._catalog.update(call.caller, type(securable), securable.full_name, comment=statement.comment)
        return answers.nothing()

    def grant(self, call: Call, statement: Grant) -> Iterator[bytes]:
        """GRANT and REVOKE."""
        name = self._full(call, statement.kind, statement.name)
        change = self._catalog.revoke if statement.revoke else self._catalog.grant
        change(call.caller, statement.kind, name, statement.principal, statement.privileges)
        return answers.nothing()

    def show_grants(self, call: Call, statement: ShowGrants) -> Iterator[bytes]:
        """SHOW GRANTS ON, with what is inherited."""
        name = self._full(call, statement.kind, statement.name)
        self._catalog.require_visible(call.caller, self._catalog.securable(statement.kind, name))
        rows = [
            (
                granted.principal,
                granted.privilege.replace("_", " "),
                *granted.granted_on,
            )
            for granted in self._catalog.effective_grants(statement.kind, name)
            if statement.principal in {None, granted.principal}
        ]
        return answers.answer(answers.texts("Principal", "ActionType", "ObjectType", "ObjectKey"), rows)

    def use(self, call: Call, statement: Use) -> Iterator[bytes]:
        """USE CATALOG and USE SCHEMA; the securable must exist and be usable."""
        catalog = statement.catalog.lower() if statement.catalog else call.session.catalog
        if catalog is None:
            raise SqlFailure(
                "OBJECT_NOT_FOUND", "No catalog is chosen: USE CATALOG first, or USE catalog.schema."
            )
        self._catalog.require(call.caller, "USE_CATALOG", "catalog", self._catalog.catalog(catalog).full_name)
        schema = statement.schema.lower() if statement.schema else None
        if schema is not None:
            self._catalog.require(
                call.caller, "USE_SCHEMA", "schema", self._catalog.schema(f"{catalog}.{schema}").full_name
            )
        call.session.catalog = catalog
        call.session.schema = schema or "default"
        return answers.nothing()

    def _full(self, call: Call, kind: SecurableKind, name: Name) -> str:
        if kind == "metastore":
            return self._catalog.metastore.full_name
        return call.scope.place.full(name, kind) if PARTS[kind] else ""
