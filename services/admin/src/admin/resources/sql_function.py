"""A SQL function in Unity Catalog."""

from collections.abc import Callable
from typing import LiteralString, cast

from caspers.clients.warehouse import Warehouse
from caspers.names import quoted
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound

from admin.resources.kind import Declared, Found


class SqlFunction:
    """Named in full. Specification: `definition` (a CREATE OR REPLACE statement) and `schemas`.

    In the definition `{function}` stands for the name, and every name in `schemas` for that schema.
    """

    patience_s = 120.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient, warehouse: Callable[[], Warehouse]) -> None:
        self._functions = workspace.functions
        self._warehouse = warehouse

    def read(self, wanted: Declared) -> Found | None:
        try:
            function = self._functions.get(wanted.name)
        except NotFound:
            return None
        return Found(function.function_id or wanted.name, maker=function.created_by or "")

    def create(self, wanted: Declared) -> str:
        self._warehouse().execute(_statement(wanted))
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self.create(wanted)

    def delete(self, wanted: Declared) -> None:
        self._functions.delete(wanted.name)


def _statement(wanted: Declared) -> LiteralString:
    """The definition with checked and quoted names in it; the rest is the text of a file of ours."""
    names = {role: quoted(schema) for role, schema in wanted.spec["schemas"].items()}
    return cast("LiteralString", wanted.spec["definition"].format(function=quoted(wanted.name), **names))
