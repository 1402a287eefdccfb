"""From text to a statement: which kind it is and what it says. Queries stay text; `references` looks into them."""

from collections.abc import Callable
from functools import lru_cache

from local_workspace.api.sql.failures import unsupported
from local_workspace.api.sql.syntax import commands as c
from local_workspace.api.sql.syntax import definitions
from local_workspace.api.sql.syntax.lexer import rows_of
from local_workspace.api.sql.syntax.reader import Name, Reader
from local_workspace.api.sql.syntax.shorthands import spelled_out

QUERY_WORDS = ("SELECT", "WITH", "VALUES", "FROM")
KINDS: dict[str, c.SecurableKind] = {
    "CATALOG": "catalog",
    "DATABASE": "schema",
    "FUNCTION": "function",
    "METASTORE": "metastore",
    "SCHEMA": "schema",
    "TABLE": "table",
    "VIEW": "table",
    "VOLUME": "volume",
}


@lru_cache(maxsize=512)
def parse(text: str) -> c.Statement:
    """What a statement says.

    Raises:
        SqlFailure: it cannot be understood, or is of a kind that is not supported.
    """
    text = spelled_out(Reader(text).rest())
    reader = Reader(text)
    if reader.at_symbol("(") or reader.at(*QUERY_WORDS[:1]) or reader.at("VALUES") or reader.at("FROM"):
        return c.Query(text)
    if reader.at("WITH"):
        return _after_with(text)
    word = reader.identifier().upper()
    read = STATEMENTS.get(word)
    if read is None:
        reader.index = 0
        raise reader.error(f"{word} does not begin a statement that the local workspace supports")
    statement = read(reader)
    reader.end()
    return statement


def _after_with(text: str) -> c.Statement:
    """WITH … SELECT, or WITH … INSERT INTO: the first such word outside parentheses decides."""
    reader, depth = Reader(text), 0
    while (token := reader.next) is not None:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        if depth == 0 and token.is_word("INSERT"):
            ctes = text[: token.start]
            reader.token()
            return _insert(reader, ctes)
        reader.token()
    return c.Query(text)


def _table(reader: Reader) -> c.Query:
    return c.Query(rows_of(reader.rest()))


def _explain(reader: Reader) -> c.Explain:
    mode = reader.take_any("EXTENDED", "FORMATTED", "CODEGEN", "COST") or ""
    return c.Explain(reader.rest(), mode)


def _insert(reader: Reader, ctes: str = "") -> c.Insert:
    overwrite = reader.take("OVERWRITE")
    if not overwrite:
        reader.expect("INTO")
    reader.take("TABLE")
    target = reader.name()
    if reader.at("PARTITION"):
        raise unsupported("INSERT … PARTITION; use INSERT INTO … REPLACE WHERE")
    if reader.at("BY", "NAME"):
        raise unsupported("INSERT … BY NAME; list the columns instead")
    columns = reader.identifiers() if _at_columns(reader) else None
    replace_where = _replace_where(reader) if reader.take("REPLACE", "WHERE") else None
    source = rows_of(reader.rest()) if reader.take("TABLE") else reader.rest()
    return c.Insert(target, ctes + source, columns, overwrite, replace_where)


def _at_columns(reader: Reader) -> bool:
    """Whether the parenthesis that comes holds columns, not a query."""
    after = reader.tokens[reader.index + 1 : reader.index + 2]
    return reader.at_symbol("(") and bool(after) and after[0].is_name and not after[0].is_word(*QUERY_WORDS)


def _replace_where(reader: Reader) -> str:
    start = reader.place
    while not any(reader.at(word) for word in (*QUERY_WORDS, "TABLE")):
        reader.token()
    return reader.text[start : reader.place].strip()


def _change(reader: Reader) -> c.Change:
    kind = reader.tokens[0].text.upper()
    if reader.at("WITH", "SCHEMA"):
        raise unsupported("MERGE WITH SCHEMA EVOLUTION; add the columns with ALTER TABLE first")
    reader.rest()
    return c.Change(kind, reader.text)  # pyright: ignore[reportArgumentType]  STATEMENTS sends these three words here


def _truncate(reader: Reader) -> c.Truncate:
    reader.expect("TABLE")
    return c.Truncate(reader.name())


