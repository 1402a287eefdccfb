"""The medallion computed afresh by another engine (DuckDB), straight from the JSON lines in a folder."""

from pathlib import Path
from typing import Any

import duckdb

FRESH = """
CREATE VIEW events AS
SELECT DISTINCT ON (event_id) * FROM read_json(
    $lines, format = 'newline_delimited', maximum_object_size = 100000000,
    columns = {event_id: 'VARCHAR', event_type: 'VARCHAR', ts: 'TIMESTAMP', location_id: 'INTEGER',
               order_id: 'VARCHAR', sequence: 'INTEGER', body: 'VARCHAR'});
CREATE TABLE silver AS
SELECT order_id, location_id, ts AS order_ts, ts::DATE AS order_day, item.id AS item_id, item.menu_id,
       item.category_id, item.brand_id, item.name AS item_name, item.price, item.qty,
       round(item.price::DECIMAL(10,2) * item.qty, 2)::DOUBLE AS extended_price
FROM (SELECT *, unnest(from_json(body, '{"items": [{"id": "INTEGER", "category_id": "INTEGER", "menu_id": "INTEGER",
      "brand_id": "INTEGER", "name": "VARCHAR", "price": "DOUBLE", "qty": "INTEGER"}]}').items) AS item
      FROM events WHERE event_type = 'order_created');
"""

# Each statement means the same rows to DuckDB and to the warehouse, whose tables stand in its place holders.
ROWS = {
    "silver_order_items": (
        "SELECT order_id, item_id, brand_id, qty, sum(extended_price) AS total FROM {source} GROUP BY order_id, item_id, brand_id, qty",
        "silver",
    ),
    "gold_order_header": (
        (
            "SELECT order_id, location_id, CAST(order_day AS STRING) AS order_day, round(order_revenue, 2) AS revenue, "
            "total_qty, total_items, brands_in_order FROM {source}"
        ),
        (
            "(SELECT order_id, location_id, order_day, sum(extended_price) AS order_revenue, sum(qty) AS total_qty, "
            "count(item_id) AS total_items, count(DISTINCT brand_id) AS brands_in_order FROM silver GROUP BY ALL)"
        ),
    ),
    "gold_item_sales_day": (
        "SELECT item_id, CAST(day AS STRING) AS day, units_sold, round(gross_revenue, 2) AS revenue FROM {source}",
        (
            "(SELECT item_id, order_day AS day, sum(qty) AS units_sold, sum(extended_price) AS gross_revenue "
            "FROM silver GROUP BY ALL)"
        ),
    ),
    "gold_brand_sales_day": (
        "SELECT brand_id, CAST(day AS STRING) AS day, items_sold, round(brand_revenue, 2) AS revenue FROM {source}",
        (
            "(SELECT brand_id, order_day AS day, sum(qty) AS items_sold, sum(extended_price) AS brand_revenue "
            "FROM silver GROUP BY ALL)"
        ),
    ),
    "gold_location_sales_hourly": (
        "SELECT location_id, CAST(hour_ts AS STRING) AS hour_ts, round(revenue, 2) AS revenue FROM {source}",
        (
            "(SELECT location_id, date_trunc('hour', order_ts) AS hour_ts, sum(extended_price) AS revenue "
            "FROM silver GROUP BY ALL)"
        ),
    ),
}


class FreshMedallion:
    """Silver and gold as they must be, given the JSON lines in a folder."""

    def __init__(self, folder: Path) -> None:
        self._duckdb = duckdb.connect()
        # DuckDB takes no parameters in a view, and the folder is the test's own.
        quoted = "'" + str(folder / "**" / "*").replace("'", "''") + "'"
        self._duckdb.execute(FRESH.replace("$lines", quoted))

    def count(self) -> int:
        """Distinct events in the folder."""
        return self._one("SELECT count(*) FROM events")

    def event_ids(self) -> set[str]:
        """The ids of all events in the folder."""
        return {row[0] for row in self._duckdb.execute("SELECT event_id FROM events").fetchall()}

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """The rows of a silver or gold table in a comparable form."""
        statement, source = ROWS[table]
        return [_plain(row) for row in self._duckdb.execute(statement.format(source=source)).fetchall()]

    def _one(self, statement: str) -> Any:
        row = self._duckdb.execute(statement).fetchone()
        assert row is not None
        return row[0]


def warehouse_statement(table: str, full_name: str) -> str:
    """The statement that gives a warehouse's rows of `table` in the same form."""
    return ROWS[table][0].format(source=full_name)


def comparable(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Rows of a warehouse as `FreshMedallion.rows` gives them."""
    return [_plain(tuple(row.values())) for row in rows]


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(round(float(value), 2) if isinstance(value, float) else value for value in row)
