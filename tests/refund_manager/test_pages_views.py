"""History, agreement and policy as pages: filters travel into links, forms do what they say."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from caspers.clients.postgres import Postgres

from tests.support.pages import browser_page
from tests.support.refunds import arrive, console, recommendations, reviewer, take_in


def test_every_page_answers_and_names_its_twin(database: Postgres):
    arrive(database, recommendations(5))
    take_in(database)
    with console(database) as served:
        for path in ("/", "/history", "/agreement", "/policy"):
            page = served.client.get(path, headers=reviewer("ada"))
            assert page.status_code == 200
            assert 'rel="alternate" type="application/json"' in page.text


def test_export_links_keep_the_filters_of_the_list(database: Postgres):
    with console(database) as served:
        address = "/history?action=change&decided_by=ada&first_day=2026-03-01&text="
        page = served.client.get(address, headers=reviewer("ada")).text
    links = re.findall(r'href="([^"]*/api/history/export[^"]*)"', page)
    kept = {("decided_by", "ada"), ("action", "change"), ("from", "2026-03-01T00:00:00Z")}
    asked = [set(parse_qsl(urlsplit(unescape(link)).query)) for link in links]
    assert asked == [kept | {("format", form)} for form in ("csv", "jsonl")]


def test_a_view_of_the_queue_is_its_address(database: Postgres):
    arrive(database, recommendations(60))
    take_in(database)
    with console(database) as served:
        page = served.client.get("/?refund_class=partial&sort=amount", headers=reviewer("ada")).text
    assert '<option value="partial" selected>partial</option>' in page
    assert 'href="/?refund_class=partial&amp;sort=amount&amp;status=decided"' in page


@pytest.mark.browser
def test_a_policy_is_followed_by_a_new_one_and_switched_off(database: Postgres):
    with console(database) as served, browser_page() as page:
        page.set_extra_http_headers(reviewer("ada"))
        page.goto(f"{served.client.base_url}/policy")
        page.get_by_label("May approve below").fill("3.5")
        page.get_by_label("Approve such cases").check()
        page.get_by_label("Why is it like this?").fill("Small sums are not worth a person's time")
        page.get_by_role("button", name="Put in force").click()
        page.get_by_role("button", name="Switch off now").click()
        page.get_by_text("People decide every case").wait_for()
        versions = served.client.get("/api/policy").json()["versions"]
    assert [(v["version"], v["enabled"], v["approve_below_usd"]) for v in versions[:2]] == [
        (3, False, 3.5),
        (2, True, 3.5),
    ]
