"""CREATE TABLE, CREATE VIEW and CREATE FUNCTION: the statements that define something by many clauses."""

from local_workspace.api.sql.failures import unsupported
from local_workspace.api.sql.syntax.commands import CreateFunction, CreateTable, CreateView, FunctionParameter
from local_workspace.api.sql.syntax.data_types import ColumnType, DeltaType, read_type
from local_workspace.api.sql.syntax.reader import Reader


def create_table(reader: Reader, *, replace: bool) -> CreateTable:
    """What follows CREATE [OR REPLACE] TABLE."""
    if_not_exists = reader.take("IF", "NOT", "EXISTS")
    name = reader.name()
    columns = _columns(reader) if reader.at_symbol("(") else ()
    comment, query = None, None
    partition_by, cluster_by = tuple[str, ...](), tuple[str, ...]()
    properties: dict[str, str] = {}
    while reader.next is not None and query is None:
        match reader.identifier().upper():
            case "USING":
                _only_delta(reader)
            case "PARTITIONED":
                reader.expect("BY")
                partition_by = reader.identifiers()
            case "CLUSTER":
                reader.expect("BY")
                cluster_by = () if reader.take_any("AUTO", "NONE") else reader.identifiers()
            case "COMMENT":
                comment = reader.string()
            case "TBLPROPERTIES":
                properties = reader.properties()
            case "AS":
                query = reader.rest()
            case clause:
                raise unsupported(f"CREATE TABLE … {clause}")
    if not columns and query is None:
        raise reader.error("a table needs columns or AS a query")
    if columns and query is not None:
        raise unsupported("CREATE TABLE with both columns and AS a query")
    return CreateTable(
        name, columns, query, partition_by, cluster_by, comment, properties, replace, if_not_exists
    )


def create_view(reader: Reader, *, replace: bool) -> CreateView:
    """What follows CREATE [OR REPLACE] VIEW."""
    if_not_exists = reader.take("IF", "NOT", "EXISTS")
    name = reader.name()
    columns = _view_columns(reader) if reader.at_symbol("(") else ()
    comment, properties = None, dict[str, str]()
    while not reader.take("AS"):
        match reader.identifier().upper():
            case "COMMENT":
                comment = reader.string()
            case "TBLPROPERTIES":
                properties = reader.properties()
            case clause:
                raise unsupported(f"CREATE VIEW … {clause}")
    return CreateView(name, reader.rest(), columns, comment, properties, replace, if_not_exists)


def create_function(reader: Reader, *, replace: bool) -> CreateFunction:
    """What follows CREATE [OR REPLACE] FUNCTION."""
    if_not_exists = reader.take("IF", "NOT", "EXISTS")
    name = reader.name()
    parameters = _parameters(reader)
    reader.expect("RETURNS")
    returns: DeltaType | tuple[ColumnType, ...] = (
        _columns(reader) if reader.take("TABLE") else read_type(reader)
    )
    comment = None
    while not reader.take("RETURN"):
        match reader.identifier().upper():
            case "COMMENT":
                comment = reader.string()
            case "LANGUAGE":
                if not reader.take("SQL"):
                    raise unsupported(f"functions in {reader.rest()[:20]}; LANGUAGE SQL is")
            case "DETERMINISTIC" | "NOT" | "CONTAINS" | "READS" | "SQL" | "DATA":
                pass
            case clause:
                raise unsupported(f"CREATE FUNCTION … {clause}")
    return CreateFunction(name, parameters, returns, reader.rest(), comment, replace, if_not_exists)


def column(reader: Reader) -> ColumnType:
    """One column: name, type, NOT NULL, COMMENT."""
    if reader.at("CONSTRAINT") or reader.at("PRIMARY", "KEY") or reader.at("FOREIGN", "KEY"):
        raise unsupported("constraints of tables other than NOT NULL")
    name = reader.identifier()
    delta = read_type(reader)
    nullable, comment = True, None
    while (
        clause := reader.take_any("NOT", "COMMENT", "GENERATED", "DEFAULT", "PRIMARY", "CHECK")
    ) is not None:
        if clause == "NOT":
            reader.expect("NULL")
            nullable = False
        elif clause == "COMMENT":
            comment = reader.string()
        else:
            raise unsupported(f"columns with {clause}")
    return ColumnType(name, delta, nullable, comment)


def _columns(reader: Reader) -> tuple[ColumnType, ...]:
    reader.expect_symbol("(")
    found = [column(reader)]
    while reader.take_symbol(","):
        found.append(column(reader))
    reader.expect_symbol(")")
    return tuple(found)


def _view_columns(reader: Reader) -> tuple[tuple[str, str | None], ...]:
    reader.expect_symbol("(")
    found: list[tuple[str, str | None]] = []
    while not found or reader.take_symbol(","):
        name = reader.identifier()
        found.append((name, reader.string() if reader.take("COMMENT") else None))
    reader.expect_symbol(")")
    return tuple(found)


def _parameters(reader: Reader) -> tuple[FunctionParameter, ...]:
    reader.expect_symbol("(")
    found: list[FunctionParameter] = []
    while not reader.take_symbol(")"):
        name = reader.identifier()
        delta = read_type(reader)
        default = _default(reader) if reader.take("DEFAULT") else None
        comment = reader.string() if reader.take("COMMENT") else None
        found.append(FunctionParameter(name, delta, default, comment))
        reader.take_symbol(",")
    return tuple(found)


def _default(reader: Reader) -> str:
    """The expression of a default: up to the comma, COMMENT or parenthesis that ends the parameter."""
    start, depth = reader.place, 0
    while reader.next is not None:
        ends = reader.at_symbol(",") or reader.at_symbol(")") or reader.at("COMMENT")
        if depth == 0 and ends:
            break
        taken = reader.token()
        depth += {"(": 1, ")": -1}.get(taken.text, 0) if taken.kind == "symbol" else 0
    return reader.text[start : reader.place].strip()


def _only_delta(reader: Reader) -> None:
    source = reader.identifier()
    if source.upper() != "DELTA":
        raise unsupported(f"tables USING {source}; tables are Delta tables")
