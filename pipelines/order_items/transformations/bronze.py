"""Bronze: every event once, and every line that is not an event with the reason why.

A line is an event when its seven fields have their types and its body is what the event's type asks for. All other
lines go to `quarantined_events`, in the words of `_fault`; only blank lines are passed over. A file is read once, by
path; when the same events come again in a file of another name, `event_id` keeps them from counting twice.

Runs on Lakeflow (Auto Loader), on Apache Spark's `spark-pipelines` and in the local workspace; the key
`caspers.events_format` says how files are found ("cloudFiles" or "text"). The tables stand last, because Spark runs
their functions at once when it loads the file.
"""

from pyspark import pipelines as dp
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  as everyone calls it

EVENT = "event_id STRING, event_type STRING, ts STRING, location_id BIGINT, order_id STRING, sequence BIGINT, body STRING"
FIELDS = ("event_id", "event_type", "ts", "location_id", "order_id", "sequence", "body")
BODY = (
    "items ARRAY<STRUCT<id: BIGINT, category_id: BIGINT, menu_id: BIGINT, brand_id: BIGINT, name: STRING, "
    "price: DOUBLE, qty: BIGINT>>, route_points ARRAY<ARRAY<DOUBLE>>, progress_pct DOUBLE, loc_lat DOUBLE, "
    "loc_lon DOUBLE, delivered_lat DOUBLE, delivered_lon DOUBLE"
)
WITHOUT_DETAILS = ("gk_started", "gk_finished", "gk_ready", "driver_arrived")
EVENT_TYPES = ("order_created", *WITHOUT_DETAILS, "driver_picked_up", "driver_ping", "delivered")
TIMESTAMP_FORMAT = "yyyy-MM-dd HH:mm:ss.SSS"

LONGEST_LINE = 1_000_000  # characters; a longer line is refused unread
KEPT_OF_A_LONG_LINE = 4_096  # characters
LARGEST_INT = 2**31 - 1
DEAREST = 99_999_999  # the dearest price that fits decimal(10,2)


def _lines_read() -> DataFrame:
    """The new lines that are not blank, read as events, with what is wrong with them (null: nothing)."""
    short = F.when(F.length("value") <= LONGEST_LINE, F.col("value"))
    event = F.from_json(short, EVENT)
    parsed = _once(
        _new_lines().where(F.length(F.trim("value")) > 0),
        "value",
        "_source_file",
        event.alias("event"),
        F.from_json(event["body"], BODY).alias("details"),
    )
    return parsed.withColumn("fault", _fault())


def _once(rows: DataFrame, *columns: str | Column) -> DataFrame:
    """The columns, computed once for each row however often they are used: no engine looks through a generator."""
    return rows.select(F.inline(F.array(F.struct(*columns))))


def _new_lines() -> DataFrame:
    spark = SparkSession.active()
    source_format = spark.conf.get("caspers.events_format", "cloudFiles")
    reader = spark.readStream.format(source_format)
    if source_format == "cloudFiles":
        reader = reader.option("cloudFiles.format", "text")
    lines = reader.load(spark.conf.get("caspers.events_path"))
    return lines.select("value", F.col("_metadata.file_path").alias("_source_file"))


def _fault() -> Column:
    event = F.col("event")
    nothing_read = F.coalesce(*(event[name].cast("string") for name in FIELDS)).isNull()
    faults = F.concat_ws(
        "; ",
        _absent(event["event_id"], "event_id is missing"),
        _unknown_type(event["event_type"]),
        _unreadable_moment(event["ts"]),
        _not_whole(event["location_id"], "location_id"),
        _absent(event["order_id"], "order_id is missing"),
        _not_whole(event["sequence"], "sequence"),
        _body_fault(event["event_type"], event["body"]),
    )
    return (
        F.when(
            F.length("value") > LONGEST_LINE,
            F.concat(F.lit("the line is too long: "), F.length("value").cast("string"), F.lit(" characters")),
        )
        .when(nothing_read, F.lit("not a JSON object with the fields of an event"))
        .when(faults != "", faults)
    )


