"""All of the demo: from nothing, the same again, teardown of everything; each as long as its command takes.

The environment is installed and the generator's cache holds the dataset; the home is new for every run.
"""

import json
import statistics
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, report, seconds
from tests.support.product import Product

RUNS = 3
PATIENCE_S = 300


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="bench-whole-demo-") as folder:
        warm = Product(Path(folder) / "warm")
        warm.up("--target", "free", "--port", "0")
        warm.down()
        runs = [_once(Product(Path(folder) / f"home{number}")) for number in range(RUNS)]
    reaches = {
        "caspers up --target all, from nothing": "≤ 75 s",
        "caspers run all, once more": "≤ 5 s",
        "caspers teardown, everything": "≤ 20 s",
        "findings of caspers verify --gone": "0",
        "resources changed by the run once more": "0",
    }
    columns = list(zip(*runs, strict=True))
    report(
        "the whole demo",
        [
            Figure(name, statistics.median(column), "s" if reach.endswith("s") else "", reach, column)
            for (name, reach), column in zip(reaches.items(), columns, strict=True)
        ],
    )


def _once(product: Product) -> tuple[float, ...]:
    try:
        up_s = seconds(lambda: product.up("--target", "all", "--port", "0"))
        said: list[str] = []
        again_s = seconds(lambda: said.append(_said(product, "run", "all", "--json")))
        changed = sum(step["state"] != "unchanged" for step in json.loads(said[0])["steps"])
        teardown_s = seconds(lambda: _said(product, "teardown", "--yes", "--json"))
        gone = json.loads(_said(product, "verify", "--gone", "--json"))
        left = sum(not finding["ok"] for finding in gone["findings"])
    finally:
        product.down()
    return up_s, again_s, teardown_s, float(left), float(changed)


def _said(product: Product, *command: str) -> str:
    done = product.caspers(*command, "--catalog", product.catalog, seconds=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


if __name__ == "__main__":
    main()