def _create(reader: Reader) -> c.Statement:
    replace = reader.take("OR", "REPLACE")
    if reader.at("TEMPORARY") or reader.at("TEMP") or reader.at("GLOBAL"):
        raise unsupported("temporary views, tables and functions")
    what = reader.identifier().upper()
    match what:
        case "TABLE":
            return definitions.create_table(reader, replace=replace)
        case "VIEW":
            return definitions.create_view(reader, replace=replace)
        case "FUNCTION":
            return definitions.create_function(reader, replace=replace)
        case "CATALOG" | "SCHEMA" | "DATABASE" | "VOLUME" if not replace:
            return _create_container(reader, KINDS[what])
        case "MATERIALIZED" | "STREAMING" | "LIVE":
            raise unsupported("materialized views and streaming tables outside of pipelines")
        case _:
            raise unsupported(f"CREATE {what}")


def _create_container(reader: Reader, kind: c.SecurableKind) -> c.CreateContainer:
    if_not_exists = reader.take("IF", "NOT", "EXISTS")
    name = reader.name()
    comment, properties = None, dict[str, str]()
    while (clause := reader.take_any("COMMENT", "WITH", "DBPROPERTIES")) is not None:
        if clause == "COMMENT":
            comment = reader.string()
        elif clause == "DBPROPERTIES":
            properties = reader.properties()
    if reader.at("MANAGED", "LOCATION") or reader.at("LOCATION"):
        raise unsupported("locations of your own; managed storage is used")
    return c.CreateContainer(kind, name, comment, properties, if_not_exists)


def _drop(reader: Reader) -> c.Drop:
    what = reader.identifier().upper()
    if what not in KINDS or what == "METASTORE":
        raise unsupported(f"DROP {what}")
    if_exists = reader.take("IF", "EXISTS")
    name = reader.name()
    cascade = reader.take_any("CASCADE", "RESTRICT") == "CASCADE"
    return c.Drop(KINDS[what], name, if_exists, cascade, view=what == "VIEW")


def _alter(reader: Reader) -> c.AlterTable:
    if not reader.take_any("TABLE", "VIEW"):
        raise unsupported("ALTER of anything but tables and views")
    name = reader.name()
    if reader.take("ADD"):
        return c.AlterTable(name, add=_added(reader))
    if reader.take("SET", "TBLPROPERTIES"):
        return c.AlterTable(name, set_properties=reader.properties())
    if reader.take("UNSET", "TBLPROPERTIES"):
        reader.take("IF", "EXISTS")
        return c.AlterTable(
            name, unset_properties=tuple(key.strip(" '\"") for key in reader.group().split(","))
        )
    if reader.take("RENAME", "TO"):
        return c.AlterTable(name, rename_to=reader.name())
    if reader.take("ALTER", "COLUMN") or reader.take("CHANGE", "COLUMN"):
        column = reader.identifier()
        reader.expect("COMMENT")
        return c.AlterTable(name, column_comment=(column, reader.string()))
    raise unsupported(f"ALTER TABLE … {reader.rest()[:40]}")


def _added(reader: Reader) -> tuple:
    if not reader.take_any("COLUMN", "COLUMNS"):
        raise unsupported("ALTER TABLE … ADD of anything but columns")
    in_parentheses = reader.take_symbol("(")
    added = [definitions.column(reader)]
    while in_parentheses and reader.take_symbol(","):
        added.append(definitions.column(reader))
    if in_parentheses:
        reader.expect_symbol(")")
    return tuple(added)


def _comment(reader: Reader) -> c.Comment:
    reader.expect("ON")
    kind, name = _securable(reader)
    reader.expect("IS")
    return c.Comment(kind, name, None if reader.take("NULL") else reader.string())


def _grant(reader: Reader) -> c.Statement:
    revoke = reader.tokens[0].is_word("REVOKE")
    privileges = [_privilege(reader)]
    while reader.take_symbol(","):
        privileges.append(_privilege(reader))
    reader.expect("ON")
    kind, name = _securable(reader)
    reader.expect("FROM" if revoke else "TO")
    return c.Grant(tuple(privileges), kind, name, _principal(reader), revoke)


def _privilege(reader: Reader) -> str:
    words: list[str] = []
    while not reader.at("ON") and not reader.at_symbol(","):
        words.append(reader.identifier().upper())
    return "_".join(words)


def _principal(reader: Reader) -> str:
    return reader.string() if reader.next and reader.next.kind == "string" else reader.identifier()


