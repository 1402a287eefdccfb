"""Every Unity Catalog table of the demo: its columns, its key, and the one part of the product that writes it."""

from dataclasses import dataclass

import pyarrow as pa

_ARROW = {
    "BIGINT": pa.int64(),
    "INT": pa.int32(),
    "DOUBLE": pa.float64(),
    "STRING": pa.string(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "DECIMAL(10,2)": pa.decimal128(10, 2),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Column:
    """A column with its Spark SQL type."""

    name: str
    sql_type: str


@dataclass(frozen=True)
class Table:
    """A table as "schema.table"; `Names.table(table.name)` gives its full name."""

    name: str
    writer: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    partitioned_by: tuple[str, ...] = ()

    @property
    def short_name(self) -> str:
        return self.name.partition(".")[2]

    @property
    def arrow_schema(self) -> pa.Schema:
        """The same columns for parquet files and Arrow tables; key columns are not null."""
        return pa.schema(
            [
                pa.field(column.name, _ARROW[column.sql_type], nullable=column.name not in self.key)
                for column in self.columns
            ]
        )


def _columns(text: str) -> tuple[Column, ...]:
    """Columns from "name TYPE, name TYPE"."""
    return tuple(Column(*part.split()) for part in text.split(", "))


_CANONICAL_DATA = "admin (Canonical_Data)"
_PIPELINE = "pipeline order_items"
_EVENT = "event_id STRING, event_type STRING, ts TIMESTAMP, location_id INT, order_id STRING, sequence INT, body STRING"

BRANDS = Table(
    "simulator.brands",
    _CANONICAL_DATA,
    _columns("brand_id INT, name STRING, cuisine_type STRING, avg_prep_time_min DOUBLE"),
    key=("brand_id",),
)
LOCATIONS = Table(
    "simulator.locations",
    _CANONICAL_DATA,
    _columns(
        "location_id INT, location_code STRING, name STRING, address STRING, lat DOUBLE, lon DOUBLE, "
        "narrative STRING, base_orders_day DOUBLE, growth_rate_daily DOUBLE"
    ),
    key=("location_id",),
)
MENUS = Table("simulator.menus", _CANONICAL_DATA, _columns("id INT, brand_id INT, name STRING"), key=("id",))
CATEGORIES = Table(
    "simulator.categories",
    _CANONICAL_DATA,
    _columns("id INT, menu_id INT, brand_id INT, name STRING"),
    key=("id",),
)
ITEMS = Table(
    "simulator.items",
    _CANONICAL_DATA,
    _columns("id INT, category_id INT, menu_id INT, brand_id INT, name STRING, price DOUBLE"),
    key=("id",),
)
BRAND_LOCATIONS = Table(
    "simulator.brand_locations",
    _CANONICAL_DATA,
    _columns(
        "brand_location_id INT, brand_id INT, location_id INT, start_day INT, end_day INT, "
        "trajectory STRING, growth_rate_monthly DOUBLE"
    ),
    key=("brand_location_id",),
)

ALL_EVENTS = Table(
    "lakeflow.all_events",
    _PIPELINE,
    _columns(f"{_EVENT}, _source_file STRING, _ingested_at TIMESTAMP"),
    key=("event_id",),
)
QUARANTINED_EVENTS = Table(
    "lakeflow.quarantined_events",
    _PIPELINE,
    _columns("raw_line STRING, reason STRING, _source_file STRING, _ingested_at TIMESTAMP"),
)
SILVER_ORDER_ITEMS = Table(
    "lakeflow.silver_order_items",
    _PIPELINE,
    _columns(
        "order_id STRING, location_id INT, order_ts TIMESTAMP, order_day DATE, item_id INT, menu_id INT, "
        "category_id INT, brand_id INT, item_name STRING, price DOUBLE, qty INT, extended_price DOUBLE"
    ),
    partitioned_by=("order_day",),
)
GOLD_ORDER_HEADER = Table(
    "lakeflow.gold_order_header",
    _PIPELINE,
    _columns(
        "order_id STRING, location_id INT, order_day DATE, order_revenue DOUBLE, total_qty BIGINT, "
        "total_items BIGINT, brands_in_order BIGINT"
    ),
    key=("order_id",),
)
GOLD_ITEM_SALES_DAY = Table(
    "lakeflow.gold_item_sales_day",
    _PIPELINE,
    _columns(
        "item_id INT, menu_id INT, category_id INT, brand_id INT, day DATE, units_sold BIGINT, gross_revenue DOUBLE"
    ),
    key=("item_id", "menu_id", "category_id", "brand_id", "day"),
)
GOLD_BRAND_SALES_DAY = Table(
    "lakeflow.gold_brand_sales_day",
    _PIPELINE,
    _columns("brand_id INT, day DATE, orders BIGINT, items_sold BIGINT, brand_revenue DOUBLE"),
    key=("brand_id", "day"),
)
GOLD_LOCATION_SALES_HOURLY = Table(
    "lakeflow.gold_location_sales_hourly",
    _PIPELINE,
    _columns("location_id INT, hour_ts TIMESTAMP, orders BIGINT, revenue DOUBLE"),
    key=("location_id", "hour_ts"),
)

REFUND_RECOMMENDATIONS = Table(
    "recommender.refund_recommendations",
    "refund-manager",
    _columns(
        "order_id STRING, ts TIMESTAMP, order_ts TIMESTAMP, delivered_ts TIMESTAMP, location_id INT, location STRING, "
        "brands STRING, customer_addr STRING, order_total DECIMAL(10,2), delivery_minutes DOUBLE, p50_minutes DOUBLE, "
        "p75_minutes DOUBLE, p99_minutes DOUBLE, agent_response STRING, refund_usd DECIMAL(10,2), refund_class STRING, "
        "reason STRING, origin STRING, agent_version STRING, run_id STRING"
    ),
    key=("order_id",),
)
AGENT_RUNS = Table(
    "ai.agent_runs",
    "refund-manager",
    _columns(
        "run_id STRING, agent STRING, subject STRING, started_at TIMESTAMP, took_ms DOUBLE, model STRING, "
        "agent_version STRING, origin STRING, outcome STRING, turns INT, prompt_tokens INT, completion_tokens INT, "
        "steps STRING, raw_output STRING, error STRING"
    ),
    key=("run_id",),
)
RAW_COMPLAINTS = Table(
    "complaints.raw_complaints",
    "complaint-console",
    _columns(
        "complaint_id STRING, order_id STRING, ts TIMESTAMP, location_id INT, location STRING, customer_addr STRING, "
        "complaint_category STRING, complaint_text STRING, generated_by STRING, run_id STRING"
    ),
    key=("complaint_id",),
)
COMPLAINT_RESPONSES = Table(
    "complaints.complaint_responses",
    "complaint-console",
    _columns(
        "complaint_id STRING, order_id STRING, ts TIMESTAMP, complained_at TIMESTAMP, order_ts TIMESTAMP, "
        "delivered_ts TIMESTAMP, location_id INT, location STRING, brands STRING, customer_addr STRING, "
        "order_total DECIMAL(10,2), delivery_minutes DOUBLE, p50_minutes DOUBLE, p75_minutes DOUBLE, p99_minutes DOUBLE, "
        "complaint_text STRING, agent_response STRING, complaint_category STRING, decision STRING, "
        "credit_amount DECIMAL(10,2), confidence STRING, priority STRING, rationale STRING, customer_response STRING, "
        "origin STRING, agent_version STRING, run_id STRING"
    ),
    key=("complaint_id",),
)

#: The tables that Canonical_Data reads from a dataset's parquet files, one file per table.
DIMENSIONS = (BRANDS, LOCATIONS, MENUS, CATEGORIES, ITEMS, BRAND_LOCATIONS)

#: The tables of the medallion, upstream first.
LAKEFLOW = (
    ALL_EVENTS,
    QUARANTINED_EVENTS,
    SILVER_ORDER_ITEMS,
    GOLD_ORDER_HEADER,
    GOLD_ITEM_SALES_DAY,
    GOLD_BRAND_SALES_DAY,
    GOLD_LOCATION_SALES_HOURLY,
)

TABLES = (*DIMENSIONS, *LAKEFLOW, REFUND_RECOMMENDATIONS, AGENT_RUNS, RAW_COMPLAINTS, COMPLAINT_RESPONSES)
