"""Two demos in one home: they share the workspace and nothing else."""

from collections.abc import Iterator

import pytest

from tests.support.product import Product

QUICK = ("--target", "free", "--days", "2", "--start-day", "1", "--schedule-minutes", "0.02", "--port", "0")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Product, Product]]:
    home = tmp_path_factory.mktemp("both")
    morning, evening = Product(home, "morning"), Product(home, "evening")
    morning.up(*QUICK)
    evening.up(*QUICK, "--speed", "600")
    yield morning, evening
    morning.down()


def test_each_demo_has_its_own_apps_pipeline_workers_and_tables(demos: tuple[Product, Product]):
    morning, evening = (demo.status() for demo in demos)
    for part in ("apps", "pipelines", "tables"):
        assert not morning[part].keys() & evening[part].keys()
    assert all(name.startswith("morning") for name in morning["tables"])
    assert set(morning["workers"]) == set(evening["workers"])


def test_pausing_one_replay_leaves_the_other_running(demos: tuple[Product, Product]):
    morning, evening = demos
    morning.replay("pause")
    assert morning.replay_status()["paused"]
    assert not evening.replay_status()["paused"]
    assert evening.replay_status()["speed"] == 600


def test_tearing_one_down_leaves_the_others_rows_where_they_are(demos: tuple[Product, Product]):
    morning, evening = demos
    before = evening.sql("select count(*) as n from evening.lakeflow.gold_order_header")[0]["n"]
    done = morning.caspers("teardown", "--yes", "--catalog", "morning")
    assert done.returncode == 0, done.stderr
    assert not [row for row in evening.sql("show catalogs") if "morning" in row.values()]
    assert evening.sql("select count(*) as n from evening.lakeflow.gold_order_header")[0]["n"] >= before
    assert evening.status()["pipelines"]["evening-order-items"]["state"] == "RUNNING"
