"""Statements as the engine can run them: catalog names become Delta directories, views and SQL functions their bodies.

The engine knows no catalog; every name is resolved, and every privilege checked, here.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from local_workspace.api.sql.change_feed import ChangeFeeds
from local_workspace.api.sql.failures import SqlFailure, unsupported
from local_workspace.api.sql.files import LocalFiles
from local_workspace.api.sql.names import Place, quoted
from local_workspace.api.sql.parameters import Bindings
from local_workspace.api.sql.parameters import quoted as string_literal
from local_workspace.api.sql.rendering import Rendering, Site
from local_workspace.api.sql.syntax.lexer import quoted_name, tokens
from local_workspace.api.sql.syntax.markers import markers
from local_workspace.api.sql.syntax.reader import Name
from local_workspace.api.sql.syntax.references import (
    FunctionReference,
    Qualifier,
    References,
    TableReference,
    references,
)
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.api.unity_catalog.securables import Function, Table
from local_workspace.errors import NotFound
from local_workspace.identity import Principal

MAX_DEPTH = 30
FILE_FORMATS = {"parquet", "json", "csv", "text", "delta", "orc", "avro", "binaryfile"}


@dataclass(frozen=True)
class Scope:
    """In whose name, and from where, names are looked up.

    Attributes:
        bindings: values of parameter markers; None where markers are not allowed.
        checked: privileges are checked; not inside views and functions, which their owners vouch for.
        arguments: SQL of a function's parameters, by lower-case name, inside its body.
        function: that function's own name, which may qualify its parameters.
    """

    caller: Principal
    place: Place
    bindings: Bindings | None = None
    checked: bool = True
    arguments: dict[str, str] = field(default_factory=dict)
    function: str = ""
    depth: int = 0

    def inside(self, function: str = "", arguments: dict[str, str] | None = None) -> "Scope":
        """The scope of the body of a view or function."""
        if self.depth >= MAX_DEPTH:
            raise SqlFailure(
                "INVALID_STATEMENT", f"Views or functions are nested more than {MAX_DEPTH} deep."
            )
        return replace(
            self,
            bindings=None,
            checked=False,
            arguments=arguments or {},
            function=function,
            depth=self.depth + 1,
        )


class Expander:
    """Turns statements on catalog names into statements on directories."""

    def __init__(self, catalog: UnityCatalog, files: LocalFiles, feeds: ChangeFeeds) -> None:
        self._catalog = catalog
        self._files = files
        self._feeds = feeds

    def expanded(self, text: str, scope: Scope, target: Table | None = None) -> str:
        """The text for the engine; `target` is the table that an UPDATE, DELETE or MERGE changes.

        Raises:
            SqlFailure: a table, function or parameter is unknown, or something is not supported.
            PermissionDenied: a privilege is missing.
        """
        found = references(text)
        rendering = Rendering(text)
        rendering.sites += self._marker_sites(text, scope)
        rendering.sites += self._table_sites(found, scope, target)
        rendering.sites += self._function_sites(rendering, found, scope)
        rendering.sites += self._argument_sites(found, scope)
        rendering.sites += _qualifier_sites(found, scope.place)
        return rendering.whole()

    def qualified(self, text: str, scope: Scope) -> str:
        """The text with all names of tables and functions in full, so that it means the same everywhere."""
        found = references(text)
        sites = [
            Site(table.start, table.end, lambda full=scope.place.full(table.parts): quoted(full))
            for table in found.tables
            if not _is_path(table.parts)
        ]
        for call in found.functions:
            function = self._function(call.parts, scope)
            if function is not None:
                name_end = next(
                    token.start for token in tokens(text) if token.start >= call.start and token.text == "("
                )
                if text[call.start : name_end].strip().upper() != "TABLE":
                    sites.append(Site(call.start, name_end, lambda full=function.full_name: quoted(full)))
        return Rendering(text, sites).whole()

    def expression(self, text: str, scope: Scope) -> str:
        """The same as `expanded` for a single expression."""
        return self.expanded(f"SELECT {text}", scope).removeprefix("SELECT ")

    def readable(self, name: Name, scope: Scope) -> Table:
        """A table or view that the scope's caller may read."""
        full_name = scope.place.full(name)
        table = self._catalog.find_table(full_name)
        if table is None:
            raise table_not_found(full_name)
        if scope.checked:
            self._catalog.require(scope.caller, "SELECT", "table", table.full_name)
        return table

    def _marker_sites(self, text: str, scope: Scope) -> Iterator[Site]:
        bindings = scope.bindings
        for marker in markers(text):
            if bindings is None:
                raise SqlFailure(
                    "UNBOUND_SQL_PARAMETER", "Parameter markers cannot stand in a view or function."
                )
            value = bindings.named(marker.name) if marker.name else bindings.ordinal(marker.ordinal)
            yield Site(marker.start, marker.end, lambda value=value: value)
        for start, end, word in _context_calls(text):
            yield Site(start, end, lambda word=word: _context_value(word, scope))

    def _table_sites(self, found: References, scope: Scope, target: Table | None) -> Iterator[Site]:
        first = min((table.start for table in found.tables), default=-1)
        for table in found.tables:
            changed = target if table.start == first else None
            text = self._table_text(table, scope, changed)
            yield Site(table.start, table.end, lambda text=text: text)
            if table.alias_at is not None and not _is_path(table.parts):
                alias = f" AS {quoted_name(self._alias(table, found, scope))}"
                yield Site(table.alias_at, table.alias_at, lambda alias=alias: alias)

    def _alias(self, table: TableReference, found: References, scope: Scope) -> str:
        """The table's own name; in a function where nothing is qualified by it, one that no argument can mean."""
        name = table.parts[-1]
        qualified = any((column.table or "").lower() == name.lower() for column in found.columns)
        return name if not scope.function or qualified or found.qualifiers else f"_{scope.depth}_{name}"

    def _table_text(self, reference: TableReference, scope: Scope, changed: Table | None) -> str:
        if changed is not None:
            return delta(changed)
        if _is_path(reference.parts):
            return self._files.source(
                reference.parts[1], reference.parts[0], scope.caller, checked=scope.checked
            )
        table = self.readable(reference.parts, scope)
        if table.location is not None:
            return delta(table)
        if table.table_type == "FOREIGN":
            raise unsupported(
                f"reading the synced table {table.full_name}: query it in Postgres, or query its source"
            )
        if reference.travels:
            raise SqlFailure(
                "EXPECT_TABLE_NOT_VIEW", f"{table.full_name} is a view; time travel is for tables."
            )
        return f"({self.expanded(view_query(table), scope.inside())})"

    def _function_sites(self, rendering: Rendering, found: References, scope: Scope) -> Iterator[Site]:
        for call in found.functions:
            name = call.parts[-1].lower()
            if len(call.parts) == 1 and name in {
                "read_files",
                "table_changes",
                "identifier",
                "ai_query",
                "http_request",
            }:
                yield Site(call.start, call.end, self._builtin(rendering, call, scope))
                continue
            function = self._function(call.parts, scope)
            if function is None:
                continue
            alias = f" AS {quoted_name(function.name)}" if call.alias_at is not None else ""
            yield Site(
                call.start,
                call.end,
                lambda call=call, function=function, alias=alias: (
                    self._call(rendering, call, function, scope) + alias
                ),
            )

    def _function(self, parts: Name, scope: Scope) -> Function | None:
        """The catalog's function of that name; None when a name of one part is the engine's business."""
        if len(parts) == 1 and scope.place.catalog is None:
            return None
        full_name = scope.place.full(parts, "function")
        with suppress(NotFound):
            return self._catalog.function(full_name)
        if len(parts) == 1:
            return None
        raise SqlFailure(
            "UNRESOLVED_ROUTINE", f"The function {full_name} cannot be found; check its name and schema."
        )

    def _call(self, rendering: Rendering, call: FunctionReference, function: Function, scope: Scope) -> str:
        """A call as a subquery or expression with the arguments in place of the parameters."""
        if scope.checked:
            self._catalog.require(scope.caller, "EXECUTE", "function", function.full_name)
        body = function.body_sql
        query = function.returns_table or tokens(body)[0].is_word("SELECT", "WITH", "VALUES")
        if query:
            self._refuse_capture(rendering.text, call, function, scope)
        given = [
            (argument.name, rendering.between(argument.start, argument.end)) for argument in call.arguments
        ]
        inner = scope.inside(function.name.lower(), _bound(function, given))
        if query:
            return f"({self.expanded(body, inner)})"
        return f"CAST(({self.expression(body, inner)}) AS {function.returns})"

    def _refuse_capture(self, text: str, call: FunctionReference, function: Function, scope: Scope) -> None:
        """Columns in arguments must mean the same inside the body, which has tables and columns of its own."""
        inside = references(function.body_sql)
        names = {table.name.lower() for table in inside.aliases}
        columns = self._columns(inside, scope)
        for column in references(text).columns:
            given = any(argument.start <= column.start < argument.end for argument in call.arguments)
            table, name = (column.table or "").lower(), column.name.lower()
            if given and (table in names if table else name in columns and name not in scope.arguments):
                raise SqlFailure(
                    "UNSUPPORTED_FEATURE",
                    f"The argument {text[column.start : column.end]} of {function.full_name} would mean something else"
                    " inside the function. Give its table an alias that the function does not use, and write"
                    " alias.column.",
                )

    def _columns(self, found: References, scope: Scope) -> set[str]:
        """The names of all columns of the tables that are read."""
        return {
            column.name.lower()
            for table in found.tables
            if not _is_path(table.parts)
            and (known := self._catalog.find_table(scope.place.full(table.parts))) is not None
            for column in known.columns
        }

    def _builtin(self, rendering: Rendering, call: FunctionReference, scope: Scope) -> Callable[[], str]:
        if call.parts[0].lower() == "table_changes":
            return lambda: self._table_changes(rendering, call, scope)
        if call.parts[0].lower() != "read_files":
            raise unsupported(f"the function {call.parts[0]}")
        given = {
            (argument.name or "path").lower(): rendering.between(argument.start, argument.end)
            for argument in call.arguments
        }
        values = {name: tokens(text)[0].value for name, text in given.items()}
        alias = " AS read_files" if call.alias_at is not None else ""
        return lambda: self._files.read_files(values, scope.caller, checked=scope.checked) + alias

    def _table_changes(self, rendering: Rendering, call: FunctionReference, scope: Scope) -> str:
        given = [rendering.between(argument.start, argument.end) for argument in call.arguments]
        if len(given) not in {2, 3}:
            raise SqlFailure(
                "WRONG_NUM_ARGS", "table_changes takes a table's name, a start, and an end if wanted."
            )
        table = self.readable(tuple(tokens(given[0])[0].value.replace("`", "").split(".")), scope)
        alias = " AS table_changes" if call.alias_at is not None else ""
        return self._feeds.subquery(table, given[1:]) + alias

    def _argument_sites(self, found: References, scope: Scope) -> Iterator[Site]:
        """Parameters in a function's body; a column of that name in one of its tables wins over a bare one."""
        if not scope.arguments:
            return
        columns = self._columns(found, scope)
        for column in found.columns:
            name = column.name.lower()
            own = column.table is not None and column.table.lower() == scope.function
            bare = column.table is None and name not in columns
            if name in scope.arguments and (own or bare):
                yield Site(column.start, column.end, lambda name=name: scope.arguments[name])


