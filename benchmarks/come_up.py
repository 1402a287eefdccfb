"""The whole product: from `caspers up --target free` to the gold rows of all 70 days, its memory when idle, and 90 days in 90 seconds.

The environment is installed and the generator's cache holds the dataset; the home is new for every run. Lag at the end
of the fast replay is the time from the pause until bronze holds every event that was written.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from databricks import sql
from databricks.sdk import WorkspaceClient
from databricks.sql.exc import ServerOperationError

from benchmarks.measure import Figure, report
from tests.support.product import Product
from tests.support.waiting import wait_for

RUNS = 3
DAYS_OF_HISTORY = 70
SETTLE_S = 30
FAST_S = 90
DAYS = "SELECT count(DISTINCT order_day) FROM caspersdev.lakeflow.gold_order_header"
EVENTS = "SELECT count(*) AS events FROM caspersdev.lakeflow.all_events"


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="bench-come-up-") as folder:
        Product(Path(folder) / "warm").up("--target", "free", "--port", "0")
        Product(Path(folder) / "warm").down()
        runs = [_come_up(Product(Path(folder) / f"home{number}")) for number in range(RUNS - 1)]
        last = Product(Path(folder) / "last")
        try:
            runs.append(_come_up(last, leave_running=True))
            resident, own = _memory(last)
            lag, lost = _as_fast_as_it_goes(last)
        finally:
            last.down()
    report(
        "the whole product",
        [
            Figure(
                "caspers up --target free to gold rows of all 70 days",
                statistics.median(runs),
                "s",
                "≤ 45 s",
                tuple(runs),
            ),
            Figure("memory of everything idle after the load, RSS", resident, "MB", "≤ 1,500 MB"),
            Figure("the same, shared pages counted once (PSS)", own, "MB"),
            Figure(f"lag after {FAST_S} s at 86,400×", lag, "s", "≤ 10 s"),
            Figure("events lost", lost, "", "0"),
        ],
    )


def _come_up(product: Product, *, leave_running: bool = False) -> float:
    start = time.perf_counter()
    product.up("--target", "free", "--port", "0")
    # The day after the last whole day is under way, so there is one more.
    _wait_for_value(product, DAYS, DAYS_OF_HISTORY)
    took = time.perf_counter() - start
    if not leave_running:
        product.down()
    return took


def _wait_for_value(product: Product, statement: str, at_least: int) -> None:
    with _session(product) as session, session.cursor() as cursor:

        def reached() -> bool:
            try:
                cursor.execute(statement)
            except ServerOperationError:
                return False  # the table is not there yet
            return cursor.fetchall()[0][0] >= at_least

        wait_for(reached, seconds=180, what=f"{statement} gives {at_least}", every=0.1)


def _session(product: Product) -> Any:
    url, token = product.connection["url"], product.connection["token"]
    warehouse = next(iter(WorkspaceClient(host=url, token=token).warehouses.list()))
    path = f"/sql/1.0/warehouses/{warehouse.id}"
    return sql.connect(server_hostname=url, http_path=path, access_token=token, use_kernel=True)


def _memory(product: Product) -> tuple[float, float]:
    """Resident and proportional memory of the workspace and all its children, in MB, once all is quiet."""
    product.replay("pause")
    time.sleep(SETTLE_S)
    workspace = psutil.Process(product.connection["pid"])
    memory = [member.memory_full_info() for member in [workspace, *workspace.children(recursive=True)]]
    product.replay("resume")
    return sum(each.rss for each in memory) / 1e6, sum(each.pss for each in memory) / 1e6


def _as_fast_as_it_goes(product: Product) -> tuple[float, float]:
    """Seconds from the end of a fast replay until all is in bronze, and the events that are not."""
    product.replay("speed", "86400")
    time.sleep(FAST_S)
    product.replay("pause")
    paused = time.perf_counter()
    wait_for(lambda: product.replay_status()["lag_s"] == 0, what="the replay has written all")
    written = product.replay_status()["events_written"]
    _wait_for_value(product, EVENTS, written)
    return time.perf_counter() - paused, written - product.sql(EVENTS)[0]["events"]


if __name__ == "__main__":
    main()
