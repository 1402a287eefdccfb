"""The whole product, driven as a user does: by the `caspers` command, with a home of its own.

Statements go through one open session: tests ask many times, and a command takes seconds to begin.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psutil
from admin.cli import show
from admin.resources.warehouse import choose
from caspers.clients.lakebase import Lakebase
from caspers.clients.warehouse import Warehouse
from caspers.errors import CaspersError
from caspers.names import endpoint_path
from databricks.sdk import WorkspaceClient

from tests.support.processes import descendants
from tests.support.source import ROOT
from tests.support.waiting import wait_for

CLOSE_WITHIN_S = 1.0


@dataclass
class Product:
    """A home and the catalog in it; nothing runs until `up`."""

    home: Path
    catalog: str = "caspersdev"
    environment: dict[str, str] = field(default_factory=dict)
    _warehouse: tuple[dict[str, Any], Warehouse] | None = None

    def caspers(self, *arguments: str, seconds: float = 180) -> subprocess.CompletedProcess[str]:
        """Run one command and return what it said, whatever its exit code."""
        if arguments[0] == "down":
            self._let_go()
        return subprocess.run(
            [sys.executable, "-m", "admin.cli", *arguments, "--home", str(self.home)],
            cwd=ROOT,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def up(self, *arguments: str, seconds: float = 240) -> None:
        """`caspers up --detach`; fails with all it said."""
        done = self.caspers("up", "--detach", "--catalog", self.catalog, *arguments, seconds=seconds)
        assert done.returncode == 0, done.stdout + done.stderr

    def down(self) -> None:
        """`caspers down`; whatever is left of a killed workspace is killed as well."""
        self.caspers("down")

    def status(self) -> dict[str, Any]:
        """The object of `caspers status --json`."""
        return json.loads(self.caspers("status", "--json", "--catalog", self.catalog).stdout)

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """The rows of a statement as `caspers sql --json` shows them. Raises `CaspersError`."""
        return json.loads(show.as_json(self._open_warehouse().query_text(statement).to_pylist()))

    def value(self, statement: str) -> Any:
        """The one value of a statement; None while the warehouse cannot answer, or the table is not there yet."""
        try:
            return next(iter(self.sql(statement)[0].values()))
        except CaspersError:
            return None

    def replay(self, *arguments: str) -> str:
        """What a `caspers replay` command says."""
        done = self.caspers("replay", *arguments, "--catalog", self.catalog)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def replay_status(self) -> dict[str, Any]:
        """The object of `caspers replay status --json`."""
        return json.loads(self.replay("status", "--json"))

    @property
    def connection(self) -> dict[str, Any]:
        """The workspace's {url, token, pid}."""
        return json.loads((self.home / "workspace" / "workspace.json").read_text())

    @property
    def client(self) -> WorkspaceClient:
        """A new SDK client of the local user."""
        connection = self.connection
        return WorkspaceClient(host=connection["url"], token=connection["token"], auth_type="pat")

    def console(self, app: str = "refunds") -> httpx.Client:
        """A browser's way to one of the apps: through its proxy, as the local user."""
        url = self.client.apps.get(f"{self.catalog.replace('_', '-')}-{app}").url
        return httpx.Client(base_url=url or "", timeout=30)

    def database(self, project: str, database: str) -> Lakebase:
        """A Lakebase database of the demo, as the local user."""
        return Lakebase(self.client, endpoint_path(f"{self.catalog}{project}"), database, sslmode="prefer")

    def volume(self, schema: str, name: str) -> Path:
        """Where a volume lives on disk."""
        return self.home / "workspace" / "catalogs" / self.catalog / schema / "volumes" / name

    @property
    def volumes(self) -> Path:
        """Where the volumes of the simulator live on disk."""
        return self.volume("simulator", "")

    @property
    def position(self) -> int:
        """Virtual seconds that are in the volume."""
        return json.loads((self.volumes / "misc" / "_watermark").read_text())["position"]

    def processes(self, named: str) -> list[psutil.Process]:
        """The workspace's children whose command line holds `named`."""
        try:
            workspace = self.connection["pid"]
        except FileNotFoundError:
            return []
        return descendants(workspace, named)

    def kill(self, named: str) -> bool:
        """kill -9 the children named so; `workspace` is the server itself. False if none was there."""
        if named == "workspace":
            with suppress(FileNotFoundError, ProcessLookupError):
                os.kill(self.connection["pid"], signal.SIGKILL)
            return True
        victims = self.processes(named)
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        return bool(victims)

    def wait_until(self, what: str, statement: str, expected: Any, *, seconds: float = 90) -> None:
        """Wait until the one value of a statement is `expected`."""

        last: list[Any] = []

        def reached() -> bool:
            last[:] = [self.value(statement)]
            return last[0] == expected

        wait_for(reached, seconds=seconds, what=f"{what} (expected {expected!r}, seen {last})", every=0.5)

    def _open_warehouse(self) -> Warehouse:
        """The warehouse of the workspace that runs now: another one runs after a kill."""
        connection = self.connection
        if self._warehouse is None or self._warehouse[0] != connection:
            client = self.client
            chosen = choose(client.warehouses.list(), "caspers")
            assert chosen is not None
            self._let_go()
            self._warehouse = connection, Warehouse(client, chosen.id or "")
        return self._warehouse[1]

    def _let_go(self) -> None:
        """Close the session. Towards a workspace that was killed it takes long, and nobody has to wait for that."""
        before, self._warehouse = self._warehouse, None
        if before is not None:
            closing = Thread(target=before[1].close, daemon=True)
            closing.start()
            closing.join(CLOSE_WITHIN_S)
