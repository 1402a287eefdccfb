"""Write a canonical dataset as a folder of parquet files; `manifest.json` comes last and marks the folder complete."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from replayer.canonical.brands import catalogue
from replayer.canonical.cities import brand_locations, locations
from replayer.canonical.orders import generate_events

#: Raised with every change that alters the bytes of a dataset.
GENERATOR_VERSION = 1
ROW_GROUP_ROWS = 16_384
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Recipe:
    """What a dataset of ours is made from."""

    days: int
    seed: int

    @property
    def key(self) -> str:
        """The folder name of the dataset: other parameters or another generator never share one."""
        return f"v{GENERATOR_VERSION}-{self.days}d-s{self.seed}"


def write_dataset(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Generate the dataset into `folder` (created if absent) and return its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"locations": locations(), "brand_locations": brand_locations()} | vars(catalogue())
    tables["events"] = generate_events(recipe.days, recipe.seed)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", row_group_size=ROW_GROUP_ROWS)
    manifest: dict[str, Any] = {
        "key": recipe.key,
        "days": recipe.days,
        "seed": recipe.seed,
        "generator_version": GENERATOR_VERSION,
        "rows": {name: table.num_rows for name, table in tables.items()},
        "orders": _orders(tables["events"]),
    }
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    return manifest


def _orders(events: pa.Table) -> int:
    return int((events["event_type_id"].to_numpy() == 1).sum())
