"""A pipeline's table on disk: its files, what a commit added, and commits that cannot happen twice.

Every commit carries (flow, position) as a Delta app transaction: how far the flow had read when it wrote. Rows and
position become visible together, so a flow that is killed at any point goes on exactly where its rows end.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.transaction import AddAction, RemoveAction, Transaction

PROPERTIES = {
    "delta.checkpointInterval": "50",
    "delta.logRetentionDuration": "interval 1 days",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
}


class RowsRewritten(Exception):
    """A commit removed or changed rows, so it cannot be read as new rows only."""


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a table.

    Attributes:
        path: relative to the table's directory.
        partition: the text of each partition value, as the Delta log has it; None for a null.
        least, most: per column, the smallest and largest value, where known (partition columns included); moments are
            in UTC and do not say so.
        nulls: per column, the number of nulls, where known.
    """

    path: str
    size: int
    rows: int
    partition: Mapping[str, str | None] = field(default_factory=dict)
    least: Mapping[str, Any] = field(default_factory=dict)
    most: Mapping[str, Any] = field(default_factory=dict)
    nulls: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Commit:
    """What one commit changes and how far its flow had read.

    Attributes:
        flow: the flow's app transaction id.
        position: the flow's position after this commit.
        modified_at: Unix milliseconds, for the log.
        note: what the table's history shows.
    """

    flow: str
    position: int
    modified_at: int
    added: tuple[DataFile, ...] = ()
    removed: tuple[DataFile, ...] = ()
    note: Mapping[str, Any] = field(default_factory=dict)


class PipelineTable:
    """The Delta table of one dataset; written by one update at a time."""

    def __init__(self, location: Path) -> None:
        self.location = location
        self._delta = DeltaTable(location)
        self._files: list[DataFile] = []
        self._files_at = -1

    @classmethod
    def create(
        cls, location: Path, schema: pa.Schema, partition_by: Iterable[str], properties: Mapping[str, str]
    ) -> "PipelineTable":
        """Make an empty table, or empty the one that is there and give it this schema."""
        location.mkdir(parents=True, exist_ok=True)
        DeltaTable.create(
            location,
            Schema.from_arrow(_nullable(schema)),
            mode="overwrite",
            partition_by=list(partition_by),
            configuration={
                **PROPERTIES,
                **{name: value for name, value in properties.items() if name.startswith("delta.")},
            },
        )
        return cls(location)

    @staticmethod
    def exists(location: Path) -> bool:
        """True when a table is there."""
        return DeltaTable.is_deltatable(str(location))

    @property
    def version(self) -> int:
        """The newest version seen; `refresh` looks again."""
        return self._delta.version()

    @property
    def partition_columns(self) -> tuple[str, ...]:
        """The columns the table's directory is divided by."""
        return tuple(self._delta.metadata().partition_columns)

    @property
    def schema_json(self) -> str:
        """The schema as the Delta log has it."""
        return self._delta.schema().to_json()

    def has_schema(self, schema: pa.Schema, partition_by: Iterable[str]) -> bool:
        """True when the table has exactly these columns and partitions."""
        wanted = json.loads(Schema.from_arrow(_nullable(schema)).to_json())
        return json.loads(self.schema_json) == wanted and self.partition_columns == tuple(partition_by)

    def refresh(self) -> None:
        """See what others committed."""
        self._delta.update_incremental()

    def position(self, flow: str) -> int | None:
        """How far the flow had read at its last commit here; None when it never wrote."""
        return self._delta.transaction_version(flow)

    def files(self) -> list[DataFile]:
        """The files of the newest version."""
        if self._files_at != self.version:
            actions = pa.table(self._delta.get_add_actions(flatten=True))
            columns = {name: values(actions.column(name)) for name in actions.column_names}
            self._files = [
                _data_file(dict(zip(columns, row, strict=True)))
                for row in zip(*columns.values(), strict=True)
            ]
            self._files_at = self.version
        return self._files

    def rows(self) -> int:
        """The number of rows of the newest version."""
        return sum(file.rows for file in self.files())

    def added_since(self, version: int) -> list[DataFile]:
        """The files whose rows came after `version`.

        Raises:
            RowsRewritten: since then rows were removed, or the log of that time is gone.
        """
        added: list[DataFile] = []
        for number in range(version + 1, self.version + 1):
            for action in self._actions(number):
                if "add" in action and action["add"]["dataChange"]:
                    added.append(_added(action["add"]))
                elif "remove" in action and action["remove"].get("dataChange", True):
                    raise RowsRewritten(f"Version {number} of {self.location} removed rows.")
        return added

    def commit(self, commit: Commit) -> None:
        """Make a commit's files visible, and its flow's position with them."""
        actions: list[AddAction | RemoveAction] = [
            _add_action(file, commit.modified_at) for file in commit.added
        ]
        actions += [
            RemoveAction(
                file.path, True, commit.modified_at, size=file.size, partition_values=dict(file.partition)
            )
            for file in commit.removed
        ]
        self._delta.create_write_transaction(
            actions,
            "append",
            self._delta.schema(),
            list(self.partition_columns),
            commit_properties=CommitProperties(
                custom_metadata={"operationParameters": dict(commit.note)},
                app_transactions=[Transaction(commit.flow, commit.position, commit.modified_at)],
            ),
        )
        self._delta.update_incremental()

    def _actions(self, version: int) -> Iterator[dict[str, Any]]:
        entry = self.location / "_delta_log" / f"{version:020d}.json"
        try:
            lines = entry.read_text().splitlines()
        except FileNotFoundError:
            raise RowsRewritten(f"The log of version {version} of {self.location} is gone.") from None
        return (json.loads(line) for line in lines)


def values(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column as Python has them; moments without their time zone, which is always UTC here."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"))
    return column.to_pylist()


def _nullable(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(column.name, column.type, nullable=True) for column in schema])


def _data_file(action: dict[str, Any]) -> DataFile:
    def columns(prefix: str) -> dict[str, Any]:
        return {name.removeprefix(prefix): value for name, value in action.items() if name.startswith(prefix)}

    partition = columns("partition.")
    return DataFile(
        path=unquote(action["path"]),
        size=action["size_bytes"],
        rows=action["num_records"] or 0,
        partition={name: _partition_text(value) for name, value in partition.items()},
        least=_known(columns("min.") | partition),
        most=_known(columns("max.") | partition),
        nulls=_known(
            columns("null_count.") | {name: int(value is None) for name, value in partition.items()}
        ),
    )


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _partition_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


def _added(add: dict[str, Any]) -> DataFile:
    rows = json.loads(add.get("stats") or "{}").get("numRecords", 0)
    return DataFile(unquote(add["path"]), add["size"], rows, add["partitionValues"])


def _add_action(file: DataFile, modified_at: int) -> AddAction:
    statistics = {
        "numRecords": file.rows,
        "minValues": {name: _json_value(value) for name, value in file.least.items()},
        "maxValues": {name: _json_value(value) for name, value in file.most.items()},
        "nullCount": dict(file.nulls),
    }
    return AddAction(file.path, file.size, dict(file.partition), modified_at, True, json.dumps(statistics))


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.isoformat() if isinstance(value, date) else value
