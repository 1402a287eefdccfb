"""Every event of the replayed windows is counted once, whatever is killed in between."""

import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from caspers.ids import event_id

from tests.support.medallion import ROWS, FreshMedallion, comparable, warehouse_statement
from tests.support.product import Product
from tests.support.waiting import wait_for

DAYS = 3
DAY_S = 86_400
VICTIMS = ("-m replayer", "local_workspace.pipeline_runs", "sail spark server", "workspace")


@pytest.fixture(scope="module")
def tormented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product whose parts were killed at random moments while it replayed, and which has come to rest since."""
    product = Product(tmp_path_factory.mktemp("tormented"))
    product.up(
        "--target",
        "free",
        "--days",
        str(DAYS),
        "--start-day",
        "1",
        "--speed",
        "1200",
        "--schedule-minutes",
        "0.01",
        "--port",
        "0",
    )
    chance = random.Random(20240101)
    for victim in chance.sample(VICTIMS * 2, 8):
        _kill_while_it_works(product, victim)
    product.replay("pause")
    wait_for(lambda: product.replay_status()["paused"], what="the replay is paused")
    yield product
    product.down()


def _kill_while_it_works(product: Product, victim: str) -> None:
    before = product.position
    wait_for(lambda: product.position > before, seconds=60, what="the replay goes on")
    wait_for(lambda: product.kill(victim), what=f"{victim} was there to be killed")
    if victim == "workspace":
        product.up("--port", "0")


def _expected_ids(product: Product) -> set[str]:
    dataset = next((product.volumes / "misc" / "canonical").glob("*/events.parquet"))
    rows = duckdb.sql(
        "SELECT order_id, sequence, ts_seconds - epoch(TIMESTAMP '2024-01-01')::BIGINT AS second FROM read_parquet($path)",
        params={"path": str(dataset)},
    ).fetchall()
    position = product.position
    loops = range(position // (DAYS * DAY_S) + 1)
    return {
        event_id(f"{order}-L{loop}" if loop else order, sequence)
        for loop in loops
        for order, sequence, second in rows
        if loop * DAYS * DAY_S + second < position
    }


@pytest.mark.slow
def test_the_volume_holds_each_event_of_the_replayed_windows_once(tormented: Product):
    lines = [line for path in _event_files(tormented) for line in path.read_bytes().splitlines()]
    expected = _expected_ids(tormented)
    assert len(lines) == len(expected)
    assert FreshMedallion(tormented.volumes / "events").event_ids() == expected


@pytest.mark.slow
def test_bronze_holds_each_event_once_and_nothing_is_quarantined(tormented: Product):
    expected = len(_expected_ids(tormented))
    tormented.wait_until(
        "all events in bronze", "select count(*) from caspersdev.lakeflow.all_events", expected
    )
    ids = tormented.sql("select count(distinct event_id) as ids from caspersdev.lakeflow.all_events")
    refused = tormented.sql("select count(*) as lines from caspersdev.lakeflow.quarantined_events")
    assert (ids[0]["ids"], refused[0]["lines"]) == (expected, 0)


@pytest.mark.slow
@pytest.mark.parametrize("table", ROWS)
def test_silver_and_gold_equal_a_fresh_computation_by_another_engine(tormented: Product, table: str):
    fresh = FreshMedallion(tormented.volumes / "events").rows(table)

    def settled() -> bool:
        rows = tormented.sql(warehouse_statement(table, f"caspersdev.lakeflow.{table}"))
        return sorted(comparable(rows)) == sorted(fresh)

    wait_for(settled, seconds=60, what=f"{table} equals a fresh computation", every=1)


def _event_files(product: Product) -> list[Path]:
    return [
        path
        for path in (product.volumes / "events").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    ]
