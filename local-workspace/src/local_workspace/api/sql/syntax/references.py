"""The names a query or a change of rows uses: tables, functions and columns qualified by tables, each with its place.

sqlglot tells what is what; the places lead back to the text as it was written, which stays as it is elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from local_workspace.api.sql.syntax.lexer import Token, syntax_error, tokens
from local_workspace.api.sql.syntax.reader import Name

AFTER_A_TABLE = {
    *(
        "ANTI",
        "AS",
        "CLUSTER",
        "CROSS",
        "DISTRIBUTE",
        "EXCEPT",
        "FULL",
        "GROUP",
        "HAVING",
        "INNER",
        "INTERSECT",
    ),
    *(
        "JOIN",
        "LATERAL",
        "LEFT",
        "LIMIT",
        "MINUS",
        "NATURAL",
        "OFFSET",
        "ON",
        "ORDER",
        "PIVOT",
        "QUALIFY",
        "RIGHT",
    ),
    *("SEMI", "SET", "SORT", "TABLESAMPLE", "UNION", "UNPIVOT", "USING", "WHEN", "WHERE", "WINDOW"),
}
"""Words that end the expression of VERSION AS OF and TIMESTAMP AS OF."""


@dataclass(frozen=True)
class TableReference:
    """A table named in FROM, JOIN, or as the target of a change.

    Attributes:
        alias_at: where an alias has to be put so that the table keeps its name; None when it has an alias.
        travels: it is read as of a version or time.
    """

    parts: Name
    start: int
    end: int
    alias_at: int | None
    travels: bool = False


@dataclass(frozen=True)
class Argument:
    """An argument of a call: its name when it was given by name, and its text's place."""

    name: str | None
    start: int
    end: int


@dataclass(frozen=True)
class FunctionReference:
    """A call of a function that is not one of the engine's by its looks.

    Attributes:
        start: where the call starts, TABLE( included.
        arguments: in the order given.
        alias_at: where to put an alias; None when there is one or none is needed.
    """

    parts: Name
    start: int
    end: int
    arguments: tuple[Argument, ...]
    is_table: bool
    alias_at: int | None = None


@dataclass(frozen=True)
class Qualifier:
    """`schema.table.` or `catalog.schema.table.` before a column, or a column before its fields; `starts`: each part's place."""

    parts: Name
    starts: tuple[int, ...]


@dataclass(frozen=True)
class BareColumn:
    """A column, with its qualifier of at most one part; in a function's body it may be a parameter."""

    name: str
    table: str | None
    start: int
    end: int


@dataclass(frozen=True)
class Alias:
    """A name that a statement gives to a table, subquery or common table expression, or that a table keeps."""

    name: str


@dataclass(frozen=True)
class References:
    """All names of a statement that matter to the catalog."""

    tables: tuple[TableReference, ...] = field(default=())
    functions: tuple[FunctionReference, ...] = field(default=())
    qualifiers: tuple[Qualifier, ...] = field(default=())
    columns: tuple[BareColumn, ...] = field(default=())
    aliases: tuple[Alias, ...] = field(default=())


@lru_cache(maxsize=512)
def references(text: str) -> References:
    """The names used in a query, INSERT source, UPDATE, DELETE or MERGE.

    Raises:
        SqlFailure: the text cannot be understood.
    """
    found = _Finder(text, _parsed(text))
    return References(
        tuple(found.tables()),
        tuple(found.functions()),
        tuple(found.qualifiers()),
        tuple(found.columns()),
        tuple(found.aliases()),
    )


def _parsed(text: str) -> exp.Expr:
    try:
        found = sqlglot.parse(text, dialect="databricks", error_level=ErrorLevel.IMMEDIATE)
    except SqlglotError as error:
        raise _syntax_error(text, error) from error
    trees = [tree for tree in found if tree is not None]
    if len(trees) != 1:
        raise syntax_error(text, 0, "send one statement at a time")
    return trees[0]


def _syntax_error(text: str, error: Any) -> Exception:
    """The parser's complaint as ours, without its terminal colours."""
    details: dict[str, Any] = (getattr(error, "errors", None) or [{}])[0]
    highlight = details.get("highlight") or ""
    context = details.get("start_context") or ""
    place = text.find(context + highlight) + len(context) if highlight else len(text)
    return syntax_error(
        text, max(place, 0), (details.get("description") or "it cannot be understood").rstrip(".")
    )


