"""Gold: what was sold, by order, item, brand and location.

All four are materialized views, so an order counts however late it arrives. Money is added up in cents: the sums are
the same whatever the order of the rows.
"""

from pyspark import pipelines as dp
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  as everyone calls it


def _order_items() -> DataFrame:
    return SparkSession.active().read.table("silver_order_items")


def _revenue() -> Column:
    return F.sum(F.col("extended_price").cast("decimal(12,2)")).cast("double")


@dp.materialized_view(name="gold_order_header", comment="One row per order", cluster_by=["order_day"])
def gold_order_header() -> DataFrame:
    return (
        _order_items()
        .groupBy("order_id", "location_id", "order_day")
        .agg(
            _revenue().alias("order_revenue"),
            F.sum("qty").alias("total_qty"),
            F.count("item_id").alias("total_items"),
            F.count_distinct("brand_id").alias("brands_in_order"),
        )
    )


@dp.materialized_view(name="gold_item_sales_day", comment="Sales per item and day", cluster_by=["day"])
def gold_item_sales_day() -> DataFrame:
    return (
        _order_items()
        .groupBy("item_id", "menu_id", "category_id", "brand_id", F.col("order_day").alias("day"))
        .agg(F.sum("qty").alias("units_sold"), _revenue().alias("gross_revenue"))
    )


@dp.materialized_view(name="gold_brand_sales_day", comment="Sales per brand and day", cluster_by=["day"])
def gold_brand_sales_day() -> DataFrame:
    return (
        _order_items()
        .groupBy("brand_id", F.col("order_day").alias("day"))
        .agg(
            F.approx_count_distinct("order_id").alias("orders"),
            F.sum("qty").alias("items_sold"),
            _revenue().alias("brand_revenue"),
        )
    )


@dp.materialized_view(
    name="gold_location_sales_hourly", comment="Sales per location and hour", cluster_by=["hour_ts"]
)
def gold_location_sales_hourly() -> DataFrame:
    return (
        _order_items()
        .groupBy("location_id", F.date_trunc("hour", "order_ts").alias("hour_ts"))
        .agg(F.approx_count_distinct("order_id").alias("orders"), _revenue().alias("revenue"))
    )
