"""Apache Spark's own `spark-pipelines` in an environment of its own, made on first use: the referee of our pipelines."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import yaml

VERSION = "4.3"
ENVIRONMENT = Path.home() / ".cache/caspers-conformance" / f"spark-{VERSION}"
INSTALL_SECONDS = 600
RUN_SECONDS = 600
PIPELINE = Path(__file__).parents[2] / "pipelines/order_items"


class SparkMissing(Exception):
    """Spark cannot be had here; the message says why."""


def install() -> Path:
    """The environment's directory of programs; downloads Spark the first time.

    Raises:
        SparkMissing: no Java 17 or later, or the download failed.
    """
    programs = ENVIRONMENT / "bin"
    if shutil.which("java") is None:
        raise SparkMissing("Apache Spark needs Java 17 or later on the PATH; there is none.")
    if (ENVIRONMENT / "complete").exists():
        return programs
    uv = shutil.which("uv") or "uv"
    for command in (
        [uv, "venv", "-q", "--clear", "--python", sys.executable, str(ENVIRONMENT)],
        [
            uv,
            "pip",
            "install",
            "-q",
            "--python",
            str(programs / "python"),
            f"pyspark[pipelines]=={VERSION}.*",
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        if done.returncode:
            raise SparkMissing(f"{' '.join(command)} failed: {done.stderr.strip()}")
    (ENVIRONMENT / "complete").touch()
    return programs


def run_order_items(folder: Path, events: Path) -> None:
    """Run the unchanged pipeline over a folder of events; its tables appear below `folder`.

    Raises:
        SparkMissing: Spark cannot be had here.
    """
    programs = install()
    shutil.copytree(PIPELINE, folder, dirs_exist_ok=True)
    spec = yaml.safe_load((folder / "spark-pipeline.yml").read_text())
    spec["storage"] = f"file://{folder}/storage"
    spec["configuration"]["caspers.events_path"] = str(events)
    (folder / "spark-pipeline.yml").write_text(yaml.safe_dump(spec))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "SPARK_LOCAL_IP": "127.0.0.1", "TZ": "UTC"}
    environment |= {"PYSPARK_PYTHON": str(programs / "python")}
    done = subprocess.run(
        [str(programs / "spark-pipelines"), "run", "--spec", "spark-pipeline.yml"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table that Spark wrote."""
    files = ds.dataset(
        folder / "spark-warehouse" / table, format="parquet", partitioning="hive", exclude_invalid_files=True
    )
    return files.to_table().to_pylist()
