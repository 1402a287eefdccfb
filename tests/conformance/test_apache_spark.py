"""The same pipeline source on Apache Spark and in the local workspace's runner gives the same rows."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import apache_spark
from tests.support.pipelines import Event, PipelineFolder, event, item, lines, order, running_engine

pytestmark = pytest.mark.conformance

STATED_ERROR = 3 * 0.05
"""Spark's approx_count_distinct has a relative standard deviation of 5 %; three of them."""

RUBBISH = [
    b"no json",
    b'{"event_id": "x"}',
    lines([event("bad", "gk_exploded", {}, 0, 0)]),
    lines([event("bad", "driver_ping", {}, 0, 1)]),
    lines([order("bad", 0)[0] | {"location_id": "one"}]),
    lines([order("bad", 0)[0] | {"ts": "2024-02-30 00:00:00.000"}]),
    lines([event("bad", "order_created", {"items": [{"id": 1}]}, 0, 2)]),
    b"   ",
]


def _events() -> list[Event]:
    events: list[Event] = []
    for number in range(300):
        items = [
            item(number % 17, price=1.05 + number * 0.37, qty=1 + number % 3, brand=number % 5),
            item(99, price=0.01),
        ]
        second = number * 1_700 + (number % 7) * 13
        events += order(f"o-{number}", second, items=items, location=1 + number % 4)
    return events


class Both:
    """The tables that the two runners made of the same files."""

    def __init__(self, pipeline: PipelineFolder, spark: Path) -> None:
        self._pipeline = pipeline
        self._spark = spark

    def rows(self, table: str, *left_out: str) -> tuple[list[Any], list[Any]]:
        """Ours and Spark's rows of a table, ordered, without the columns left out."""
        ours, theirs = self._pipeline.rows(table), apache_spark.rows(self._spark, table)
        return _ordered(ours, left_out), _ordered(theirs, left_out)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Three files with orders, repeated events and rubbish, through both runners; ours takes them one by one."""
    folder = tmp_path_factory.mktemp("conformance")
    events = _events()
    with running_engine(folder / "engine") as engine:
        pipeline = PipelineFolder(folder / "pipeline", engine.address)
        third = len(events) // 3
        for number in range(3):
            part = lines(events[number * third : (number + 1) * third] + events[:8])
            pipeline.put(f"{number}.json", part + b"\n".join(RUBBISH if number == 1 else []))
            assert pipeline.update().code == 0
        try:
            apache_spark.run_order_items(folder / "spark", pipeline.events)
        except apache_spark.SparkMissing as missing:
            pytest.skip(str(missing))
        yield Both(pipeline, folder / "spark")


def test_bronze_has_the_same_events(both: Both):
    ours, theirs = both.rows("all_events", "_ingested_at", "_source_file")
    assert len(ours) == 300 * 8
    assert ours == theirs


def test_the_quarantine_has_the_same_lines_for_the_same_reasons(both: Both):
    ours, theirs = both.rows("quarantined_events", "_ingested_at", "_source_file")
    assert len(ours) == len(RUBBISH) - 1
    assert ours == theirs


@pytest.mark.parametrize("table", ["silver_order_items", "gold_order_header", "gold_item_sales_day"])
def test_silver_and_exact_gold_tables_are_equal(both: Both, table: str):
    ours, theirs = both.rows(table)
    assert ours
    assert ours == theirs


@pytest.mark.parametrize("table", ["gold_brand_sales_day", "gold_location_sales_hourly"])
def test_gold_with_approximate_counts_is_equal_within_the_stated_error(both: Both, table: str):
    ours, theirs = both.rows(table, "orders")
    assert ours == theirs
    counts = zip(*(_counts(rows) for rows in both.rows(table)), strict=True)
    assert all(abs(our - their) <= max(1, STATED_ERROR * their) for our, their in counts)


def _counts(rows: list[Any]) -> list[int]:
    return [dict(row)["orders"] for row in sorted(rows, key=lambda row: [v for k, v in row if k != "orders"])]


def _ordered(rows: list[dict[str, Any]], left_out: tuple[str, ...]) -> list[Any]:
    plain = [tuple(sorted((k, _plain(v)) for k, v in row.items() if k not in left_out)) for row in rows]
    return sorted(plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return value.isoformat() if isinstance(value, date) else value
