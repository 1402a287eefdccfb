"""The brands with their menus, read from `brands.toml` and laid out for vectorised picking."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from caspers.model.tables import BRANDS, CATEGORIES, ITEMS, MENUS

#: Most pieces of one item in an order.
MAX_QTY = 3
#: How much less often an item sells than the one before it on its brand's menu.
POPULARITY_DECAY = 0.8


@dataclass(frozen=True)
class Catalogue:
    """Every brand, menu, category and item; ids count from 1 in file order, so id - 1 is a row of its table."""

    brands: pa.Table
    menus: pa.Table
    categories: pa.Table
    items: pa.Table

    @property
    def prep_minutes(self) -> np.ndarray:
        """Average minutes of preparation, by brand row."""
        return self.brands["avg_prep_time_min"].to_numpy()

    @property
    def popularity(self) -> np.ndarray:
        """Brand row × item row: cumulative share of a brand's sales up to and including each item."""
        brand_of_item = self.items["brand_id"].to_numpy() - 1
        sells = brand_of_item == np.arange(self.brands.num_rows)[:, None]
        rank = np.cumsum(sells, axis=1) - 1
        weight = np.where(sells, POPULARITY_DECAY**rank, 0.0)
        return np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)

    def order_lines(self) -> pa.Array:
        """The JSON of an item with its quantity, at position `item_row * MAX_QTY + qty - 1`."""
        return pa.array(
            [
                orjson.dumps(item | {"qty": qty}).decode()
                for item in self._sold_items()
                for qty in range(1, MAX_QTY + 1)
            ]
        )

    def _sold_items(self) -> list[dict[str, Any]]:
        return self.items.select(["id", "category_id", "menu_id", "brand_id", "name", "price"]).to_pylist()


@cache
def catalogue() -> Catalogue:
    """The catalogue of the packaged `brands.toml`."""
    text = files("replayer.canonical").joinpath("brands.toml").read_text(encoding="utf-8")
    brands: list[dict[str, Any]] = []
    menus: list[dict[str, Any]] = []
    categories: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    for brand_id, brand in enumerate(tomllib.loads(text)["brand"], start=1):
        whose = {"brand_id": brand_id, "menu_id": brand_id}
        brands.append(
            {
                "brand_id": brand_id,
                "name": brand["name"],
                "cuisine_type": brand["cuisine"],
                "avg_prep_time_min": float(brand["prep_min"]),
            }
        )
        menus.append({"id": brand_id, "brand_id": brand_id, "name": f"{brand['name']} Menu"})
        for category, sold in brand["menu"].items():
            categories.append({"id": len(categories) + 1, "name": category} | whose)
            items += [
                {"id": len(items) + n, "category_id": len(categories), "name": name, "price": price} | whose
                for n, (name, price) in enumerate(sold.items(), start=1)
            ]
    return Catalogue(
        pa.Table.from_pylist(brands, BRANDS.arrow_schema),
        pa.Table.from_pylist(menus, MENUS.arrow_schema),
        pa.Table.from_pylist(categories, CATEGORIES.arrow_schema),
        pa.Table.from_pylist(items, ITEMS.arrow_schema),
    )
