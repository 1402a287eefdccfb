"""Statements as data: what each kind of statement says, without saying how it is done."""

from dataclasses import dataclass, field
from typing import Literal

from local_workspace.api.sql.syntax.data_types import ColumnType, DeltaType
from local_workspace.api.sql.syntax.reader import Name

SecurableKind = Literal["catalog", "schema", "table", "volume", "function", "metastore"]


@dataclass(frozen=True)
class Query:
    """SELECT, VALUES, WITH … SELECT, TABLE t."""

    text: str


@dataclass(frozen=True)
class Explain:
    """EXPLAIN of a query; `mode` is what stands between, such as EXTENDED."""

    text: str
    mode: str = ""


@dataclass(frozen=True)
class Insert:
    """INSERT INTO, INSERT OVERWRITE and INSERT INTO … REPLACE WHERE."""

    target: Name
    source: str
    columns: tuple[str, ...] | None = None
    overwrite: bool = False
    replace_where: str | None = None


@dataclass(frozen=True)
class Change:
    """UPDATE, DELETE or MERGE: the target is the first table that the text names."""

    kind: Literal["UPDATE", "DELETE", "MERGE"]
    text: str


@dataclass(frozen=True)
class Truncate:
    """TRUNCATE TABLE."""

    target: Name


@dataclass(frozen=True)
class CreateTable:
    """CREATE TABLE with columns, or AS a query."""

    name: Name
    columns: tuple[ColumnType, ...] = ()
    query: str | None = None
    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class CreateView:
    """CREATE VIEW; `columns` are (name, comment)."""

    name: Name
    query: str
    columns: tuple[tuple[str, str | None], ...] = ()
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class FunctionParameter:
    """A parameter; `default` is an SQL expression."""

    name: str
    type: DeltaType
    default: str | None = None
    comment: str | None = None


@dataclass(frozen=True)
class CreateFunction:
    """CREATE FUNCTION; `returns` is a type, or the columns of a table."""

    name: Name
    parameters: tuple[FunctionParameter, ...]
    returns: DeltaType | tuple[ColumnType, ...]
    body: str
    comment: str | None = None
    replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class AlterTable:
    """ALTER TABLE: one of new columns, properties set or unset, a new name, a new comment for a column."""

    name: Name
    add: tuple[ColumnType, ...] = ()
    set_properties: dict[str, str] | None = None
    unset_properties: tuple[str, ...] = ()
    rename_to: Name | None = None
    column_comment: tuple[str, str] | None = None


@dataclass(frozen=True)
class CreateContainer:
    """CREATE CATALOG, SCHEMA or VOLUME."""

    kind: SecurableKind
    name: Name
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    if_not_exists: bool = False


@dataclass(frozen=True)
class Drop:
    """DROP of anything; `view` where DROP VIEW was written."""

    kind: SecurableKind
    name: Name
    if_exists: bool = False
    cascade: bool = False
    view: bool = False


@dataclass(frozen=True)
class Comment:
    """COMMENT ON; None takes the comment away."""

    kind: SecurableKind
    name: Name
    comment: str | None


@dataclass(frozen=True)
class Grant:
    """GRANT or REVOKE."""

    privileges: tuple[str, ...]
    kind: SecurableKind
    name: Name
    principal: str
    revoke: bool = False


@dataclass(frozen=True)
class ShowGrants:
    """SHOW GRANTS [principal] ON a securable."""

    kind: SecurableKind
    name: Name
    principal: str | None = None


@dataclass(frozen=True)
class Show:
    """SHOW of what there is: `inside` is the catalog, schema or table it is asked of."""

    what: Literal[
        "CATALOGS",
        "SCHEMAS",
        "TABLES",
        "VIEWS",
        "VOLUMES",
        "FUNCTIONS",
        "COLUMNS",
        "TBLPROPERTIES",
        "CREATE TABLE",
    ]
    inside: Name = ()
    pattern: str | None = None


@dataclass(frozen=True)
class Describe:
    """DESCRIBE of anything; `form` EXTENDED, DETAIL or HISTORY for tables; `limit`: commits of a history."""

    kind: SecurableKind
    name: Name
    form: Literal["", "EXTENDED", "DETAIL", "HISTORY"] = ""
    limit: int | None = None


@dataclass(frozen=True)
class DescribeQuery:
    """DESCRIBE QUERY."""

    text: str


@dataclass(frozen=True)
class Use:
    """USE CATALOG, USE SCHEMA, USE c.s."""

    catalog: str | None = None
    schema: str | None = None


@dataclass(frozen=True)
class SetVariable:
    """SET name = value; without a value, show it; without a name, show all."""

    name: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Optimize:
    """OPTIMIZE, with ZORDER BY columns if given."""

    name: Name
    zorder_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vacuum:
    """VACUUM; `retain_hours` None means the table's own retention."""

    name: Name
    retain_hours: float | None = None
    dry_run: bool = False


Statement = (
    Query | Explain | Insert | Change | Truncate | CreateTable | CreateView | CreateFunction | AlterTable
    | CreateContainer | Drop | Comment | Grant | ShowGrants | Show | Describe | DescribeQuery | Use | SetVariable
    | Optimize | Vacuum
)  # fmt: skip