def table_not_found(full_name: str) -> SqlFailure:
    """The failure for a name that means no table or view."""
    return SqlFailure(
        "TABLE_OR_VIEW_NOT_FOUND",
        f"The table or view {quoted(full_name)} cannot be found. Verify the spelling and correctness of the schema and catalog.",
    )


def delta(table: Table) -> str:
    """A table's data as the engine names it."""
    if table.location is None:
        raise SqlFailure("EXPECT_TABLE_NOT_VIEW", f"{table.full_name} is a view; a table is needed here.")
    return f"delta.{quoted_name(str(table.location))}"


def view_query(view: Table) -> str:
    """A view's query, with its columns named as the view names them."""
    return view.view_definition or ""


def _bound(function: Function, given: list[tuple[str | None, str]]) -> dict[str, str]:
    """The SQL of every parameter, from the arguments by position, by name, and from defaults."""
    values: dict[str, str] = {}
    if len(given) > len(function.parameters):
        raise _wrong_arguments(function, len(given))
    known = {parameter.name.lower() for parameter in function.parameters}
    for (name, text), parameter in zip(given, function.parameters, strict=False):
        key = (name or parameter.name).lower()
        if key not in known or key in values:
            raise SqlFailure(
                "WRONG_NUM_ARGS", f"{function.full_name} has no parameter {key}, or it is given twice."
            )
        values[key] = text
    for parameter in function.parameters:
        text = values.get(parameter.name.lower(), parameter.default)
        if text is None:
            raise _wrong_arguments(function, len(given))
        values[parameter.name.lower()] = f"CAST({text} AS {parameter.type_text})"
    return values


