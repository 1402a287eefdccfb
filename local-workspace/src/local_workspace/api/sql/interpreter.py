"""What carries out a statement: reads it, decides what kind it is, and hands it to the part that knows that kind."""

from collections.abc import Callable, Iterator
from typing import Any

from local_workspace.api.sql.call import Call
from local_workspace.api.sql.change_feed import ChangeFeeds
from local_workspace.api.sql.changes import RowChanges, TableLocks
from local_workspace.api.sql.containers import Containers
from local_workspace.api.sql.definitions import Definitions
from local_workspace.api.sql.expansion import Expander
from local_workspace.api.sql.files import LocalFiles
from local_workspace.api.sql.inspection import Inspection
from local_workspace.api.sql.statements import Request
from local_workspace.api.sql.syntax import commands as c
from local_workspace.api.sql.syntax.grammar import parse
from local_workspace.api.sql.upkeep import Upkeep
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.engines.spark import Spark


class SqlInterpreter:
    """Carries out statements against Unity Catalog and the engine."""

    def __init__(self, catalog: UnityCatalog, spark: Spark, feeds: ChangeFeeds) -> None:
        self._spark = spark
        self._expander = expander = Expander(catalog, LocalFiles(catalog), feeds)
        locks = TableLocks()
        changes = RowChanges(catalog, expander, spark, locks)
        definitions = Definitions(catalog, expander, spark, changes)
        containers = Containers(catalog)
        inspection = Inspection(catalog, expander, spark)
        upkeep = Upkeep(changes, locks)
        self._parts: dict[type[Any], Callable[[Call, Any], Iterator[bytes]]] = {
            c.AlterTable: definitions.alter_table,
            c.Change: changes.change,
            c.Comment: containers.comment,
            c.CreateContainer: containers.create,
            c.CreateFunction: definitions.create_function,
            c.CreateTable: definitions.create_table,
            c.CreateView: definitions.create_view,
            c.Describe: inspection.describe,
            c.DescribeQuery: inspection.describe_query,
            c.Drop: lambda call, drop: (
                definitions if drop.kind in {"table", "function"} else containers
            ).drop(call, drop),
            c.Explain: self._explain,
            c.Grant: containers.grant,
            c.Insert: changes.insert,
            c.Optimize: upkeep.optimize,
            c.Query: self._query,
            c.SetVariable: inspection.set_variable,
            c.Show: inspection.show,
            c.ShowGrants: containers.show_grants,
            c.Truncate: changes.truncate,
            c.Use: containers.use,
            c.Vacuum: upkeep.vacuum,
        }

    def run(self, request: Request, operation: str) -> Iterator[bytes]:
        """Arrow IPC streams of the rows that a statement gives.

        Raises:
            SqlFailure: it cannot be understood or is not supported.
            ApiError: Unity Catalog refuses it.
            EngineError: the engine fails it.
        """
        statement = parse(request.text)
        return self._parts[type(statement)](Call(request, operation), statement)

    def interrupt(self, operation: str) -> None:
        """Stop a statement as soon as possible."""
        self._spark.interrupt(operation)

    def _query(self, call: Call, statement: c.Query) -> Iterator[bytes]:
        return self._spark.query(self._expander.expanded(statement.text, call.scope), call.operation)

    def _explain(self, call: Call, statement: c.Explain) -> Iterator[bytes]:
        text = self._expander.expanded(statement.text, call.scope)
        return self._spark.query(f"EXPLAIN {statement.mode} {text}", call.operation)
