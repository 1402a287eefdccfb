"""From a delivered event in the volume to its triaged complaint on an open page of the complaint console, live at 60×.

So many orders complain that minutes are enough to count them; the history's complaints are done before it begins.
"""

from caspers.agents.lots import fraction
from complaint_console.complaint_mix import COMPLAINS
from complaint_console.raw_complaints import complaint_id

from benchmarks.page_latency import Line, main
from tests.support.product import Product
from tests.support.waiting import wait_for

RATE = 0.6
PENDING = """
SELECT (SELECT count(*) FROM caspersdev.complaints.raw_complaints)
     - (SELECT count(*) FROM caspersdev.complaints.complaint_responses) AS pending
"""


def _without_history(product: Product) -> None:
    """Let no more orders of the history complain, and wait for the triage of those that did."""
    with product.console("admin") as admin:
        orders = {"parameters": {"history_share": 0.0}}
        admin.patch("/api/v1/workers/complaint_generator", json=orders).raise_for_status()
    wait_for(lambda: product.value(PENDING) == 0, seconds=240, what="no complaint waits", every=1)


def _complaint_of(order_id: str) -> str | None:
    return complaint_id(order_id) if fraction(COMPLAINS, order_id) < RATE else None


LINE = Line(
    name="complaint line",
    parameters=("--target", "complaints", "-p", f"complaint_rate={RATE}"),
    app="complaints",
    page="/?sort=newest",
    prepare=_without_history,
    case_of=_complaint_of,
    reach=8,
    seconds=150,
)

if __name__ == "__main__":
    main(LINE)
