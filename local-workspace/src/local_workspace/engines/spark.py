"""The SQL engine: Sail, a Spark Connect server without a JVM, kept running as a child process.

Sail holds no catalog of ours and no state that matters: statements name Delta directories. So when it is killed it
comes back by itself, statements in flight fail with `EngineLost`, and later ones work.
"""

import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from local_workspace.clock import Clock
from local_workspace.config import child_environment
from local_workspace.engines.processes import Child, NotRunning, ProcessStatus, Program, free_port, listens
from local_workspace.engines.spark_connect import EngineLost, SparkConnect, Write

START_LIMIT_S = 60
SESSION_LIFE_S = 3600
WAIT_FOR_ENGINE_S = 20
"""How long a statement waits for an engine that is starting or coming back."""

TRY_EVERY_S = 0.05
NOTICED_AFTER_TRIES = 40


class Spark:
    """The engine's process and our connection to it.

    Args:
        scratch: directory for what the engine spills; emptied when the workspace starts.
        log: file for the engine's output.
        session_life_s: seconds after which the engine forgets a session that nobody uses.
    """

    def __init__(
        self, scratch: Path, log: Path, clock: Clock, *, session_life_s: int = SESSION_LIFE_S
    ) -> None:
        self._clock = clock
        self._session_life_s = session_life_s
        self._scratch = scratch
        self._port = free_port()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._connection: SparkConnect | None = None
        self._child = Child(
            Program(
                name="SQL engine",
                command=[_sail(), "spark", "server", "--ip", "127.0.0.1", "--port", str(self._port)],
                environment=child_environment(
                    TZ="UTC",
                    RUST_LOG="warn",
                    SAIL_RUNTIME__TEMPORARY_FILES__PATHS=f'["{scratch}"]',
                    SAIL_SPARK__SESSION_TIMEOUT_SECS=str(session_life_s),
                ),
                directory=scratch,
                log=log,
                ready=lambda: listens(self._port),
                grace_s=2,
            ),
            clock,
            on_change=self._forget_lost_connection,
        )

    @property
    def address(self) -> str:
        """What a Spark Connect client is given, such as sc://127.0.0.1:15002."""
        return f"sc://127.0.0.1:{self._port}"

    @property
    def status(self) -> ProcessStatus:
        """How the engine's process is."""
        return self._child.status

    def start(self) -> None:
        """Begin to start the engine; statements wait for it."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        self._child.start()

    def stop(self) -> None:
        """Stop the engine; statements in flight fail."""
        self._stopping.set()
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._child.stop()

    def wait_until_running(self) -> None:
        """Return when the engine answers.

        Raises:
            NotRunning: it does not start; the message says what it logged.
        """
        self._child.wait_until_running(START_LIMIT_S)

    def query(self, sql: str, operation: str | None = None) -> Iterator[bytes]:
        """Run a statement; yields Arrow IPC streams.

        Raises:
            EngineError: the engine refused or failed the statement.
            EngineLost: it went away meanwhile, or did not come back in time.
        """
        return self._connected().query(sql, operation)

    def write(self, write: Write, operation: str | None = None) -> None:
        """Write the rows of a query to a Delta directory in one commit; errors as for `query`."""
        self._connected().write(write, operation)

    def interrupt(self, operation: str) -> None:
        """Stop a statement that runs; nothing happens when there is none of that name."""
        connection = self._connection
        if connection is not None:
            connection.interrupt(operation)

    def _connected(self) -> SparkConnect:
        self._wait_until_it_listens()
        with self._lock:
            if self._connection is None:
                self._connection = SparkConnect(self._port, self._clock, self._session_life_s / 2)
            return self._connection

    def _wait_until_it_listens(self) -> None:
        """Wait for the engine; one killed this very moment counts as running until its end is noticed."""
        for _ in range(NOTICED_AFTER_TRIES):
            try:
                self._child.wait_until_running(WAIT_FOR_ENGINE_S)
            except NotRunning as error:
                raise EngineLost(
                    f"The SQL engine is not available yet; try again in a moment. {error}"
                ) from error
            if listens(self._port):
                return
            self._stopping.wait(TRY_EVERY_S)
        raise EngineLost("The SQL engine does not answer; try again in a moment.")

    def _forget_lost_connection(self, status: ProcessStatus) -> None:
        if status.state in {"backing_off", "stopped"}:
            with self._lock:
                connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()


def _sail() -> str:
    """The engine's program beside our own interpreter, wherever the environment's PATH points."""
    beside = Path(sys.executable).with_name("sail")
    return str(beside) if beside.exists() else "sail"
