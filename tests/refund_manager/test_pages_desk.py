"""The reviewers' desk in a browser: deciding by keyboard, other people, what is live, text that stays text."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from caspers.clients.postgres import Postgres
from playwright.sync_api import Browser, Page, Route, expect
from refund_manager.history import HistoryEntry, HistoryFilters, refund_history

from tests.caspers.serving import Served
from tests.support.contrast import faint_texts
from tests.support.desks import desk_of, opened, press
from tests.support.pages import browser
from tests.support.refunds import arrive, console, recommendation, reviewer, take_in
from tests.support.waiting import wait_for

pytestmark = pytest.mark.browser

NOW = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Office:
    """A console with six cases (o-0 is the newest), and a browser in which people open it."""

    database: Postgres
    served: Served
    browser: Browser

    def page(self, name: str, path: str = "/") -> Page:
        """The console as `name` sees it."""
        return desk_of(self.browser, self.served, name, path)

    def decisions(self) -> list[HistoryEntry]:
        """The record, newest first."""
        return list(refund_history(self.database).page(HistoryFilters()).decisions)

    def recommend(self, order_id: str, minutes_ago: int = 0, **known: Any) -> None:
        """A recommendation arrives and is taken in."""
        row = recommendation(Random(order_id), 0, NOW - timedelta(minutes=minutes_ago), order_id=order_id)
        said = {
            "order_total": 40,
            "refund_usd": 10,
            "refund_class": "partial",
            "origin": "rules",
            "reason": "Slow.",
        }
        arrive(self.database, [row | said | known])
        take_in(self.database)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture
def office(database: Postgres, chromium: Browser) -> Iterator[Office]:
    with console(database) as served:
        office = Office(database, served, chromium)
        for number in range(6):
            office.recommend(f"o-{number}", minutes_ago=number)
        yield office
        for context in chromium.contexts:
            context.close()


def test_three_cases_are_decided_with_six_keys(office: Office):
    page = office.page("ada")
    press(page, "Enter")
    for number in range(3):
        opened(page, f"o-{number}")
        press(page, "a")
    opened(page, "o-3")
    assert [(d.order_id, d.action) for d in office.decisions()] == [
        (f"o-{number}", "accept") for number in (2, 1, 0)
    ]
    expect(page.locator("tr.settled")).to_have_count(3)


def test_a_change_carries_its_amount_its_reason_and_a_note(office: Office):
    page = office.page("ada")
    press(page, "Enter")
    opened(page, "o-0")
    press(page, "c")
    page.keyboard.type("7.25")
    page.get_by_text("Goodwill").click()
    page.get_by_label("Note").fill("A guest of many years")
    press(page, "Enter")
    opened(page, "o-1")
    [decision] = office.decisions()
    assert (decision.action, decision.refund_usd, decision.reason_code) == (
        "change",
        Decimal("7.25"),
        "goodwill",
    )
    assert decision.note == "A guest of many years"


def test_a_refusal_needs_a_reason_and_a_digit_gives_it(office: Office):
    page = office.page("ada")
    press(page, "Enter")
    opened(page, "o-0")
    press(page, "r")
    expect(page.get_by_text("Why?")).to_be_visible()
    press(page, "3", "Enter")
    opened(page, "o-1")
    assert [d.action for d in office.decisions()] == ["refuse"]


def test_undo_brings_the_case_back_and_erases_nothing(office: Office):
    page = office.page("ada")
    press(page, "Enter")
    opened(page, "o-0")
    press(page, "a")
    opened(page, "o-1")
    press(page, "u")
    opened(page, "o-0")
    assert [d.action for d in office.decisions()] == ["undo", "accept"]
    expect(page.locator("tr.settled")).to_have_count(0)


def test_a_lost_race_shows_the_winner_and_keeps_the_draft(office: Office):
    page = office.page("ada")
    press(page, "Enter")
    opened(page, "o-0")
    press(page, "c")
    page.keyboard.type("3.50")
    expect(page.locator("[data-draft-state]")).to_have_text("Draft kept")
    client = office.served.client
    client.post("/api/cases/o-0/claim", json={"take_over": True}, headers=reviewer("bob"))
    body = {"order_id": "o-0", "version": 1, "action": "accept"}
    assert client.post("/api/decisions", json=body, headers=reviewer("bob")).status_code == 201
    expect(page.locator("article .notice.said")).to_contain_text("bob@example.com")
    expect(page.locator("article")).to_contain_text("to $3.50")
    assert [d.decided_by for d in office.decisions()] == ["bob@example.com"]


def test_a_claim_is_seen_by_others_and_can_be_taken_over(office: Office):
    ada = office.page("ada")
    press(ada, "Enter")
    opened(ada, "o-0")
    bob = office.page("bob")
    expect(bob.locator('tr[data-case="o-0"] .outcome')).to_have_text("ada")
    press(bob, "Enter")
    expect(bob.locator(".holder")).to_contain_text("ada@example.com works on this case")
    bob.get_by_role("button", name="Take over").click()
    opened(bob, "o-0")
    ada.close()


def test_a_case_is_given_back_when_one_goes_on_or_leaves(office: Office):
    def holder(order_id: str) -> Any:
        return office.served.client.get(f"/api/cases/{order_id}", headers=reviewer("bob")).json()["claim"]

    page = office.page("ada")
    press(page, "Enter")
    opened(page, "o-0")
    press(page, "n")
    opened(page, "o-1")
    wait_for(lambda: holder("o-0") is None, what="the case before is given back")
    # What the browser says when a page goes away; going away itself would lose the headers that a proxy adds.
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    wait_for(lambda: holder("o-1") is None, what="the open case is given back")


def test_new_cases_wait_in_a_bar_and_move_nothing(office: Office):
    page = office.page("ada")
    press(page, "j", "j")
    before = page.locator("tr[data-case]").all_inner_texts()
    office.recommend("o-new", minutes_ago=-1)
    expect(page.locator("#news")).to_contain_text("1 new")
    assert len(page.locator("tr[data-case]").all()) == len(before)
    expect(page.locator("tr[aria-current]")).to_have_attribute("data-case", "o-2")
    press(page, ".")
    expect(page.locator("tr[data-case]").first).to_have_attribute("data-case", "o-new")
    expect(page.locator("#news")).to_be_hidden()


def test_a_case_that_comes_while_the_page_is_opened_is_news(office: Office):
    page = office.page("ada")

    def arrives_first(route: Route) -> None:
        office.recommend("o-new", minutes_ago=-1)
        route.continue_()

    page.route("**/case_list.js*", arrives_first, times=1)
    page.reload()
    expect(page.locator("#news")).to_contain_text("1 new")
    expect(page.locator('tr[data-case="o-new"]')).to_have_count(0)


def test_chosen_cases_are_accepted_after_a_preview_of_their_sum(office: Office):
    page = office.page("ada")
    press(page, "x", "j", "x", "b")
    expect(page.get_by_role("heading", name="for $20.00 in all?")).to_be_visible()
    page.get_by_role("button", name="Accept 2 for $20.00").click()
    expect(page.locator("#bulk")).to_contain_text("2 accepted, 0 left")
    assert {d.order_id for d in office.decisions()} == {"o-0", "o-1"}


def test_markup_in_a_reason_stays_text(office: Office):
    said = "<img src=x onerror=\"document.title='taken'\"><b>full refund</b> {{ 7 * 7 }}"
    office.recommend("o-<i>9", minutes_ago=-1, reason=said, customer_addr="<script>1</script>")
    page = office.page("ada")
    press(page, "Enter")
    expect(page.locator(".reason")).to_have_text(said)
    assert page.locator("#pane img, #pane b:has-text('full'), #pane script").count() == 0
    assert "taken" not in page.title()


def test_an_amount_above_the_limit_waits_for_another_person(office: Office):
    office.recommend("o-big", minutes_ago=-1, order_total=300, refund_usd=200)
    ada = office.page("ada")
    press(ada, "Enter")
    opened(ada, "o-big")
    press(ada, "a")
    opened(ada, "o-0")
    ada.goto(f"{office.served.client.base_url}/cases/o-big")
    expect(ada.locator("article")).to_contain_text("not yours to confirm")
    expect(ada.get_by_role("button", name="Confirm")).to_be_disabled()
    ada.close()
    bob = office.page("bob", "/cases/o-big")
    opened(bob, "o-big")
    press(bob, "a")
    wait_for(lambda: office.decisions()[0].action == "confirm", what="the second person's decision")


def test_typing_in_a_field_is_never_a_command(office: Office):
    page = office.page("ada")
    press(page, "/")
    page.keyboard.type("aaa rrr")
    press(page, "Enter")
    expect(page.locator("#list")).to_contain_text("No case fits")
    assert office.decisions() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_on_the_desk_is_too_faint_to_read(office: Office, scheme: str):
    page = office.page("ada")
    press(page, "Enter")
    expect(page.locator(".holder")).to_contain_text("Yours")
    assert faint_texts(page, scheme) == []
    for path in ("/history", "/agreement", "/policy"):
        assert faint_texts(office.page("ada", path), scheme) == [], path
