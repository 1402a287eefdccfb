"""What the workspace is started with. The only module that reads the process environment."""

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

DEFAULT_PORT = 8470
TOKEN_LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class Config:
    """Where the workspace keeps its state and where it listens.

    Attributes:
        home: directory of all local state; nothing is written outside it.
        port: TCP port of the REST API and the home page; 0 picks a free one.
        host: loopback address to bind; the workspace is for this machine only.
        token_life: how long OAuth and Postgres tokens are good for; shorter only to see what clients do then.
    """

    home: Path
    port: int = DEFAULT_PORT
    host: str = "127.0.0.1"
    token_life: timedelta = TOKEN_LIFE

    @property
    def database(self) -> Path:
        """The SQLite file that holds the workspace's own state."""
        return self.home / "workspace.sqlite"

    @property
    def connection_file(self) -> Path:
        """JSON {url, token, pid} for the local user; written when the workspace is ready, mode 0600."""
        return self.home / "workspace.json"

    @property
    def lock_file(self) -> Path:
        """Held (flock) by the running workspace, so that two never share one home."""
        return self.home / "workspace.lock"

    @property
    def catalogs(self) -> Path:
        """Managed storage: catalogs/CATALOG/SCHEMA/tables and volumes."""
        return self.home / "catalogs"

    @property
    def files(self) -> Path:
        """Workspace files (/Workspace/…)."""
        return self.home / "files"

    @property
    def lakebase(self) -> Path:
        """One Postgres cluster per Lakebase project."""
        return self.home / "lakebase"

    @property
    def apps(self) -> Path:
        """Deployed app folders and their logs."""
        return self.home / "apps"

    @property
    def pipelines(self) -> Path:
        """Pipeline state (checkpoints, event logs) and the engine's scratch space."""
        return self.home / "pipelines"

    @property
    def logs(self) -> Path:
        """Logs of the engines."""
        return self.home / "logs"


def token_life() -> timedelta:
    """The life of tokens that the environment asks for in LOCAL_WORKSPACE_TOKEN_LIFE_S; an hour unless it does."""
    seconds = os.environ.get("LOCAL_WORKSPACE_TOKEN_LIFE_S")  # noqa: TID251  this module reads the environment
    return timedelta(seconds=float(seconds)) if seconds else TOKEN_LIFE


LEAN_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MIMALLOC_PURGE_DELAY": "0",
}
"""Settings of allocators that make a process give memory back once a burst is over: many share one machine here, and
the first load of a pipeline leaves 250 MB less behind."""


def child_environment(**extra: str) -> dict[str, str]:
    """The environment for a child process: ours without what speaks of another workspace, lean, plus `extra`."""
    inherited = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251  children start from our environment
        if not name.startswith(("DATABRICKS_", "PG", "SAIL_", "SPARK_"))
    }
    return LEAN_MEMORY | inherited | extra
