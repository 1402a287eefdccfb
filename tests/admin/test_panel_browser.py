"""The panel's main ways, in a browser: plan and start, watch, cancel, repair, tear down, pause, by role and by key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.admin.panel import Panel, panel
from tests.support.admin import give_orders, report
from tests.support.contrast import faint_texts
from tests.support.pages import CHROMIUM, browser
from tests.support.postgres import Cluster
from tests.support.workspace import LocalWorkspace

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium"),
]
NEVER = 1_000_000
"""So many looks until a directory is ready: the run goes on until somebody ends it."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture
def shown(tmp_path: Path, workspace: LocalWorkspace, cluster: Cluster, chromium: Browser) -> Iterator[Panel]:
    with panel(tmp_path, workspace, cluster, chromium) as served:
        yield served


def _dock(page: Page) -> Locator:
    return page.get_by_label("What is chosen")


def _run_state(page: Page) -> Locator:
    return page.locator("dl.facts .outcome").first


def test_a_subset_is_started_after_its_plan_was_seen(shown: Panel):
    page = shown.page()
    page.locator('.node[data-name="Canonical_Data"]').click()
    expect(_dock(page).get_by_role("heading", name="Canonical Data")).to_be_visible()
    assert page.url.endswith("/?stages=Canonical_Data")
    _dock(page).get_by_role("link", name="Run").click()
    plan = page.get_by_label("The plan")
    expect(plan).to_contain_text("Foundation")
    expect(plan).to_contain_text("4 to create")
    page.get_by_role("button", name="Run").click()
    page.wait_for_url("**/runs/*")
    expect(_run_state(page)).to_contain_text("succeeded")


def test_a_run_is_watched_live_and_really_cancelled(shown: Panel):
    page = shown.page()
    shown.admin.kind.settles_after = NEVER
    started = shown.served.client.post(
        "/api/v1/runs", json={"target": "free"}, headers={"X-Forwarded-Email": "ada@example.com"}
    ).json()
    strip = page.get_by_label("How the demo is")
    expect(strip).to_contain_text("0 of 6")
    expect(page.locator('.node[data-name="Foundation"] progress')).to_be_visible()
    strip.get_by_role("button", name="Cancel").click()
    expect(strip).to_contain_text("cancelled")
    assert shown.admin.ended(started["run_id"]).state == "cancelled"
    assert shown.admin.kind.calls == ["create Foundation a"]


def test_a_failure_tells_its_cause_and_is_repaired(shown: Panel):
    shown.admin.kind.fails.add("Canonical_Data b")
    failed = shown.admin.run("free")
    page = shown.page(f"/runs/{failed.run_id}")
    expect(page.locator("#live")).to_contain_text("no room for Canonical_Data b")
    shown.admin.kind.fails.clear()
    page.get_by_role("link", name="Repair").click()
    expect(page.get_by_label("The plan")).to_contain_text("to create")
    page.get_by_role("button", name="Repair").click()
    page.wait_for_url(lambda url: "/runs/" in url and failed.run_id not in url)
    expect(_run_state(page)).to_contain_text("succeeded")
    expect(page.locator("dl.facts")).to_contain_text("Attempt 2", use_inner_text=True)


def test_nothing_is_deleted_before_the_word_is_typed(shown: Panel):
    shown.admin.run("free")
    page = shown.page("/start?action=teardown")
    expect(page.get_by_label("The plan")).to_contain_text("6 to delete")
    button = page.get_by_role("button", name="Tear down")
    expect(button).to_be_disabled()
    page.get_by_label("Type").fill("test_dem")
    expect(button).to_be_disabled()
    page.get_by_label("Type").fill("test_demo")
    button.click()
    page.wait_for_url("**/runs/*")
    expect(_run_state(page)).to_contain_text("succeeded")
    page.goto(f"{shown.served.client.base_url}/")
    expect(page.get_by_label("How the demo is")).to_contain_text("Nothing of the demo is there")


def test_a_worker_is_paused_and_seen_to_obey(shown: Panel):
    control = shown.admin.control
    assert control is not None
    give_orders(control, "replay", speed=60)
    report(control, "replay", "running", events_written=7)
    page = shown.page("/workers")
    card = page.locator("#replay")
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Told to be stopped", use_inner_text=True)
    report(control, "replay", "stopped", 2, events_written=7)
    expect(card).to_contain_text("Is stopped", use_inner_text=True)
    expect(card.get_by_role("button", name="Resume")).to_be_enabled()


def test_what_a_viewer_may_not_do_is_shown_with_the_reason(shown: Panel):
    page = shown.page(name="vic")
    expect(_dock(page).get_by_role("button", name="Run")).to_be_disabled()
    expect(_dock(page)).to_contain_text("This takes an operator; you are a viewer.")
    expect(_dock(page)).to_contain_text("This takes an owner; you are a viewer.")
    page.goto(f"{shown.served.client.base_url}/start?target=free")
    expect(page.get_by_role("button", name="Run")).to_be_disabled()


def test_a_refused_parameter_is_complained_of_beside_its_field(shown: Panel):
    page = shown.page("/start?target=free")
    page.get_by_label("days", exact=True).fill("0")
    expect(page.locator("#wrong-days")).to_contain_text("0 days make no dataset")
    assert "p.days=0" in page.url
    expect(page.get_by_role("button", name="Run")).to_have_count(0)
    page.get_by_label("days", exact=True).fill("3")
    expect(page.locator("#commands-caspers")).to_contain_text("-p days=3")


def test_the_panel_works_by_keys_alone(shown: Panel):
    page = shown.page()
    page.locator('.node[data-name="Foundation"]').focus()
    for key in ("ArrowRight", "Space", "r"):
        page.keyboard.press(key)
        if key == "Space":
            expect(_dock(page).get_by_role("heading", name="Canonical Data")).to_be_visible()
    page.wait_for_url("**/start?stages=Canonical_Data")
    page.keyboard.press("s")
    page.wait_for_url("**/runs/*")
    expect(_run_state(page)).to_contain_text("succeeded")


def test_a_second_request_leads_to_the_run_that_goes_on(shown: Panel):
    shown.admin.kind.settles_after = NEVER
    page = shown.page("/start?target=free")
    button = page.get_by_role("button", name="Run", exact=False)
    expect(button).to_be_enabled()
    other = shown.served.client.post(
        "/api/v1/runs", json={"target": "default"}, headers={"X-Forwarded-Email": "ada@example.com"}
    ).json()
    button.click()
    expect(page.get_by_role("link", name="Look at it")).to_have_attribute("href", f"/runs/{other['run_id']}")
    shown.admin.desk.runs.cancel(other["run_id"], "ada")
    shown.admin.ended(other["run_id"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_too_faint_to_read(shown: Panel, scheme: str):
    shown.admin.run("all")
    pages = ["/", "/runs", "/workers", "/resources", "/verify", "/activity", "/roles", "/start?target=all"]
    page = shown.page()
    for path in pages:
        page.goto(f"{shown.served.client.base_url}{path}")
        assert faint_texts(page, scheme) == [], path
