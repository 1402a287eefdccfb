"""Every delivered order gets one recommendation, one row in Lakebase and one case, whatever is killed in between."""

from collections.abc import Iterator
from typing import LiteralString

import pytest

from tests.support.killed_line import KilledLine, equal_rows, killed_once
from tests.support.product import Product
from tests.support.waiting import wait_for

DELIVERED = (
    "select count(distinct order_id) as n from caspersdev.lakeflow.all_events where event_type = 'delivered'"
)
ANSWERED = "select count(*) as n, count(distinct order_id) as orders from caspersdev.recommender.refund_recommendations"
ROWS = (
    "select order_id, refund_class, cast(refund_usd as string) as usd, run_id "
    "from caspersdev.recommender.refund_recommendations order by order_id"
)
SYNCED: LiteralString = (
    "SELECT order_id, refund_class, refund_usd::text AS usd, run_id "
    'FROM recommender.pg_recommendations ORDER BY order_id COLLATE "C"'
)
CASES: LiteralString = (
    "SELECT order_id, refund_class, refund_usd::text AS usd, run_id "
    'FROM refunds.cases ORDER BY order_id COLLATE "C"'
)
LINE = KilledLine(
    target="default",
    parameters=("-p", "refund_history_share=1"),
    app="-m refund_manager",
    project="refundmanager",
    database="caspers",
    done=ANSWERED,
)


@pytest.fixture(scope="module")
def tormented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product whose refund line was killed in every part while orders came in, and which has come to rest since."""
    with killed_once(LINE, tmp_path_factory.mktemp("refunds"), seed=20240103) as product:
        yield product


@pytest.mark.slow
def test_each_delivered_order_has_one_recommendation(tormented: Product):
    def settled() -> bool:
        return tormented.value(ANSWERED) == tormented.sql(DELIVERED)[0]["n"]

    wait_for(settled, seconds=120, what="every delivered order is answered", every=0.5)
    counted = tormented.sql(ANSWERED)[0]
    assert counted["n"] == counted["orders"] > 500


@pytest.mark.slow
def test_no_delivered_order_was_taken_for_an_error(tormented: Product):
    origins = tormented.sql("select distinct origin from caspersdev.recommender.refund_recommendations")
    assert [row["origin"] for row in origins] == ["rules"]


@pytest.mark.slow
@pytest.mark.parametrize("copy", [SYNCED, CASES], ids=["the synced table", "the cases"])
def test_the_copies_in_lakebase_equal_the_recommendations(tormented: Product, copy: LiteralString):
    database, rows = LINE.copy(tormented), tormented.sql(ROWS)
    wait_for(lambda: equal_rows(database, copy, rows), seconds=60, what="the copy equals the recommendations")
    database.close()