def _wrong_arguments(function: Function, count: int) -> SqlFailure:
    expected = ", ".join(f"{parameter.name} {parameter.type_text}" for parameter in function.parameters)
    return SqlFailure(
        "WRONG_NUM_ARGS", f"{function.full_name}({expected}) was called with {count} arguments."
    )


def _qualifier_sites(found: References, place: Place) -> Iterator[Site]:
    """`catalog.schema.table.column` becomes `table.column`, as the tables keep their last name as alias."""
    known = {
        place.full(table.parts)
        for table in found.tables
        if table.alias_at is not None and not _is_path(table.parts)
    }
    for qualifier in found.qualifiers:
        length = _table_length(qualifier, known, place)
        if length > 1:
            start, end = qualifier.starts[0], qualifier.starts[length - 1]
            yield Site(start, end, lambda: "")


def _table_length(qualifier: Qualifier, known: set[str], place: Place) -> int:
    """How many parts of a qualifier name a known table: 3, 2, or 0."""
    for length in range(len(qualifier.parts), 1, -1):
        parts = qualifier.parts[:length]
        if (len(parts) == 3 or place.catalog) and place.full(parts) in known:
            return length
    return 0


def _is_path(parts: Name) -> bool:
    return len(parts) == 2 and parts[0].lower() in FILE_FORMATS and "/" in parts[1]


def _context_calls(text: str) -> Iterator[tuple[int, int, str]]:
    """Calls without arguments whose value is the session's, such as current_user()."""
    words = ("CURRENT_USER", "SESSION_USER", "USER", "CURRENT_CATALOG", "CURRENT_SCHEMA", "CURRENT_DATABASE")
    found = tokens(text)
    for before, token, opening, closing in zip((None, *found), found, found[1:], found[2:], strict=False):
        called = opening.text == "(" and closing.text == ")"
        if called and token.is_word(*words) and (before is None or before.text != "."):
            yield token.start, closing.end, token.text.upper()


def _context_value(word: str, scope: Scope) -> str:
    if word.endswith("USER"):
        return string_literal(scope.caller.name)
    if word == "CURRENT_CATALOG":
        return string_literal(scope.place.catalog) if scope.place.catalog else "CAST(NULL AS STRING)"
    return string_literal(scope.place.schema)
