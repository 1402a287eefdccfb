"""Every event is counted once and every order and complaint answered once, in all tables and copies, whatever is killed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import duckdb
import pytest
from caspers.agents.deliveries import LINE_START, LineStart
from caspers.agents.lots import fraction
from caspers.ids import event_id
from complaint_console.complaint_mix import COMPLAINS, plan_of
from complaint_console.generator import GeneratorOrders
from complaint_console.raw_complaints import complaint_id

from tests.support.killed_lines import DAYS, KilledLine, equal_rows, killed_once
from tests.support.medallion import ROWS, FreshMedallion, comparable, warehouse_statement
from tests.support.product import Product
from tests.support.waiting import wait_for

DAY_S = 86_400
DELIVERED = (
    "select count(distinct order_id) as n from caspersdev.lakeflow.all_events where event_type = 'delivered'"
)
RECOMMENDATIONS = "select count(*) as n, count(distinct order_id) as orders from caspersdev.recommender.refund_recommendations"
RECOMMENDED = (
    "select order_id, refund_class, cast(refund_usd as string) as usd, run_id "
    "from caspersdev.recommender.refund_recommendations order by order_id"
)
SYNCED_RECOMMENDATIONS: LiteralString = (
    "SELECT order_id, refund_class, refund_usd::text AS usd, run_id "
    'FROM recommender.pg_recommendations ORDER BY order_id COLLATE "C"'
)
REFUND_CASES: LiteralString = (
    "SELECT order_id, refund_class, refund_usd::text AS usd, run_id "
    'FROM refunds.cases ORDER BY order_id COLLATE "C"'
)
COMPLAINTS = "select count(*) as n from caspersdev.complaints.raw_complaints"
COMPLAINED = (
    "select complaint_id, order_id, complaint_category, complaint_text, generated_by "
    "from caspersdev.complaints.raw_complaints order by complaint_id"
)
SYNCED_COMPLAINTS: LiteralString = (
    "SELECT complaint_id, order_id, complaint_category, complaint_text, generated_by "
    'FROM complaints.pg_raw_complaints ORDER BY complaint_id COLLATE "C"'
)
RESPONSES = "select count(*) as n from caspersdev.complaints.complaint_responses"
ANSWERED = (
    "select complaint_id, order_id, complaint_text, decision, cast(credit_amount as string) as usd, origin, run_id "
    "from caspersdev.complaints.complaint_responses order by complaint_id"
)
SYNCED_RESPONSES: LiteralString = (
    "SELECT complaint_id, order_id, complaint_text, decision, credit_amount::text AS usd, origin, run_id "
    'FROM complaints.pg_complaint_responses ORDER BY complaint_id COLLATE "C"'
)
COMPLAINT_CASES: LiteralString = (
    "SELECT complaint_id, order_id, complaint_text, decision, credit_usd::text AS usd, origin, run_id "
    'FROM reviews.cases ORDER BY complaint_id COLLATE "C"'
)

RATE = 0.6
REFUND_LINE = KilledLine(
    parameters=("-p", "refund_history_share=1"),
    app="-m refund_manager",
    project="refundmanager",
    database="caspers",
    done=RECOMMENDATIONS,
)
COMPLAINT_LINE = KilledLine(
    parameters=("-p", f"complaint_rate={RATE}"),
    app="-m complaint_console",
    project="complaintmanager",
    database="caspers_complaints",
    done=RESPONSES,
)


@pytest.fixture(scope="module")
def tormented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product of which every part was killed while orders came in, and which has come to rest since."""
    lines = (REFUND_LINE, COMPLAINT_LINE)
    with killed_once(lines, tmp_path_factory.mktemp("lines"), seed=20240103) as product:
        yield product


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


@pytest.mark.slow
def test_each_delivered_order_has_one_recommendation(tormented: Product):
    def settled() -> bool:
        return tormented.value(RECOMMENDATIONS) == tormented.sql(DELIVERED)[0]["n"]

    wait_for(settled, seconds=120, what="every delivered order is answered", every=0.5)
    counted = tormented.sql(RECOMMENDATIONS)[0]
    assert counted["n"] == counted["orders"] > 500


@pytest.mark.slow
def test_no_delivered_order_was_taken_for_an_error(tormented: Product):
    origins = tormented.sql("select distinct origin from caspersdev.recommender.refund_recommendations")
    assert [row["origin"] for row in origins] == ["rules"]


@pytest.mark.slow
def test_exactly_the_orders_that_the_mix_names_complain_once(tormented: Product):
    expected = _that_complain(tormented)
    tormented.wait_until("all have complained", COMPLAINTS, len(expected), seconds=120)
    written = tormented.sql(COMPLAINED)
    assert sorted(row["order_id"] for row in written) == sorted(expected)
    assert len(expected) > 100
    for row in written:
        assert row["complaint_id"] == complaint_id(row["order_id"])
        assert row["complaint_category"] == plan_of(row["order_id"]).category


@pytest.mark.slow
def test_each_complaint_has_one_response_by_the_agent(tormented: Product):
    written = tormented.sql(COMPLAINED)
    tormented.wait_until("all are answered", RESPONSES, len(written), seconds=120)
    answered = tormented.sql(ANSWERED)
    assert [row["complaint_id"] for row in answered] == [row["complaint_id"] for row in written]
    assert {row["origin"] for row in answered} == {"rules"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "source", "copy"),
    [
        (REFUND_LINE, RECOMMENDED, SYNCED_RECOMMENDATIONS),
        (REFUND_LINE, RECOMMENDED, REFUND_CASES),
        (COMPLAINT_LINE, COMPLAINED, SYNCED_COMPLAINTS),
        (COMPLAINT_LINE, ANSWERED, SYNCED_RESPONSES),
        (COMPLAINT_LINE, ANSWERED, COMPLAINT_CASES),
    ],
    ids=[
        "synced recommendations",
        "refund cases",
        "synced complaints",
        "synced responses",
        "complaint cases",
    ],
)
def test_lakebase_holds_the_same_rows(tormented: Product, line: KilledLine, source: str, copy: LiteralString):
    database, rows = line.copy(tormented), tormented.sql(source)
    wait_for(lambda: equal_rows(database, copy, rows), seconds=60, what="the copy equals its source")
    database.close()


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


def _event_files(product: Product) -> list[Path]:
    return [
        path
        for path in (product.volumes / "events").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    ]


def _that_complain(product: Product) -> set[str]:
    """The delivered orders of the volume that complain, by the mix: of those before the line began, only a share."""
    kept = product.volume("complaints", "checkpoints") / LINE_START
    boundary = LineStart.model_validate_json(kept.read_bytes()).boundary
    of_history = RATE * GeneratorOrders.model_fields["history_share"].default
    return {
        order
        for order, moment in _deliveries(product)
        if fraction(COMPLAINS, order) < (RATE if moment > boundary else of_history)
    }


def _deliveries(product: Product) -> list[tuple[str, datetime]]:
    """Each delivered order of the volume, with the moment (virtual time)."""
    files = (product.volumes / "events").rglob("*.json")
    events: Iterator[dict[str, Any]] = (
        json.loads(line) for file in files for line in file.read_bytes().splitlines()
    )
    return [
        (event["order_id"], datetime.fromisoformat(event["ts"]).replace(tzinfo=UTC))
        for event in events
        if event["event_type"] == "delivered"
    ]
