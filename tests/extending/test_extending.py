"""docs/extending.md, followed to the letter: a table, a stage, a worker and a service, in one demo of a changed checkout."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.extending.document import blocks
from tests.support.product import Product
from tests.support.source import ROOT
from tests.support.waiting import wait_for

DOCUMENT = ROOT / "docs" / "extending.md"
COPIED = ("services", "shared", "pipelines", "pyproject.toml")
QUICK = ("--target", "free", "--days", "2", "--start-day", "1", "--schedule-minutes", "0.02", "--port", "0")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with every block of the document in it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        place = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        place(ROOT / name, copy / name)
    for block in blocks(DOCUMENT):
        block.apply(copy)
    return copy


@pytest.fixture(scope="module")
def demo(checkout: Path) -> Iterator[Product]:
    """The medallion and the new stage, brought up from the changed checkout."""
    packages = [checkout / "shared" / "src", *checkout.glob("services/*/src")]
    search = os.pathsep.join(map(str, packages))
    product = Product(checkout / "home", environment={"PYTHONPATH": search})
    try:
        product.up(*QUICK)
        yield product
    finally:
        product.caspers("down", "--purge")


@pytest.fixture(scope="module")
def planned(demo: Product) -> dict[str, str]:
    """What the plan of the new stage said it would do, by resource, before it was run."""
    plan = _json(demo, "plan", "Menu_Cards")
    done = demo.caspers("run", "Menu_Cards")
    assert done.returncode == 0, done.stdout + done.stderr
    return {action["key"]: action["verb"] for action in plan["actions"]}


def test_what_the_document_says_passes_our_own_lint(checkout: Path):
    changed = sorted({block.file for block in blocks(DOCUMENT) if block.file.endswith(".py")})
    assert len(changed) >= 8
    for check in (("check",), ("format", "--check")):
        command = [sys.executable, "-m", "ruff", *check, *changed]
        said = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr


def test_the_gold_table_fills_after_an_update_of_the_pipeline(demo: Product):
    fresh = "select sum(units_sold) > 0 as filled from caspersdev.lakeflow.gold_category_sales_day"
    demo.wait_until("the new gold table has rows", fresh, expected=True)
    assert "caspersdev.lakeflow.gold_category_sales_day" in demo.status()["tables"]


def test_the_stage_is_planned_then_provisioned(demo: Product, planned: dict[str, str]):
    assert (planned["volume pictures"], planned["catalog"]) == ("create", "keep")
    stage = _json(demo, "stages", "Menu_Cards")
    assert (stage["presence"], stage["registered"]) == ("present", stage["declared"])
    assert demo.client.volumes.read("caspersdev.menu_cards.pictures").name == "pictures"


@pytest.mark.usefixtures("planned")
def test_the_worker_obeys_its_orders_and_reports_what_it_did(demo: Product):
    for order, observed in (("pause", {"stopped"}), ("resume", {"running", "idle"})):
        told = demo.caspers("workers", order, "event_files")
        assert told.returncode == 0, told.stderr
        assert _worker(demo)["observed"] in observed
    wait_for(
        lambda: _worker(demo)["progress"].get("entries"), seconds=30, what="the worker counts", every=0.5
    )


@pytest.mark.usefixtures("planned")
def test_the_service_answers_through_its_proxy(demo: Product):
    with demo.console("menus") as service:
        assert service.get("/healthz").status_code == 200
        assert service.get("/api/cards").json() == {"volume": "/Volumes/caspersdev/menu_cards/pictures"}


def _worker(demo: Product) -> dict[str, Any]:
    return next(worker for worker in _json(demo, "workers") if worker["name"] == "event_files")


def _json(demo: Product, *arguments: str) -> Any:
    said = demo.caspers(*arguments, "--json")
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)
