"""The local workspace as a process: start it, find it, stop it. It is a child program, never an import."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import httpx
import psutil
from caspers.clock import Clock
from caspers.errors import Unavailable

from admin.cli.home import Home

PROGRAM = "local_workspace"
START_PATIENCE_S = 90.0
STOP_PATIENCE_S = 30.0
KILL_PATIENCE_S = 5.0
POLL_S = 0.05
SHOWN_LOG_LINES = 15


@dataclass(frozen=True)
class Connection:
    """Where a running workspace is, and the local user's token for it."""

    url: str
    token: str
    pid: int


def running(home: Home) -> Connection | None:
    """The workspace that runs on this home; a connection file that a crash left behind does not count."""
    try:
        connection = Connection(**json.loads((home.workspace / "workspace.json").read_text()))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, TypeError):
        return None
    return connection if process_of(connection) is not None else None


def process_of(connection: Connection) -> psutil.Process | None:
    """Its process; None when it ended, even if another program got its number since."""
    try:
        process = psutil.Process(connection.pid)
        alive = process.status() != psutil.STATUS_ZOMBIE and PROGRAM in process.cmdline()
    except psutil.Error:
        return None
    return process if alive else None


def answers(connection: Connection) -> bool:
    """Whether it takes requests."""
    try:
        return httpx.get(
            f"{connection.url}/.well-known/databricks-config", timeout=5, trust_env=False
        ).is_success
    except httpx.HTTPError:
        return False


def start(home: Home, port: int | None, clock: Clock) -> Connection:
    """Start the workspace on this home and wait until it answers.

    Raises:
        Unavailable: it ended or did not answer; with its own words.
    """
    command = [sys.executable, "-m", PROGRAM, "--home", str(home.workspace)]
    command += [] if port is None else ["--port", str(port)]
    with home.log.open("ab") as log:
        # A session of its own: Ctrl-C in this terminal reaches us alone, and we stop the workspace in order.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home.path, start_new_session=True
        )
    try:
        return _when_ready(home, process, clock)
    except BaseException:
        process.terminate()
        raise


def _when_ready(home: Home, process: subprocess.Popen[bytes], clock: Clock) -> Connection:
    deadline = clock.monotonic() + START_PATIENCE_S
    pause = Event()
    while clock.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable(f"the local workspace did not start: {_last_words(home.log)}")
        connection = running(home)
        if connection is not None and connection.pid == process.pid and answers(connection):
            return connection
        pause.wait(POLL_S)
    raise Unavailable(
        f"the local workspace did not answer within {START_PATIENCE_S:g} s",
        what_now=f"Look at {home.log}, then try again.",
    )


def stop(connection: Connection) -> str:
    """Stop the workspace and everything it started; a word on how it went."""
    process = process_of(connection)
    if process is None:
        return "it had ended already"
    children = process.children(recursive=True)
    process.terminate()
    gone_in_order = _ended([process], STOP_PATIENCE_S)
    if not gone_in_order:
        process.kill()
    # Its children end with it; whatever does not is ended here, so that no port and no file stays taken.
    left = children if not _ended(children, KILL_PATIENCE_S) else []
    for child in left:
        _kill(child)
    if not gone_in_order:
        return f"it did not end within {STOP_PATIENCE_S:g} s and was killed"
    return "stopped"


def _ended(processes: list[psutil.Process], patience_s: float) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=patience_s)
    return not [
        process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-SHOWN_LOG_LINES:]
    # A sentence of its own stands on the last line; a traceback is worth its whole tail.
    return lines[-1] if lines and not lines[-1].startswith(" ") else "\n".join(lines) or f"see {log}"
