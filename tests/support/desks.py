"""A reviewers' desk in a browser: whose page it is, which case is open on it, the keys that are pressed."""

from playwright.sync_api import Browser, Page, expect

from tests.caspers.serving import Served
from tests.support.refunds import reviewer


def desk_of(browser: Browser, served: Served, name: str, path: str = "/") -> Page:
    """The console as `name` sees it."""
    context = browser.new_context(extra_http_headers=reviewer(name), viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{served.client.base_url}{path}")
    return page


def opened(page: Page, case_id: str) -> None:
    """Wait until the case is open and this reader's."""
    expect(page.locator("#pane article")).to_have_attribute("data-case", case_id)
    expect(page.locator(".holder")).to_contain_text("Yours")


def press(page: Page, *keys: str) -> None:
    """One key after the other."""
    for key in keys:
        page.keyboard.press(key)
