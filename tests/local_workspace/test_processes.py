"""Children under supervision: they come up, come back, go down, and never outlive their parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from local_workspace.clock import SystemClock
from local_workspace.config import child_environment
from local_workspace.engines.processes import Child, NotRunning, ProcessStatus, Program, free_port, listens

from tests.support.waiting import wait_for

SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()",
]
ORPHANAGE = """
import pathlib, signal, sys
from local_workspace.clock import SystemClock
from local_workspace.engines.processes import Child, Program
program = Program("sleeper", [sys.executable, "-c", "import signal; signal.pause()"], {}, pathlib.Path("/"), pathlib.Path(sys.argv[1]))
child = Child(program, SystemClock())
child.start()
child.wait_until_running(30)
print(child.status.pid, flush=True)
signal.pause()
"""


def _child(command: list[str], tmp_path: Path, **options: object) -> Child:
    program = Program("child", command, child_environment(), tmp_path, tmp_path / "child.log", **options)  # type: ignore[arg-type]  options are Program's own
    return Child(program, SystemClock())


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_child_comes_back_by_itself(tmp_path: Path):
    child = _child(SLEEPER, tmp_path)
    child.start()
    child.wait_until_running(30)
    first = child.status.pid
    assert first
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: child.status.state == "running" and child.status.pid != first, what="it runs again")
    assert (child.status.restarts, child.status.exit_code) == (1, -signal.SIGKILL)
    child.stop()
    assert child.status.state == "stopped"


def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path):
    log = tmp_path / "child.log"
    child = _child(STUBBORN, tmp_path, grace_s=0.3, ready=lambda: log.exists() and "up" in log.read_text())
    child.start()
    child.wait_until_running(30)
    pid = child.status.pid
    assert pid
    child.stop()
    assert not _alive(pid)
    assert child.status.exit_code == -signal.SIGKILL


def test_a_child_that_cannot_start_says_why(tmp_path: Path):
    child = _child([sys.executable, "-c", "raise SystemExit('no oil in the machine')"], tmp_path, restart=False,
                   ready=lambda: False)  # fmt: skip
    child.start()
    with pytest.raises(NotRunning, match="no oil in the machine"):
        child.wait_until_running(30)
    assert child.status.state == "exited"


def test_a_failing_child_is_restarted_with_growing_pauses(tmp_path: Path):
    seen: list[ProcessStatus] = []
    program = Program("child", ["/bin/false"], {}, tmp_path, tmp_path / "log", ready=lambda: False)
    child = Child(program, SystemClock(), seen.append)
    child.start()
    wait_for(lambda: child.status.restarts >= 3, what="three restarts")
    child.stop()
    pauses = [status.since for status in seen if status.state == "backing_off"]
    assert pauses[2] - pauses[1] > pauses[1] - pauses[0]


def test_children_die_with_a_killed_parent(tmp_path: Path):
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANAGE, str(tmp_path / "log")], stdout=subprocess.PIPE
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert _alive(pid)
    parent.kill()
    parent.communicate()
    wait_for(lambda: not _alive(pid), what="the child is gone")


def test_a_free_port_is_free_until_somebody_listens():
    assert not listens(free_port())