def _securable(reader: Reader) -> tuple[c.SecurableKind, Name]:
    """The kind and name of a securable; a name alone means a table."""
    word = reader.take_any(*KINDS)
    if word == "METASTORE":
        return "metastore", ()
    return KINDS[word or "TABLE"], reader.name()


def _show(reader: Reader) -> c.Statement:
    if reader.take("GRANTS") or reader.take("GRANT"):
        principal = None if reader.at("ON") else _principal(reader)
        reader.expect("ON")
        return c.ShowGrants(*_securable(reader), principal)
    if reader.take("CREATE", "TABLE"):
        return c.Show("CREATE TABLE", reader.name())
    reader.take_any("USER", "ALL")
    what = reader.identifier().upper()
    what = {"DATABASES": "SCHEMAS"}.get(what, what)
    if what not in {
        "CATALOGS",
        "SCHEMAS",
        "TABLES",
        "VIEWS",
        "VOLUMES",
        "FUNCTIONS",
        "COLUMNS",
        "TBLPROPERTIES",
    }:
        raise unsupported(f"SHOW {what}")
    named = reader.take_any("IN", "FROM") is not None or what == "TBLPROPERTIES"
    inside = reader.name() if named else ()
    if what == "COLUMNS" and reader.take_any("IN", "FROM"):
        inside = (*reader.name(), *inside)
    reader.take("LIKE")
    pattern = reader.string() if reader.next and reader.next.kind == "string" else None
    return c.Show(what, inside, pattern)  # pyright: ignore[reportArgumentType]  checked against the same words above


def _describe(reader: Reader) -> c.Statement:
    if reader.take("QUERY") or any(reader.at(word) for word in QUERY_WORDS):
        return c.DescribeQuery(reader.rest())
    if reader.take("HISTORY"):
        name = reader.name()
        return c.Describe("table", name, "HISTORY", reader.whole_number() if reader.take("LIMIT") else None)
    if reader.take("DETAIL"):
        return c.Describe("table", reader.name(), "DETAIL")
    word = reader.take_any("TABLE", "CATALOG", "SCHEMA", "DATABASE", "FUNCTION", "VOLUME")
    extended = reader.take_any("EXTENDED", "FORMATTED")
    word = word or reader.take_any("TABLE")
    return c.Describe(KINDS[word or "TABLE"], reader.name(), "EXTENDED" if extended else "")


def _use(reader: Reader) -> c.Use:
    word = reader.take_any("CATALOG", "SCHEMA", "DATABASE")
    if word == "CATALOG":
        return c.Use(catalog=_principal(reader))
    parts = reader.name(2)
    return c.Use(*parts) if len(parts) == 2 else c.Use(schema=parts[0])


def _set(reader: Reader) -> c.SetVariable:
    if reader.next is None:
        return c.SetVariable()
    if reader.take("TIME", "ZONE"):
        return c.SetVariable("TIMEZONE", reader.rest().strip("'\""))
    name, _, value = reader.rest().partition("=")
    return c.SetVariable(name.strip(), value.strip().strip("'\"") if value else None)


def _optimize(reader: Reader) -> c.Optimize:
    name = reader.name()
    if reader.at("WHERE"):
        raise unsupported("OPTIMIZE … WHERE; the whole table can be optimized")
    reader.take("FULL")
    return c.Optimize(name, reader.identifiers() if reader.take("ZORDER", "BY") else ())


def _vacuum(reader: Reader) -> c.Vacuum:
    name = reader.name()
    reader.take_any("FULL", "LITE")
    hours = float(reader.token().text) if reader.take("RETAIN") else None
    reader.take("HOURS")
    return c.Vacuum(name, hours, reader.take("DRY", "RUN"))


STATEMENTS: dict[str, Callable[[Reader], c.Statement]] = {
    "ALTER": _alter,
    "COMMENT": _comment,
    "CREATE": _create,
    "DELETE": _change,
    "DESC": _describe,
    "DESCRIBE": _describe,
    "DROP": _drop,
    "EXPLAIN": _explain,
    "GRANT": _grant,
    "INSERT": _insert,
    "MERGE": _change,
    "OPTIMIZE": _optimize,
    "REVOKE": _grant,
    "SET": _set,
    "SHOW": _show,
    "TABLE": _table,
    "TRUNCATE": _truncate,
    "UPDATE": _change,
    "USE": _use,
    "VACUUM": _vacuum,
}
"""The first word of a statement → how the rest is read."""
