"""Once it is installed, the demo needs no network: it comes up in a namespace that has nothing but loopback."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import ROOT

COME_UP_AND_ANSWER = """
set -e
ip link set lo up
caspers() { "$PYTHON" -m admin.cli "$@" --home "$DEMO_HOME"; }
caspers up --detach --port 0 --days 2 --start-day 1 --schedule-minutes 0.02 >&2
caspers sql "select count(*) as events from caspersdev.lakeflow.all_events" --json
caspers down >&2
"""


def _cannot_unshare() -> bool:
    tools = shutil.which("unshare") and shutil.which("ip")
    return (
        not tools
        or subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode != 0
    )


@pytest.mark.slow
@pytest.mark.skipif(
    _cannot_unshare(), reason="needs the right to make a network namespace, and the ip command"
)
def test_the_demo_comes_up_where_there_is_no_network(tmp_path: Path):
    done = subprocess.run(
        ["unshare", "--net", "bash", "-c", COME_UP_AND_ANSWER],
        cwd=ROOT,
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHON": sys.executable,
            "DEMO_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])[0]["events"] > 0
