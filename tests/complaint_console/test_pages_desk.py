"""The desk for complaints in a browser: answering by keyboard, what the customer is told, other people, what is live."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from caspers.clients.postgres import Postgres
from complaint_console.history import HistoryEntry, HistoryFilters, review_history
from playwright.sync_api import Browser, Page, expect

from tests.caspers.serving import Served
from tests.support.complaints import NOW, arrive, console, escalated, take_in, usual
from tests.support.contrast import faint_texts
from tests.support.desks import desk_of, opened, press
from tests.support.pages import browser
from tests.support.refunds import reviewer
from tests.support.waiting import wait_for

pytestmark = pytest.mark.browser

REPLY = "We are crediting $5.00 to your account."


@dataclass(frozen=True)
class Office:
    """A console with the escalated case "person" first in line, then "c-0" to "c-2", and a browser."""

    database: Postgres
    served: Served
    browser: Browser

    def page(self, name: str, path: str = "/") -> Page:
        return desk_of(self.browser, self.served, name, path)

    def reviews(self) -> list[HistoryEntry]:
        """The record, newest first."""
        return list(review_history(self.database).page(HistoryFilters()).decisions)

    def complain(self, complaint_id: str, minutes_ago: int, **known: Any) -> None:
        """A triaged complaint arrives and is taken in."""
        at = NOW - timedelta(minutes=minutes_ago)
        arrive(self.database, [usual(complaint_id, ts=at, complained_at=at, customer_response=REPLY) | known])
        take_in(self.database)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture
def office(database: Postgres, chromium: Browser) -> Iterator[Office]:
    with console(database) as served:
        office = Office(database, served, chromium)
        for number in range(3):
            office.complain(f"c-{number}", minutes_ago=9 - number)
        yield office
        for context in chromium.contexts:
            context.close()


def begin(office: Office, name: str = "ada") -> Page:
    """The desk with the first case open."""
    page = office.page(name)
    press(page, "Enter")
    opened(page, "c-0")
    return page


def test_three_complaints_are_answered_with_four_keys(office: Office):
    page = begin(office)
    press(page, "a")
    opened(page, "c-1")
    press(page, "a")
    opened(page, "c-2")
    press(page, "a")
    expect(page.locator("#pane")).to_contain_text("Nothing is left")
    assert [(r.complaint_id, r.outcome) for r in office.reviews()] == [
        (f"c-{number}", "credited") for number in (2, 1, 0)
    ]


def test_an_edited_reply_is_what_the_customer_is_told(office: Office):
    page = begin(office)
    page.get_by_label("Reply to the customer").fill("Sorry! $5.00 are yours.")
    expect(page.locator("[data-draft-state]")).to_have_text("Draft kept")
    press(page, "Escape", "a")
    opened(page, "c-1")
    assert [(r.action, r.reply) for r in office.reviews()] == [("approve", "Sorry! $5.00 are yours.")]


def test_another_credit_carries_its_reason_and_its_amount_into_the_reply(office: Office):
    page = begin(office)
    press(page, "c")
    page.keyboard.type("7.25")
    expect(page.get_by_label("Reply to the customer")).to_have_value(
        "We are crediting $7.25 to your account."
    )
    page.get_by_text("Goodwill").click()
    press(page, "Enter")
    opened(page, "c-1")
    [said] = office.reviews()
    assert (said.action, said.credit_usd, said.reason_code) == ("change", Decimal("7.25"), "goodwill")
    assert said.reply == "We are crediting $7.25 to your account."


def test_an_escalation_says_how_soon_and_why(office: Office):
    page = begin(office)
    press(page, "e")
    page.get_by_label("How soon").select_option("urgent")
    page.get_by_text("It was worse than the facts say").click()
    page.get_by_role("button", name="Escalate Enter").click()
    opened(page, "c-1")
    [said] = office.reviews()
    assert (said.outcome, said.priority, said.reason_code) == ("escalated", "urgent", "worse_than_it_looks")


def test_asking_the_customer_begins_with_the_letter(office: Office):
    page = begin(office)
    press(page, "q")
    expect(page.get_by_label("Reply to the customer")).to_be_focused()
    page.keyboard.type("Which item was cold?")
    press(page, "Control+Enter")
    opened(page, "c-1")
    assert [(r.outcome, r.reply) for r in office.reviews()] == [("asked", "Which item was cold?")]


def test_undo_brings_the_complaint_back_and_erases_nothing(office: Office):
    page = begin(office)
    press(page, "a")
    opened(page, "c-1")
    press(page, "u")
    opened(page, "c-0")
    assert [r.action for r in office.reviews()] == ["undo", "approve"]
    expect(page.locator("tr.settled")).to_have_count(0)


def test_a_review_is_undone_from_the_history(office: Office):
    page = begin(office)
    press(page, "a")
    opened(page, "c-1")
    page.goto(f"{office.served.client.base_url}/history?first_day=2020-01-01")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("table")).to_contain_text("undone")
    assert [r.action for r in office.reviews()] == ["undo", "approve"]


def test_a_large_credit_waits_for_another_person_who_confirms_it(office: Office):
    office.complain("c-big", minutes_ago=60, credit_amount=80, order_total=100)
    ada = office.page("ada")
    press(ada, "Enter")
    opened(ada, "c-big")
    press(ada, "a")
    opened(ada, "c-0")
    ada.goto(f"{office.served.client.base_url}/cases/c-big")
    expect(ada.get_by_role("button", name="Confirm")).to_be_disabled()
    ada.close()
    bob = office.page("bob", "/cases/c-big")
    opened(bob, "c-big")
    press(bob, "a")
    wait_for(lambda: office.reviews()[0].action == "confirm", what="the second person's review")


def test_new_complaints_wait_in_a_bar_and_move_nothing(office: Office):
    page = office.page("ada")
    press(page, "j")
    office.complain("person", 0, **_urgent())
    expect(page.locator("#news")).to_contain_text("1 new")
    assert page.locator("tr[data-case]").count() == 3
    expect(page.locator("tr[aria-current]")).to_have_attribute("data-case", "c-1")
    press(page, ".")
    expect(page.locator("tr[data-case]").first).to_have_attribute("data-case", "person")


def test_a_claim_is_seen_by_others_and_can_be_taken_over(office: Office):
    ada = begin(office)
    bob = office.page("bob")
    expect(bob.locator('tr[data-case="c-0"] .outcome')).to_have_text("ada")
    press(bob, "Enter")
    expect(bob.locator(".holder")).to_contain_text("ada@example.com works on this case")
    bob.get_by_role("button", name="Take over").click()
    opened(bob, "c-0")
    ada.close()


def test_a_lost_race_shows_the_winner_and_keeps_the_letter(office: Office):
    page = begin(office)
    page.get_by_label("Reply to the customer").fill("My own words")
    expect(page.locator("[data-draft-state]")).to_have_text("Draft kept")
    client = office.served.client
    client.post("/api/cases/c-0/claim", json={"take_over": True}, headers=reviewer("bob"))
    body = {"complaint_id": "c-0", "version": 1, "action": "approve"}
    assert client.post("/api/decisions", json=body, headers=reviewer("bob")).status_code == 201
    expect(page.locator("article .notice.said")).to_contain_text("bob@example.com")
    expect(page.locator("article")).to_contain_text("My own words")


def test_complaint_triage_and_decision_stand_in_one_view(office: Office):
    page = begin(office)
    for part in (".brief", "form.decide", ".evidence"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] < 800
    form, findings = (page.locator(part).bounding_box() for part in ("form.decide", ".brief"))
    assert form is not None
    assert findings is not None
    assert findings["y"] + findings["height"] <= form["y"]
    assert form["y"] + form["height"] <= 800


def _urgent() -> dict[str, Any]:
    known = escalated("person", "urgent")
    return {name: known[name] for name in ("decision", "credit_amount", "confidence", "priority")}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_on_the_desk_is_too_faint_to_read(office: Office, scheme: str):
    assert faint_texts(begin(office), scheme) == []
    for path in ("/history", "/agreement", "/policy"):
        assert faint_texts(office.page("ada", path), scheme) == [], path
