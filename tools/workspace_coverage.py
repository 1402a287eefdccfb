"""Write docs/coverage.md; with a folder of recorded runs, first write which contract test exercises which call.

pytest tests/contract --record-calls DIR
python tools/workspace_coverage.py DIR
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

from local_workspace.coverage.calls import EXERCISED, exercised
from local_workspace.coverage.declared import ANSWERED, FAMILIES
from local_workspace.coverage.report import as_markdown

ONCE_A_PROCESS = {"GET /api/2.0/connector-service/feature-flags/{client}/{version}"}
"""Calls that a client makes for the first test of a process only, whichever that is."""

DOCUMENT = Path(__file__).parents[1] / "docs" / "coverage.md"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recorded", nargs="?", type=Path, help="what pytest --record-calls wrote")
    folder = parser.parse_args().recorded
    if folder is not None:
        EXERCISED.write_text(json.dumps(_chosen(_calls_by_test(folder)), indent=1) + "\n")
    DOCUMENT.write_text(as_markdown(FAMILIES, exercised()))


def _calls_by_test(folder: Path) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for file in folder.glob("*.jsonl"):
        for line in map(json.loads, file.read_text().splitlines()):
            found[line["test"]] |= set(line["calls"])
    return found


def _chosen(by_test: dict[str, set[str]]) -> dict[str, str]:
    """For each call the test that is most about it: the one that makes the fewest different calls."""
    chosen: dict[str, str] = {}
    for call in (call for call in map(str, ANSWERED) if call not in ONCE_A_PROCESS):
        tests = [test for test, calls in by_test.items() if call in calls]
        if tests:
            chosen[call] = min(tests, key=lambda test: (len(by_test[test]), test))
    return chosen


if __name__ == "__main__":
    main()
