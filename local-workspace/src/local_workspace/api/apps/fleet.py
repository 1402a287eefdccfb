"""The processes of the apps: started from a deployment's folder, watched, restarted when they crash."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path

from local_workspace.api.apps.logs import SYSTEM
from local_workspace.api.apps.manifest import Launch
from local_workspace.clock import Clock
from local_workspace.engines.processes import Child, ProcessStatus, Program, listens

GRACE_S = 15.0
"""Between SIGTERM and SIGKILL, as on the platform."""

LAST_WORDS_LINES = 12
LOG_TAIL_BYTES = 262_144


@dataclass(frozen=True)
class AppStatus:
    """How an app's process is.

    Attributes:
        state: the platform's ApplicationState.
        port: where the process itself listens, behind the proxy.
    """

    state: str
    message: str
    port: int | None = None


class Fleet:
    """One process per app that runs."""

    def __init__(self, clock: Clock, log_of: Callable[[str], Path]) -> None:
        self._clock = clock
        self._log_of = log_of
        self._running: dict[str, tuple[Child, int]] = {}
        self._refused: dict[str, str] = {}
        self._lock = threading.Lock()

    def start(
        self, app: str, launch: Launch, folder: Path, on_change: Callable[[ProcessStatus], None]
    ) -> None:
        """Start an app's process; one that runs already is stopped first."""
        self.stop(app)
        self._begin_log(app, folder)
        program = Program(
            name=f"App {app}",
            command=launch.command,
            environment=launch.environment,
            directory=folder,
            log=self._log_of(app),
            ready=lambda: listens(launch.port),
            grace_s=GRACE_S,
        )
        child = Child(program, self._clock, on_change)
        with self._lock:
            self._running[app] = (child, launch.port)
        child.start()

    def refuse(self, app: str, reason: str) -> None:
        """Remember why an app's process could not even be started."""
        self.stop(app)
        self._refused[app] = reason

    def stop(self, app: str) -> None:
        """Stop an app's process, if there is one."""
        with self._lock:
            child, _port = self._running.pop(app, (None, 0))
            self._refused.pop(app, None)
        if child is not None:
            child.stop()

    def stop_all(self) -> None:
        """Stop all processes, side by side."""
        with ThreadPoolExecutor(max_workers=max(1, len(self._running))) as pool:
            list(pool.map(self.stop, list(self._running)))

    def status(self, app: str) -> AppStatus:
        """How the app is, in the platform's words."""
        child, port = self._running.get(app, (None, None))
        if child is None:
            reason = self._refused.get(app)
            return (
                AppStatus("CRASHED", reason)
                if reason
                else AppStatus("UNAVAILABLE", "The app is not running.")
            )
        status = child.status
        if status.state == "running":
            return AppStatus("RUNNING", "App is running.", port)
        if status.restarts == 0 and status.state == "starting":
            return AppStatus("DEPLOYING", "The app is starting; it does not listen on its port yet.", port)
        return AppStatus("CRASHED", crash_message(status, self.last_words(app)), port)

    def last_words(self, app: str, lines: int = LAST_WORDS_LINES) -> str:
        """The end of what the app has printed, in this run and the ones before."""
        try:
            with self._log_of(app).open("rb") as log:
                log.seek(max(0, log.seek(0, SEEK_END) - LOG_TAIL_BYTES))
                tail = log.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(tail[-lines:])

    def _begin_log(self, app: str, folder: Path) -> None:
        log = self._log_of(app)
        log.parent.mkdir(parents=True, exist_ok=True)
        moment = self._clock.now().isoformat(timespec="seconds")
        with log.open("a") as file:
            file.write(f"{SYSTEM}[{moment}] Starting deployment {folder.name}\n")


def crash_message(status: ProcessStatus, last_words: str) -> str:
    """Why the app is not there, with the end of its log."""
    return (
        f"App crashed with exit code {status.exit_code} and is started again. Its last words:\n{last_words}"
    )
