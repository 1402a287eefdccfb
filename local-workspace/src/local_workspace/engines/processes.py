"""A child process under supervision: started, probed, restarted with a growing pause when it dies, stopped with care.

A child never outlives the workspace: on Linux the kernel kills it when the thread that watches it ends, even by
kill -9 of the whole workspace. Its output goes to a log file. One thread watches each child.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from local_workspace import ids
from local_workspace.clock import Clock
from local_workspace.restarts import Restarts

PROBE_EVERY_S = 0.05
FIRST_PAUSE_S = 0.2

LOWEST_PORT, PORTS = 20_000, 12_000
"""Where free ports are looked for: Linux and macOS take outgoing ports from 32768 and 49152 on."""

LOG_TAIL_BYTES = 16_384
LOG_KEPT_BYTES = 8_000_000
CANNOT_START = 127
"""The exit code, as a shell's, of a program that cannot be started."""

ProcessState = Literal["stopped", "starting", "running", "backing_off", "exited"]


@dataclass(frozen=True)
class Program:
    """What to run, and how to know that it works.

    Attributes:
        name: what people call it, for messages.
        command: the argument list; the first is the program, no shell is involved.
        environment: the whole environment of the child.
        directory: its working directory.
        log: file that its output is appended to.
        ready: true once it does its work; asked every 50 ms while it starts.
        restart: start it again whenever it ends by itself.
        grace_s: seconds between SIGTERM and SIGKILL when it is stopped.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    ready: Callable[[], bool] = field(default=lambda: True)
    restart: bool = True
    grace_s: float = 5.0


@dataclass(frozen=True)
class ProcessStatus:
    """How a child is, and since when.

    Attributes:
        pid: its process id while there is a process.
        exit_code: how its last run ended (negative: the signal); None before the first end.
        restarts: how often it was started again.
    """

    state: ProcessState
    since: datetime
    pid: int | None = None
    exit_code: int | None = None
    restarts: int = 0


class NotRunning(Exception):
    """The child does not work (yet); the message has the last lines of its log."""


class Child:
    """One program, kept running from `start` to `stop`."""

    def __init__(
        self,
        program: Program,
        clock: Clock,
        on_change: Callable[[ProcessStatus], None] = lambda _status: None,
    ) -> None:
        self.program = program
        self._clock = clock
        self._on_change = on_change
        self._status = ProcessStatus("stopped", clock.now())
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._renewing = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None

    @property
    def status(self) -> ProcessStatus:
        """How the child is now."""
        return self._status

    def start(self) -> None:
        """Start it and go on at once; a child that runs is left alone."""
        if self._watcher is not None and self._watcher.is_alive():
            return
        self._stopping.clear()
        self._move("starting")
        self._watcher = threading.Thread(target=self._watch, name=f"watch {self.program.name}", daemon=True)
        self._watcher.start()

    def wait_until_running(self, seconds: float) -> None:
        """Return when the child is ready.

        Raises:
            NotRunning: it was not ready in time, or is not meant to run.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._status.state in {"running", "stopped", "exited"}, timeout=seconds
            )
            if self._status.state == "running":
                return
            state = self._status.state
        raise NotRunning(
            f"{self.program.name} is {state.replace('_', ' ')}. Its last words: {self.last_words()}"
        )

    def stop(self) -> None:
        """Ask it to end, make it end after the grace period, and return when it has."""
        with self._changed:
            self._stopping.set()
            process = self._process
        if self._watcher is None:
            return
        if process is not None:
            _signal_group(process, signal.SIGTERM)
            self._watcher.join(self.program.grace_s)
        if process is not None and self._watcher.is_alive():
            _signal_group(process, signal.SIGKILL)
        self._watcher.join()

    def renew(self) -> None:
        """End its process, without asking, and start another one at once; `wait_until_running` waits for that one."""
        with self._changed:
            if self._status.state != "running" or self._process is None or self._process.poll() is not None:
                return
            self._renewing.set()
            _signal_group(self._process, signal.SIGKILL)
            self._changed.wait_for(lambda: not self._renewing.is_set() or self._stopping.is_set())

    def last_words(self, lines: int = 5) -> str:
        """The end of the log."""
        try:
            with self.program.log.open("rb") as log:
                log.seek(max(0, self.program.log.stat().st_size - LOG_TAIL_BYTES))
                tail = log.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return "\n".join(tail[-lines:])

    def _watch(self) -> None:
        restarts = Restarts(FIRST_PAUSE_S)
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            code = self._run_once()
            if self._take_renewal():
                continue
            if self._stopping.is_set() or not self.program.restart:
                self._move("stopped" if self._stopping.is_set() else "exited", exit_code=code)
                return
            self._move("backing_off", exit_code=code, restarts=self._status.restarts + 1)
            self._stopping.wait(restarts.pause_s(self._clock.monotonic() - began))
        self._move("stopped")

    def _take_renewal(self) -> bool:
        """Whether the process ended because it is to be another one."""
        with self._changed:
            if not self._renewing.is_set() or self._stopping.is_set():
                return False
            self._renewing.clear()
            self._move("starting")
            return True

    def _run_once(self) -> int:
        """One life of the process, from start to end; its exit code."""
        try:
            process = self._spawn()
        except OSError as error:
            self.program.log.write_text(f"{self.program.name} cannot be started: {error}\n")
            return CANNOT_START
        self._move("starting", pid=process.pid)
        while process.poll() is None and not self._stopping.is_set() and not self.program.ready():
            self._stopping.wait(PROBE_EVERY_S)
        if process.poll() is None and not self._stopping.is_set():
            self._move("running", pid=process.pid)
        return process.wait()

    def _spawn(self) -> subprocess.Popen[bytes]:
        _shorten(self.program.log)
        with self._changed, self.program.log.open("ab") as log:
            self._process = subprocess.Popen(
                _dying_with_us(self.program.command),
                cwd=self.program.directory,
                env=dict(self.program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            if self._stopping.is_set():
                _signal_group(self._process, signal.SIGKILL)
            return self._process

    def _move(
        self,
        state: ProcessState,
        *,
        pid: int | None = None,
        exit_code: int | None = None,
        restarts: int | None = None,
    ) -> None:
        with self._changed:
            before = self._status
            self._status = ProcessStatus(
                state,
                self._clock.now(),
                pid,
                before.exit_code if exit_code is None else exit_code,
                before.restarts if restarts is None else restarts,
            )
            self._changed.notify_all()
        self._on_change(self._status)


def free_port() -> int:
    """A loopback TCP port that nobody uses, from below those that systems give to outgoing connections.

    So it is still free when a child that listens on it is started again.
    """
    while True:
        port = LOWEST_PORT + ids.new_number() % PORTS
        if _can_bind(port):
            return port


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def listens(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


DIE_WITH_PARENT = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() == parent:
    os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Run in the child before the program itself; it then becomes the program."""


def _dying_with_us(command: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid()), *command]


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def _shorten(log: Path) -> None:
    """Start the log anew, keeping one older one, when it has grown large."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_KEPT_BYTES:
        log.replace(log.with_suffix(log.suffix + ".old"))
