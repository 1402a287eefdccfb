"""A local workspace for the tests: the real process, on a free port, with a home of its own."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from databricks import sql
from databricks.sdk import WorkspaceClient
from local_workspace.clock import SystemClock
from local_workspace.identity import Identities
from local_workspace.state import State

from tests.support.processes import descendants
from tests.support.waiting import wait_for

READY_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True)
class ServicePrincipal:
    """A service principal of a running workspace and the client that speaks as it."""

    client_id: str
    client_secret: str
    client: WorkspaceClient


class LocalWorkspace:
    """A workspace process: start it, talk to it through the real clients, stop or kill it, start it again.

    A home that is used again keeps its state, as a user's would.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = ""
        self.token = ""
        self.pid = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, port: int = 0, **settings: str) -> "LocalWorkspace":
        """Start the process, with these variables in its environment, and wait until it answers.

        Bad days can be asked for (tests/support/bad_days.py) unless LOCAL_WORKSPACE_BAD_DAYS says otherwise.
        """
        self.home.parent.mkdir(parents=True, exist_ok=True)
        log = self.home.with_name(self.home.name + ".log").open("ab")
        command = [sys.executable, "-m", "local_workspace", "--home", str(self.home), "--port", str(port)]
        environment = _environment() | {"LOCAL_WORKSPACE_BAD_DAYS": "1"} | settings
        with log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            connection = wait_for(self._connection, seconds=READY_SECONDS, what="the workspace is ready")
        except AssertionError:
            self.kill()  # nobody else would: a fixture that fails has no end
            raise
        self.url, self.token, self.pid = connection["url"], connection["token"], connection["pid"]
        return self

    @property
    def client(self) -> WorkspaceClient:
        """A new SDK client of the local user."""
        return WorkspaceClient(host=self.url, token=self.token, auth_type="pat")

    def service_principal(self, display_name: str = "a service principal") -> ServicePrincipal:
        """A new service principal, which has no privileges yet."""
        state = State(self.home / "workspace.sqlite")
        try:
            principal, secret = Identities(state, SystemClock()).create_service_principal(display_name)
        finally:
            state.close()
        client = WorkspaceClient(
            host=self.url, client_id=principal.name, client_secret=secret, auth_type="oauth-m2m"
        )
        return ServicePrincipal(principal.name, secret, client)

    def connect(self, **options: Any) -> Any:
        """A connection of the SQL connector, as the local user, to the first warehouse."""
        warehouse = next(iter(self.client.warehouses.list()))
        return sql.connect(
            server_hostname=self.url,
            http_path=f"/sql/1.0/warehouses/{warehouse.id}",
            access_token=self.token,
            use_kernel=True,
            **options,
        )

    def engine(self) -> psutil.Process:
        """The SQL engine's process. The workspace starts another one when it is killed, after a growing pause."""
        return wait_for(lambda: descendants(self.pid, "spark server"), what="the SQL engine runs")[0]

    def stop(self) -> None:
        """Ask the process to end and wait for it; a process that is gone already is fine."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process as a crash would."""
        self._end(signal.SIGKILL)

    def log(self) -> str:
        """All that the process has printed."""
        return self.home.with_name(self.home.name + ".log").read_text(errors="replace")

    def _end(self, signal_number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal_number)
        self._process.wait(STOP_SECONDS)
        self._process = None

    def _connection(self) -> dict[str, Any]:
        assert self._process is not None
        code = self._process.poll()
        assert code is None, f"the workspace ended with code {code}:\n{self.log()}"
        try:
            connection = json.loads((self.home / "workspace.json").read_text())
        except FileNotFoundError:
            return {}
        return connection if connection["pid"] == self._process.pid else {}


def _environment() -> dict[str, str]:
    """The tests' own environment without what speaks of a real workspace, or of a model of the person who tests."""
    ours = ("DATABRICKS_", "LOCAL_WORKSPACE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
