"""Every order that complains does so once, and gets one response, one row in Lakebase and one case, whatever is killed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, LiteralString

import pytest
from caspers.agents.deliveries import LINE_START, LineStart
from caspers.agents.lots import fraction
from complaint_console.complaint_mix import COMPLAINS, plan_of
from complaint_console.generator import GeneratorOrders
from complaint_console.raw_complaints import complaint_id

from tests.support.killed_line import KilledLine, equal_rows, killed_once
from tests.support.product import Product
from tests.support.waiting import wait_for

RATE = 0.6
COMPLAINTS = "select count(*) as n from caspersdev.complaints.raw_complaints"
RESPONSES = "select count(*) as n from caspersdev.complaints.complaint_responses"
WRITTEN = (
    "select complaint_id, order_id, complaint_category, complaint_text, generated_by "
    "from caspersdev.complaints.raw_complaints order by complaint_id"
)
ANSWERED = (
    "select complaint_id, order_id, complaint_text, decision, cast(credit_amount as string) as usd, origin, run_id "
    "from caspersdev.complaints.complaint_responses order by complaint_id"
)
SYNCED_COMPLAINTS: LiteralString = (
    "SELECT complaint_id, order_id, complaint_category, complaint_text, generated_by "
    'FROM complaints.pg_raw_complaints ORDER BY complaint_id COLLATE "C"'
)
SYNCED_RESPONSES: LiteralString = (
    "SELECT complaint_id, order_id, complaint_text, decision, credit_amount::text AS usd, origin, run_id "
    'FROM complaints.pg_complaint_responses ORDER BY complaint_id COLLATE "C"'
)
CASES: LiteralString = (
    "SELECT complaint_id, order_id, complaint_text, decision, credit_usd::text AS usd, origin, run_id "
    'FROM reviews.cases ORDER BY complaint_id COLLATE "C"'
)
LINE = KilledLine(
    target="complaints",
    parameters=("-p", f"complaint_rate={RATE}"),
    app="-m complaint_console",
    project="complaintmanager",
    database="caspers_complaints",
    done=RESPONSES,
)


@pytest.fixture(scope="module")
def tormented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product whose complaint line was killed in every part while orders came in, and which has come to rest since."""
    with killed_once(LINE, tmp_path_factory.mktemp("complaints"), seed=20240104) as product:
        yield product


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


@pytest.mark.slow
def test_exactly_the_orders_that_the_mix_names_complain_once(tormented: Product):
    expected = _that_complain(tormented)
    tormented.wait_until("all have complained", COMPLAINTS, len(expected), seconds=120)
    written = tormented.sql(WRITTEN)
    assert sorted(row["order_id"] for row in written) == sorted(expected)
    assert len(expected) > 100
    for row in written:
        assert row["complaint_id"] == complaint_id(row["order_id"])
        assert row["complaint_category"] == plan_of(row["order_id"]).category


@pytest.mark.slow
def test_each_complaint_has_one_response_by_the_agent(tormented: Product):
    written = tormented.sql(WRITTEN)
    tormented.wait_until("all are answered", RESPONSES, len(written), seconds=120)
    answered = tormented.sql(ANSWERED)
    assert [row["complaint_id"] for row in answered] == [row["complaint_id"] for row in written]
    assert {row["origin"] for row in answered} == {"rules"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "copy"),
    [(WRITTEN, SYNCED_COMPLAINTS), (ANSWERED, SYNCED_RESPONSES), (ANSWERED, CASES)],
    ids=["synced complaints", "synced responses", "cases"],
)
def test_lakebase_holds_the_same_rows(tormented: Product, source: str, copy: LiteralString):
    database, rows = LINE.copy(tormented), tormented.sql(source)
    wait_for(lambda: equal_rows(database, copy, rows), seconds=60, what="the copy equals its source")
    database.close()
