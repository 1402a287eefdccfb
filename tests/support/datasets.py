"""Canonical datasets for tests, and volumes that are plain folders."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from caspers.errors import Conflict
from caspers.model.events import CANONICAL_EVENTS, DATASET_EPOCH_S
from replayer.canonical.write import Recipe, write_dataset

REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "reference_canonical"


@cache
def generated(days: int = 2, seed: int = 7) -> Path:
    """The folder of one of our own datasets, made once per test process."""
    folder = Path(mkdtemp(prefix="caspers-dataset-"))
    write_dataset(Recipe(days, seed), folder)
    return folder


def event(order_id: str, kind: int, second: int, sequence: int = 0, **values: Any) -> dict[str, Any]:
    """A row of `events.parquet`; `second` counts from the dataset's day 0."""
    row = dict.fromkeys(CANONICAL_EVENTS.names)
    return row | {
        "event_type_id": kind,
        "ts_seconds": DATASET_EPOCH_S + second,
        "location_id": 1,
        "order_id": order_id,
        "sequence": sequence,
        **values,
    }


def write_events(path: Path, rows: Sequence[dict[str, Any]], schema: pa.Schema = CANONICAL_EVENTS) -> Path:
    """`rows` as a parquet file at `path`."""
    pq.write_table(pa.Table.from_pylist(list(rows), schema), path)
    return path


class FolderFiles:
    """Whole files in a folder, each there or not there, as in a volume."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: bytes, *, overwrite: bool = True) -> None:
        path = self.folder / name
        if path.exists() and not overwrite:
            raise Conflict(f"{name} is there")
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.part")
        unfinished.write_bytes(content)
        unfinished.replace(path)

    def read_if_there(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def exists(self, name: str) -> bool:
        return (self.folder / name).exists()

    def names(self) -> list[str]:
        """The files in the order of their names."""
        return sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))

    def lines(self) -> list[bytes]:
        """All lines of all files."""
        return [line for name in self.names() for line in (self.folder / name).read_bytes().splitlines()]

    def events(self) -> list[dict[str, Any]]:
        """All lines, parsed."""
        return [orjson.loads(line) for line in self.lines()]