class _Finder:
    """Walks one parsed statement."""

    def __init__(self, text: str, tree: exp.Expr) -> None:
        self._text = text
        self._tree = tree
        self._tokens = tokens(text)
        self._at = {token.start: index for index, token in enumerate(self._tokens)}

    def tables(self) -> Iterator[TableReference]:
        for node in self._tree.find_all(exp.Table):
            if not isinstance(node.this, exp.Identifier) or _is_cte(node):
                continue
            identifiers = [
                part for part in (node.args.get("catalog"), node.args.get("db"), node.this) if part
            ]
            start, end = _start(identifiers[0]), _end(identifiers[-1])
            travels = node.args.get("version") is not None
            alias_at = None if node.alias else self._alias_place(end)
            yield TableReference(tuple(part.name for part in identifiers), start, end, alias_at, travels)

    def functions(self) -> Iterator[FunctionReference]:
        for node in self._tree.find_all(exp.Anonymous):
            if "start" not in node.meta or node.name.upper() == "TABLE":
                continue
            yield self._call(node)

    def qualifiers(self) -> Iterator[Qualifier]:
        for node in self._tree.find_all(exp.Column):
            identifiers = [part for part in map(node.args.get, ("catalog", "db", "table")) if part]
            if len(identifiers) > 1:
                yield Qualifier(tuple(part.name for part in identifiers), tuple(map(_start, identifiers)))

    def columns(self) -> Iterator[BareColumn]:
        for node in self._tree.find_all(exp.Column):
            if (
                isinstance(node.this, exp.Identifier)
                and not node.args.get("db")
                and "start" in node.this.meta
            ):
                table = node.args.get("table")
                yield BareColumn(node.name, node.table or None, _start(table or node.this), _end(node.this))

    def aliases(self) -> Iterator[Alias]:
        for node in self._tree.find_all(exp.TableAlias):
            if node.name:
                yield Alias(node.name)
        qualifiers = {column.table.lower() for column in self.columns() if column.table}
        for table in self.tables():
            if table.alias_at is not None and table.parts[-1].lower() in qualifiers:
                yield Alias(table.parts[-1])

    def _call(self, node: exp.Anonymous) -> FunctionReference:
        name_at = self._at[node.meta["start"]]
        first, parts = name_at, [self._tokens[name_at].value]
        while first > 1 and self._is_symbol(first - 1, ".") and self._tokens[first - 2].is_name:
            first -= 2
            parts.insert(0, self._tokens[first].value)
        close = self._closing(name_at + 1)
        arguments = tuple(self._arguments(name_at + 1, close))
        holder = _outermost_dot(node).parent
        start, end = self._tokens[first].start, self._tokens[close].end
        if isinstance(holder, exp.Anonymous) and holder.name.upper() == "TABLE":
            start, end = self._tokens[first - 2].start, self._tokens[close + 1].end
            holder = holder.parent
        is_table = isinstance(holder, (exp.Table, exp.Lateral))
        alias_at = end if is_table and not holder.alias else None
        return FunctionReference(tuple(parts), start, end, arguments, is_table, alias_at)

    def _arguments(self, opening: int, close: int) -> Iterator[Argument]:
        """The arguments between two parentheses, split at the commas of that level."""
        first, depth = opening + 1, 0
        for index in range(opening + 1, close + 1):
            token = self._tokens[index]
            ends = index == close or (depth == 0 and self._is_symbol(index, ","))
            if ends and index > first:
                named = self._is_symbol(first + 1, "=>")
                start = self._tokens[first + 2 if named else first].start
                yield Argument(
                    self._tokens[first].value if named else None, start, self._tokens[index - 1].end
                )
            if ends:
                first = index + 1
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0

    def _alias_place(self, name_end: int) -> int:
        """The place behind a table's name and what belongs to it: VERSION AS OF …, TABLESAMPLE (…)."""
        index = next(i for i, token in enumerate(self._tokens) if token.end == name_end) + 1
        words = self._tokens[index : index + 3]
        if len(words) > 2 and words[0].is_word("VERSION", "TIMESTAMP") and words[2].is_word("OF"):
            index = self._end_of_expression(index + 3)
        if index < len(self._tokens) and self._tokens[index].is_word("TABLESAMPLE"):
            index = self._closing(index + 1) + 1
        return self._tokens[index - 1].end

    def _end_of_expression(self, index: int) -> int:
        depth = 0
        while index < len(self._tokens):
            token = self._tokens[index]
            if depth == 0 and (token.is_word(*AFTER_A_TABLE) or token.text in {",", ")", ";"}):
                break
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
            index += 1
        return index

    def _closing(self, opening: int) -> int:
        """The index of the parenthesis that closes the one at `opening`."""
        depth = 0
        for index in range(opening, len(self._tokens)):
            depth += (
                {"(": 1, ")": -1}.get(self._tokens[index].text, 0)
                if self._tokens[index].kind == "symbol"
                else 0
            )
            if depth == 0:
                return index
        raise syntax_error(self._text, self._tokens[opening].start, "this parenthesis is never closed")

    def _is_symbol(self, index: int, symbol: str) -> bool:
        token: Token | None = self._tokens[index] if index < len(self._tokens) else None
        return token is not None and token.kind == "symbol" and token.text == symbol


def _is_cte(node: exp.Table) -> bool:
    """Whether a name of one part means a common table expression that is visible there."""
    if node.args.get("db"):
        return False
    name, inner = node.name.lower(), node
    while (outer := inner.parent) is not None:
        if isinstance(outer, exp.With):
            position = outer.expressions.index(inner)
            visible = outer.expressions[: position + bool(outer.recursive)]
            if any(cte.alias.lower() == name for cte in visible):
                return True
            outer = (
                outer.parent
            )  # the rest of the WITH does not see this one, and its owner was looked at here
            if outer is None:
                return False
        else:
            with_clause = outer.args.get("with_")
            if with_clause is not None and any(cte.alias.lower() == name for cte in with_clause.expressions):
                return True
        inner = outer
    return False


def _outermost_dot(node: exp.Expr) -> exp.Expr:
    while isinstance(node.parent, exp.Dot):
        node = node.parent
    return node


def _start(identifier: exp.Expr) -> int:
    return int(identifier.meta["start"])


def _end(identifier: exp.Expr) -> int:
    return int(identifier.meta["end"]) + 1
