"""What Unity Catalog holds: catalogs, schemas, volumes, tables, functions, and the metastore above them.

Times are Unix milliseconds, as on the wire. Rows and versions of a table are not here: they live in its Delta log.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Securable:
    """Something with a name, an owner and privileges."""

    kind: ClassVar[str]

    full_name: str
    owner: str
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    created_at: int
    created_by: str
    updated_at: int
    updated_by: str

    @property
    def catalog(self) -> str:
        """The first part of the full name."""
        return self.full_name.split(".")[0]

    @property
    def schema(self) -> str:
        """The second part of the full name."""
        return self.full_name.split(".")[1]

    @property
    def name(self) -> str:
        """The last part of the full name."""
        return self.full_name.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True)
class Metastore(Securable):
    """The root: its full name is its id."""

    kind = "metastore"


@dataclass(frozen=True, kw_only=True)
class Catalog(Securable):
    """A catalog; `catalog_type` is MANAGED_ONLINE_CATALOG for one that stands for a Lakebase database."""

    kind = "catalog"
    catalog_type: str = "MANAGED_CATALOG"
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Schema(Securable):
    """A schema of a catalog."""

    kind = "schema"
    schema_id: str


@dataclass(frozen=True, kw_only=True)
class Volume(Securable):
    """A managed volume and the directory of its files."""

    kind = "volume"
    volume_id: str
    directory: Path


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column; `type_text` is the SQL type in lower case, `type_json` the field as the Delta log has it."""

    name: str
    type_text: str
    position: int
    nullable: bool = True
    comment: str | None = None
    type_json: str | None = None


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """What a table or view is to be.

    Attributes:
        table_type: MANAGED, EXTERNAL, VIEW, MATERIALIZED_VIEW, STREAMING_TABLE or FOREIGN (rows are in Postgres).
        location: directory of the Delta table; None for a view or a foreign table.
        view_definition: the query of a view.
        pipeline_id: the pipeline that alone writes this table.
    """

    full_name: str
    table_type: str
    columns: tuple[Column, ...] = ()
    location: Path | None = None
    view_definition: str | None = None
    comment: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    pipeline_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Table(Securable):
    """A table or view; the fields are those of TableSpec."""

    kind = "table"
    table_id: str
    table_type: str
    columns: tuple[Column, ...] = ()
    location: Path | None = None
    view_definition: str | None = None
    pipeline_id: str | None = None

    @property
    def data_source_format(self) -> str | None:
        """DELTA; POSTGRESQL_FORMAT for a synced table; None for a view, which has no data of its own."""
        if self.table_type == "FOREIGN":
            return "POSTGRESQL_FORMAT"
        return "DELTA" if self.location else None


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a function; `default` is an SQL expression."""

    name: str
    type_text: str
    default: str | None = None
    comment: str | None = None


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """What an SQL function is to be.

    Attributes:
        returns: the SQL type of a scalar function, or the columns of a table function.
        body_sql: the expression of a scalar function, or the query of a table function.
    """

    full_name: str
    parameters: tuple[Parameter, ...] = ()
    returns: str | tuple[Parameter, ...]
    body_sql: str
    comment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Function(Securable):
    """An SQL function; the fields are those of FunctionSpec."""

    kind = "function"
    function_id: str
    parameters: tuple[Parameter, ...] = ()
    returns: str | tuple[Parameter, ...]
    body_sql: str

    @property
    def returns_table(self) -> bool:
        """True for a table function."""
        return not isinstance(self.returns, str)
