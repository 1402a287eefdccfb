"""Generate the canonical dataset of 90 days: time, memory, and the same seed giving the same bytes."""

import hashlib
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, median_of, report, seconds

DAYS = 90
TIMES = 3


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="bench-generate-"))
    command = [sys.executable, "-m", "replayer.canonical", "--days", str(DAYS), "--out"]
    digests: set[str] = set()

    def generate() -> float:
        shutil.rmtree(folder, ignore_errors=True)
        took = seconds(lambda: subprocess.run([*command, str(folder)], check=True, capture_output=True))
        digests.add(hashlib.sha256((folder / "events.parquet").read_bytes()).hexdigest())
        return took

    try:
        took, runs = median_of(TIMES, generate)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    report(
        f"generate {DAYS} days",
        [
            Figure("process start to last file", took, "s", "≤ 25 s", runs),
            Figure("peak memory", peak_mb, "MB", "≤ 1500 MB"),
            Figure("different datasets from one seed", len(digests), "", "1"),
        ],
    )


if __name__ == "__main__":
    main()
