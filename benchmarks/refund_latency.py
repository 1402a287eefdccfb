"""From a delivered event in the volume to its case on an open console page, live at 60×; the whole product runs.

The page stands open in Chromium as a reviewer's would; whenever it says that something is new, it is asked to show it.
A file's modification time is the moment it was closed.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, report
from tests.support.pages import browser_page
from tests.support.product import Product
from tests.support.waiting import wait_for

SECONDS = 120.0
#: Notes when each case is first on the page, and shows what is new as soon as the page says so.
WATCH = """() => {
  window.seenAt = {};
  setInterval(() => {
    const news = document.getElementById("news");
    if (news && !news.hidden) news.click();
    for (const row of document.querySelectorAll("tr[data-case]")) window.seenAt[row.dataset.case] ??= Date.now() / 1000;
  }, 25);
}"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.refund_latency", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long deliveries are watched")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-refund-latency-") as folder:
        product = Product(Path(folder) / "home")
        try:
            product.up("--port", "0", "-p", "refund_history_share=0")
            took, missing = _watch(product, arguments.seconds)
        finally:
            product.down()
    report(
        f"refund line, live at 60×, {len(took)} delivered orders",
        [
            Figure("delivered event in the volume to case on the page, median", statistics.median(took), "s"),
            Figure("the same, 95th percentile", sorted(took)[int(0.95 * len(took))], "s", "≤ 5 s"),
            Figure("the same, longest", max(took), "s"),
            Figure("delivered orders that never came", missing, "", "0"),
        ],
    )


def _watch(product: Product, seconds: float) -> tuple[list[float], int]:
    with product.console() as console, browser_page() as page:
        wait_for(lambda: _cases(console) > 0, seconds=120, what="live cases arrive")
        page.goto(str(console.base_url))
        page.evaluate(WATCH)
        began = time.time()
        page.wait_for_timeout(seconds * 1000)
        ended = time.time()
        delivered = _delivered(product, began, ended)
        wait_for(
            lambda: delivered.keys() <= _seen(page).keys(),
            seconds=30,
            what="the last cases arrive",
            every=0.5,
        )
        seen = _seen(page)
    took = [seen[order] - moment for order, moment in delivered.items() if order in seen]
    return took, len(delivered) - len(took)


def _cases(console: Any) -> int:
    answer = console.get("/api/queue/counts")
    return answer.json()["cases"] if answer.status_code == 200 else 0


def _seen(page: Any) -> dict[str, float]:
    return page.evaluate("() => window.seenAt")


def _delivered(product: Product, since: float, until: float) -> dict[str, float]:
    """The orders delivered in files that were closed between two moments, and when."""
    found: dict[str, float] = {}
    for file in (product.volumes / "events").rglob("*.json"):
        closed = file.stat().st_mtime
        if since <= closed < until:
            events = (json.loads(line) for line in file.read_bytes().splitlines())
            found |= {event["order_id"]: closed for event in events if event["event_type"] == "delivered"}
    return found


if __name__ == "__main__":
    main()
