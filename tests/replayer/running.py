"""The replayer app as a process, against a real workspace, with its control database in Lakebase."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from caspers.clients.lakebase import Lakebase
from caspers.clients.volume import Volume
from caspers.worker.orders import SCHEMA, Desired, write_orders
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.postgres import Project, ProjectSpec

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace


@dataclass
class Kitchen:
    """A catalog with the volumes and the control database that the replayer needs, and the app itself."""

    workspace: LocalWorkspace
    catalog: str
    temp: Path
    app: subprocess.Popen[bytes] | None = None
    url: str = ""
    endpoint: str = ""
    faults: list[str] = field(default_factory=list)

    def prepare(self) -> "Kitchen":
        """Make schema, volumes, project, tables."""
        client = self.workspace.client
        client.schemas.create("simulator", self.catalog)
        for name in ("events", "misc"):
            client.volumes.create(self.catalog, "simulator", name, VolumeType.MANAGED)
        project_id = self.catalog.replace("_", "-") + "control"
        spec = ProjectSpec(display_name="control", pg_version=17)
        project = client.postgres.create_project(Project(spec=spec), project_id=project_id).wait()
        self.endpoint = f"{project.name}/branches/production/endpoints/primary"
        self.control = Lakebase(client, self.endpoint, "databricks_postgres", sslmode="prefer")
        with self.control.connection() as connection:
            psycopg.Cursor(connection).execute(SCHEMA)
        return self

    def remove(self) -> None:
        self.kill()
        self.control.close()
        self.workspace.client.postgres.delete_project(self.endpoint.split("/branches")[0], purge=True).wait()

    def start(self) -> None:
        """Start the app and wait until it is ready."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = os.environ | {
            "DATABRICKS_HOST": self.workspace.url,
            "DATABRICKS_TOKEN": self.workspace.token,
            "DATABRICKS_APP_PORT": str(port),
            "CATALOG": self.catalog,
            "LAKEBASE_ENDPOINT": self.endpoint,
            "CONTROL_DATABASE": "databricks_postgres",
            "PGSSLMODE": "prefer",
            "TMPDIR": str(self.temp),
        }
        with (self.temp / "app.log").open("ab") as log:
            self.app = subprocess.Popen(
                [sys.executable, "-m", "replayer"], env=environment, stdout=log, stderr=log
            )
        self.url = f"http://127.0.0.1:{port}"
        wait_for(self._ready, seconds=30, what=f"the replayer is ready; its log: {self.temp / 'app.log'}")

    def order(self, worker: str, desired: Desired = "running", **parameters: Any) -> None:
        with self.control.transaction() as writer:
            write_orders(writer, worker, desired=desired, parameters=parameters)

    def get(self, path: str) -> Any:
        return httpx.get(self.url + path, timeout=20).raise_for_status().json()

    def post(self, path: str, **body: Any) -> httpx.Response:
        return httpx.post(self.url + path, json=body, timeout=20)

    def kill(self) -> None:
        """kill -9"""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, as the platform does; the exit code."""
        return self._end(signal.SIGTERM)

    def events(self) -> list[bytes]:
        """Every line in the events volume."""
        volume = Volume(self.workspace.client, f"/Volumes/{self.catalog}/simulator/events")
        return [line for file in volume.list() for line in volume.read(file.name).splitlines()]

    def _end(self, number: signal.Signals) -> int:
        if self.app is None:
            return 0
        self.app.send_signal(number)
        code = self.app.wait(20)
        self.app = None
        return code

    def _ready(self) -> bool:
        assert self.app is not None
        assert self.app.poll() is None, (self.temp / "app.log").read_text()
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False
