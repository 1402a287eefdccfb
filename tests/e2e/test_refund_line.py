"""Every delivered order gets one recommendation, one row in Lakebase and one case, whatever is killed in between."""

import json
import random
from collections.abc import Iterator

import pytest

from tests.support.product import Product
from tests.support.waiting import wait_for

DAYS = 3
VICTIMS = ("-m refund_manager", "sail spark server", "caspersdevrefundmanager", "workspace")
DELIVERED = (
    "select count(distinct order_id) as n from caspersdev.lakeflow.all_events where event_type = 'delivered'"
)
ANSWERED = "select count(*) as n, count(distinct order_id) as orders from caspersdev.recommender.refund_recommendations"
ROWS = (
    "select order_id, refund_class, cast(refund_usd as string) as usd, run_id "
    "from caspersdev.recommender.refund_recommendations order by order_id"
)
SYNCED = (
    "SELECT order_id, refund_class, refund_usd::text AS usd, run_id "
    'FROM recommender.pg_recommendations ORDER BY order_id COLLATE "C"'
)
CASES = (
    "SELECT order_id, refund_class, refund_usd::text AS usd, run_id "
    'FROM refunds.cases ORDER BY order_id COLLATE "C"'
)


@pytest.fixture(scope="module")
def tormented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product whose refund line was killed in every part while orders came in, and which has come to rest since."""
    product = Product(tmp_path_factory.mktemp("tormented"))
    quick = ("--days", str(DAYS), "--start-day", "1", "--speed", "1200", "--schedule-minutes", "0.01")
    product.up("--target", "default", *quick, "-p", "refund_history_share=1", "--port", "0")
    chance = random.Random(20240103)
    for victim in chance.sample(VICTIMS, len(VICTIMS)):
        _kill_while_it_works(product, victim)
    product.replay("pause")
    wait_for(lambda: product.replay_status()["paused"], what="the replay is paused")
    yield product
    product.down()


def _kill_while_it_works(product: Product, victim: str) -> None:
    before = _answered(product)
    wait_for(
        lambda: _answered(product) > before,
        seconds=90,
        what=f"more orders are answered ({before} so far)",
        every=0.5,
    )
    wait_for(lambda: product.kill(victim), what=f"{victim} was there to be killed")
    if victim == "workspace":
        product.up("--port", "0")


def _answered(product: Product) -> int:
    said = product.caspers("sql", ANSWERED, "--json")
    return json.loads(said.stdout)[0]["n"] if said.returncode == 0 else 0


@pytest.mark.slow
def test_each_delivered_order_has_one_recommendation(tormented: Product):
    def settled() -> bool:
        return _answered(tormented) == tormented.sql(DELIVERED)[0]["n"]

    wait_for(settled, seconds=120, what="every delivered order is answered", every=1)
    counted = tormented.sql(ANSWERED)[0]
    assert counted["n"] == counted["orders"] > 500


@pytest.mark.slow
def test_no_delivered_order_was_taken_for_an_error(tormented: Product):
    origins = tormented.sql("select distinct origin from caspersdev.recommender.refund_recommendations")
    assert [row["origin"] for row in origins] == ["rules"]


@pytest.mark.slow
@pytest.mark.parametrize("copy", [SYNCED, CASES], ids=["the synced table", "the cases"])
def test_the_copies_in_lakebase_equal_the_recommendations(tormented: Product, copy: str):
    database = tormented.database("refundmanager", "caspers")

    def settled() -> bool:
        with database.reading() as reader:
            return [row._asdict() for row in reader.rows(copy)] == tormented.sql(ROWS)

    wait_for(settled, seconds=60, what="the copy equals the recommendations", every=1)
    database.close()