def _absent(value: Column, sentence: str) -> Column:
    return F.when(value.isNull() | (value == ""), F.lit(sentence))


def _unknown_type(value: Column) -> Column:
    return F.when(value.isNull(), F.lit("event_type is missing")).when(
        ~value.isin(*EVENT_TYPES), F.concat(F.lit("unknown event_type: "), value)
    )


def _unreadable_moment(value: Column) -> Column:
    return F.when(value.isNull(), F.lit("ts is missing")).when(
        _moment(value).isNull(), F.concat(F.lit(f"ts is not a time ({TIMESTAMP_FORMAT}): "), value)
    )


def _not_whole(value: Column, name: str) -> Column:
    return F.when(value.try_cast("int").isNull(), F.lit(f"{name} is missing or not a whole number"))


def _body_fault(event_type: Column, body: Column) -> Column:
    details = F.col("details")
    complete = (
        F.when(event_type.isin(*WITHOUT_DETAILS), F.ltrim(body).startswith("{"))
        .when(event_type == "order_created", _items_are_complete())
        .when(event_type == "driver_picked_up", details["route_points"].isNotNull())
        .when(
            event_type == "driver_ping",
            details["progress_pct"].isNotNull()
            & details["loc_lat"].isNotNull()
            & details["loc_lon"].isNotNull(),
        )
        .when(
            event_type == "delivered",
            details["delivered_lat"].isNotNull() & details["delivered_lon"].isNotNull(),
        )
        .otherwise(F.lit(True))
    )
    return F.when(body.isNull(), F.lit("body is missing")).when(
        ~F.coalesce(complete, F.lit(False)),
        F.concat(F.lit("body does not hold what the event asks for: "), event_type),
    )


def _items_are_complete() -> Column:
    """Every item has all its fields, in their ranges (array functions, not lambdas: every engine runs them)."""
    limits = {"id": LARGEST_INT, "category_id": LARGEST_INT, "menu_id": LARGEST_INT, "brand_id": LARGEST_INT}
    limits |= {"qty": LARGEST_INT, "price": DEAREST}
    complete = F.col("details.items").isNotNull()
    for name in (*limits, "name"):
        complete = complete & (F.size(F.array_compact(_each(name))) == F.size("details.items"))
    for name, limit in limits.items():
        complete = complete & (F.coalesce(F.array_max(_each(name)), F.lit(0)) <= limit)
        complete = complete & (F.coalesce(F.array_min(_each(name)), F.lit(0)) >= -limit)
    return complete


def _each(name: str) -> Column:
    return F.col(f"details.items.{name}")


def _moment(text: Column) -> Column:
    return F.try_to_timestamp(text, F.lit(TIMESTAMP_FORMAT))


@dp.table(name="all_events", comment="Every event once, as it came from the kitchens and the drivers")
def all_events() -> DataFrame:
    """The lines that are events, typed; a repeated `event_id` counts once, however late it comes again."""
    return (
        _lines_read()
        .where(F.col("fault").isNull())
        .select(
            "event.event_id",
            "event.event_type",
            _moment(F.col("event.ts")).alias("ts"),
            F.col("event.location_id").try_cast("int").alias("location_id"),
            "event.order_id",
            F.col("event.sequence").try_cast("int").alias("sequence"),
            "event.body",
            "_source_file",
            F.current_timestamp().alias("_ingested_at"),
        )
        .dropDuplicates(["event_id"])
    )


@dp.table(name="quarantined_events", comment="Lines that are no events, with the reason")
def quarantined_events() -> DataFrame:
    """The lines that are not events; of a very long line its first part."""
    too_long = F.length("value") > LONGEST_LINE
    return (
        _lines_read()
        .where(F.col("fault").isNotNull())
        .select(
            F.when(too_long, F.substring("value", 1, KEPT_OF_A_LONG_LINE))
            .otherwise(F.col("value"))
            .alias("raw_line"),
            F.col("fault").alias("reason"),
            "_source_file",
            F.current_timestamp().alias("_ingested_at"),
        )
    )
