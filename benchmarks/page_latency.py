"""What the latency benchmarks of the two lines share: from a delivered event in the volume to its case on an open page.

The whole product runs, live at 60×. The page stands open in Chromium as a reviewer's would; whenever it says that
something is new, it is asked to show it. A file's modification time is the moment it was closed.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.measure import Figure, report
from tests.support.pages import browser_page
from tests.support.product import Product
from tests.support.waiting import wait_for

HOUR_S, DAY_S = 3_600, 86_400
#: Hours of a virtual day in which orders come in all the time.
BUSY_HOURS = range(11, 20)
#: Notes when each case is first on the page, and shows what is new as soon as the page says so.
WATCH = """() => {
  window.seenAt = {};
  setInterval(() => {
    const news = document.getElementById("news");
    if (news && !news.hidden) news.click();
    for (const row of document.querySelectorAll("tr[data-case]")) window.seenAt[row.dataset.case] ??= Date.now() / 1000;
  }, 25);
}"""


@dataclass(frozen=True)
class Line:
    """A line as its benchmark measures it.

    Attributes:
        name: of the line, for the report.
        parameters: what `caspers up` is asked for.
        app: the console.
        page: the address of the page that stands open, newest cases first.
        prepare: leaves the product with nothing but live orders to do.
        case_of: the case that a delivered order makes; None if it makes none.
        reach: the seconds within which 95 in 100 should come.
    """

    name: str
    parameters: tuple[str, ...]
    app: str
    page: str
    prepare: Callable[[Product], None]
    case_of: Callable[[str], str | None]
    reach: int
    seconds: float


def main(line: Line) -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=line.seconds, help="how long deliveries are watched")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-page-latency-") as folder:
        product = Product(Path(folder) / "home")
        try:
            product.up("--port", "0", *line.parameters)
            _into_the_day(product)
            line.prepare(product)
            took, lost = _watch(product, line, arguments.seconds)
        finally:
            product.down()
    _report(line, took, lost)


def _into_the_day(product: Product) -> None:
    """Go to the next hours in which people order, unless these are such: at night there is nothing to measure."""
    if int(product.position % DAY_S / HOUR_S) not in BUSY_HOURS:
        product.replay("seek", f"{BUSY_HOURS.start}:00")


def _report(line: Line, took: list[float], lost: int) -> None:
    if not took:
        raise SystemExit(f"no case came meanwhile, and {lost} were lost: watch for longer (--seconds)")
    took = sorted(took)
    what = "delivered event in the volume to case on the page"
    report(
        f"{line.name}, live at 60×, {len(took)} cases (load of the machine {os.getloadavg()[0]:.1f})",
        [
            Figure(f"{what}, median", statistics.median(took), "s"),
            Figure("the same, 95th percentile", took[int(0.95 * len(took))], "s", f"≤ {line.reach} s"),
            Figure("the same, longest", took[-1], "s"),
            Figure("delivered orders whose case never came", lost, "", "0"),
        ],
    )


def _watch(product: Product, line: Line, seconds: float) -> tuple[list[float], int]:
    with product.console(line.app) as console, browser_page() as page:
        wait_for(lambda: _cases(console) > 0, seconds=120, what="live cases arrive")
        page.goto(f"{console.base_url}{line.page}")
        page.evaluate(WATCH)
        began = time.time()
        page.wait_for_timeout(seconds * 1000)
        delivered = _delivered(product, line, began, time.time())
        _wait_for_the_last(page, delivered)
        seen = _seen(page)
    took = [seen[case] - moment for case, moment in delivered.items() if case in seen]
    return took, len(delivered) - len(took)


def _wait_for_the_last(page: Page, delivered: dict[str, float]) -> None:
    """Give the last cases half a minute; those that do not come are lost, which is for the report to say."""
    deadline = time.monotonic() + 30
    while not delivered.keys() <= _seen(page).keys() and time.monotonic() < deadline:
        page.wait_for_timeout(250)


def _cases(console: Any) -> int:
    answer = console.get("/api/queue/counts")
    return answer.json()["cases"] if answer.status_code == 200 else 0


def _seen(page: Page) -> dict[str, float]:
    return page.evaluate("() => window.seenAt")


def _delivered(product: Product, line: Line, since: float, until: float) -> dict[str, float]:
    """The cases of orders that were delivered in files closed between two moments, and when."""
    found: dict[str, float] = {}
    for file in (product.volumes / "events").rglob("*.json"):
        closed = file.stat().st_mtime
        if since <= closed < until:
            events = (json.loads(event) for event in file.read_bytes().splitlines())
            orders = (event["order_id"] for event in events if event["event_type"] == "delivered")
            cases = (line.case_of(order) for order in orders)
            found |= {case: closed for case in cases if case}
    return found
