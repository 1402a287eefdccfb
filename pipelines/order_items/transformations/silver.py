"""Silver: one row per item that was ordered."""

from pyspark import pipelines as dp
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  as everyone calls it

ORDER = "items ARRAY<STRUCT<id: INT, category_id: INT, menu_id: INT, brand_id: INT, name: STRING, price: DOUBLE, qty: INT>>"
CENTS = "decimal(10,2)"


def _price() -> Column:
    return F.col("item.price").cast(CENTS)


@dp.table(
    name="silver_order_items",
    comment="One row per item that was ordered, by the day of the order",
    partition_cols=["order_day"],
)
def silver_order_items() -> DataFrame:
    """The items of every order; money is exact to the cent."""
    orders = (
        SparkSession.active().readStream.table("all_events").where(F.col("event_type") == "order_created")
    )
    lines = orders.select(
        "order_id",
        "location_id",
        F.col("ts").alias("order_ts"),
        F.to_date("ts").alias("order_day"),
        F.explode(F.from_json("body", ORDER)["items"]).alias("item"),
    )
    return lines.select(
        "order_id",
        "location_id",
        "order_ts",
        "order_day",
        F.col("item.id").alias("item_id"),
        "item.menu_id",
        "item.category_id",
        "item.brand_id",
        F.col("item.name").alias("item_name"),
        _price().cast("double").alias("price"),
        "item.qty",
        (_price() * F.col("item.qty")).cast("double").alias("extended_price"),
    )
