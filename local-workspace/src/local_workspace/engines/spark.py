"""The SQL engine: Sail, a Spark Connect server without a JVM, kept running as a child process.

Sail holds no catalog of ours and no state that matters: statements name Delta directories. So when it is killed it
comes back by itself, statements in flight fail with `EngineLost`, and later ones work. It also keeps, for good, some
60 KB of every SQL text it has parsed; so what it was asked before is answered without it (see `known_answers`), and
after many statements, in a quiet moment, another process takes its place.
"""

import shutil
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from local_workspace.clock import Clock
from local_workspace.config import child_environment
from local_workspace.engines.known_answers import KnownAnswers, question
from local_workspace.engines.processes import Child, NotRunning, ProcessStatus, Program, free_port, listens
from local_workspace.engines.spark_connect import EngineLost, SparkConnect, Write

START_LIMIT_S = 60
SESSION_LIFE_S = 3600
WAIT_FOR_ENGINE_S = 20
"""How long a statement waits for an engine that is starting or coming back."""

STATEMENTS_OF_A_LIFE = 2_000
BOUNDED_CACHES = {
    "SAIL_PARQUET__FILE_METADATA_CACHE__SIZE_LIMIT": str(32 * 2**20),
    "SAIL_PARQUET__FILE_STATISTICS_CACHE__MAX_ENTRIES": "2000",
}
"""What the engine remembers of files, most of which pipelines write, read once and delete; it has no limit of its own."""

MANY_LIVES = 8
"""An engine that is never quiet is replaced after so many lives; a pipeline's update that was using it begins again."""

HAND_OVER_S = 2.0
"""How long new statements may be kept waiting for those in flight; then the engine lives on for a while."""

QUIET_S = 0.5
QUIET_CPU_S = 0.02
"""An engine that computed less than this while it was watched for QUIET_S works for nobody, not for a pipeline either."""

TRY_EVERY_S = 0.05
NOTICED_AFTER_TRIES = 40


class Spark:
    """The engine's process and our connection to it.

    Args:
        scratch: directory for what the engine spills; emptied when the workspace starts.
        log: file for the engine's output.
        session_life_s: seconds after which the engine forgets a session that nobody uses.
        statements_of_a_life: after so many statements, a quiet moment is waited for to replace the process.
    """

    def __init__(
        self,
        scratch: Path,
        log: Path,
        clock: Clock,
        *,
        session_life_s: int = SESSION_LIFE_S,
        statements_of_a_life: int = STATEMENTS_OF_A_LIFE,
    ) -> None:
        self._clock = clock
        self._session_life_s = session_life_s
        self._scratch = scratch
        self._port = free_port()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._connection: SparkConnect | None = None
        self._answers = KnownAnswers()
        self._statements_of_a_life = statements_of_a_life
        self._statements = self._in_flight = 0
        self._handing_over = False
        self._in_use = threading.Condition()
        self._renewals = threading.Thread(
            target=self._renew_when_due, name="SQL engine's renewal", daemon=True
        )
        self._child = Child(
            Program(
                name="SQL engine",
                command=[_sail(), "spark", "server", "--ip", "127.0.0.1", "--port", str(self._port)],
                environment=child_environment(
                    TZ="UTC",
                    RUST_LOG="warn",
                    SAIL_RUNTIME__TEMPORARY_FILES__PATHS=f'["{scratch}"]',
                    SAIL_SPARK__SESSION_TIMEOUT_SECS=str(session_life_s),
                    **BOUNDED_CACHES,
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

    @property
    def statements(self) -> int:
        """How many statements of ours this process of the engine has been given."""
        return self._statements

    def start(self) -> None:
        """Begin to start the engine; statements wait for it."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        self._child.start()
        if not self._renewals.is_alive():
            self._renewals.start()

    def stop(self) -> None:
        """Stop the engine; statements in flight fail."""
        self._stopping.set()
        with self._in_use:
            self._in_use.notify_all()
        self._forget_connection()
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
        asked = question(sql)
        if asked is None:
            return self._run(sql, operation)
        known = self._answers.find(asked)
        return self._answers.passing(asked, self._run(sql, operation)) if known is None else iter(known)

    def write(self, write: Write, operation: str | None = None) -> None:
        """Write the rows of a query to a Delta directory in one commit; errors as for `query`."""
        with self._using():
            self._connected().write(write, operation)

    def interrupt(self, operation: str) -> None:
        """Stop a statement that runs; nothing happens when there is none of that name."""
        connection = self._connection
        if connection is not None:
            connection.interrupt(operation)

    def _run(self, sql: str, operation: str | None) -> Iterator[bytes]:
        with self._using():
            yield from self._connected().query(sql, operation)

    @contextmanager
    def _using(self) -> Generator[None]:
        """The engine stays the same process meanwhile, unless it dies by itself."""
        with self._in_use:
            self._in_use.wait_for(lambda: not self._handing_over)
            self._in_flight += 1
            self._statements += 1
        try:
            yield
        finally:
            with self._in_use:
                self._in_flight -= 1
                self._in_use.notify_all()

    def _renew_when_due(self) -> None:
        while not self._stopping.is_set():
            with self._in_use:
                self._in_use.wait_for(lambda: self._stopping.is_set() or self._is_due())
            if self._is_quiet() or self._statements >= MANY_LIVES * self._statements_of_a_life:
                self._renew()

    def _is_due(self) -> bool:
        return self._statements >= self._statements_of_a_life

    def _is_quiet(self) -> bool:
        """Whether the engine does nothing for a moment; pipelines speak to it without us."""
        status = self._child.status
        if status.state != "running" or status.pid is None:
            return False
        try:
            process = psutil.Process(status.pid)
            before = process.cpu_times()
            self._stopping.wait(QUIET_S)
            after = process.cpu_times()
        except psutil.Error:
            return False
        return after.user + after.system - before.user - before.system < QUIET_CPU_S

    def _renew(self) -> None:
        """Let the statements in flight come to an end while new ones wait, then let another process take over."""
        with self._in_use:
            self._handing_over = True
            try:
                if (
                    self._in_use.wait_for(lambda: not self._in_flight, HAND_OVER_S)
                    and not self._stopping.is_set()
                ):
                    self._statements = 0
                    self._forget_connection()
                    self._child.renew()
            finally:
                self._handing_over = False
                self._in_use.notify_all()

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
            self._forget_connection()

    def _forget_connection(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _sail() -> str:
    """The engine's program beside our own interpreter, wherever the environment's PATH points."""
    beside = Path(sys.executable).with_name("sail")
    return str(beside) if beside.exists() else "sail"
