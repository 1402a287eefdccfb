"""What the workspace is started with. The only module that reads the process environment."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

DEFAULT_PORT = 8470
MODEL_SETTINGS = "LOCAL_WORKSPACE_MODEL_"
"""What the environment variables of a model server begin with."""


class BadSetting(Exception):
    """An environment variable cannot be meant like this; the message says what to set."""


@dataclass(frozen=True)
class ModelServer:
    """An OpenAI-compatible server that answers for the workspace's own serving endpoint.

    Attributes:
        base_url: ends before /chat/completions.
        name: the model to ask for.
    """

    base_url: str
    name: str
    api_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls) -> "ModelServer | None":
        """What LOCAL_WORKSPACE_MODEL_BASE_URL, _NAME and _API_KEY say; None when nothing is set.

        Raises:
            BadSetting: one of them is missing or wrong.
        """
        base_url, name, api_key = (
            os.environ.get(MODEL_SETTINGS + it)  # noqa: TID251  settings are read here
            for it in ("BASE_URL", "NAME", "API_KEY")
        )
        if not (base_url or name or api_key):
            return None
        if not base_url or not name or not base_url.startswith(("http://", "https://")):
            raise BadSetting(
                f"To forward to a model server, set {MODEL_SETTINGS}BASE_URL to an http or https address (it ends "
                f"before /chat/completions) and {MODEL_SETTINGS}NAME to the model; {MODEL_SETTINGS}API_KEY if it wants one."
            )
        return cls(base_url, name, api_key or None)


TOKEN_LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class Config:
    """Where the workspace keeps its state and where it listens.

    Attributes:
        home: directory of all local state; nothing is written outside it.
        port: TCP port of the REST API and the home page; 0 picks a free one.
        host: loopback address to bind; the workspace is for this machine only.
        model: answers for the workspace's own serving endpoint; the rules model does when there is none.
        token_life: how long OAuth and Postgres tokens are good for; shorter only to see what clients do then.
        bad_days: let admins make calls fail on request, to see what clients do then.
    """

    home: Path
    port: int = DEFAULT_PORT
    host: str = "127.0.0.1"
    model: ModelServer | None = None
    token_life: timedelta = TOKEN_LIFE
    bad_days: bool = False

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


def bad_days() -> bool:
    """Whether the environment asks, with LOCAL_WORKSPACE_BAD_DAYS=1, that calls can be made to fail."""
    return os.environ.get("LOCAL_WORKSPACE_BAD_DAYS") == "1"  # noqa: TID251  this module reads the environment


LEAN_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MIMALLOC_PURGE_DELAY": "0",
    "MIMALLOC_ALLOW_THP": "0",
}
"""Settings of allocators that make a process give memory back once a burst is over: many share one machine here, and
the first load of a pipeline leaves 250 MB less behind. While mimalloc hopes for huge pages, it gives back whole ones only:
the SQL engine then grows to 1.4 GB in three minutes that need 500 MB."""


def child_environment(**extra: str) -> dict[str, str]:
    """The environment for a child process: ours without what speaks of another workspace or holds a key, lean, plus `extra`."""
    inherited = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251  children start from our environment
        if not name.startswith(("DATABRICKS_", "PG", "SAIL_", "SPARK_", MODEL_SETTINGS))
    }
    return LEAN_MEMORY | inherited | extra
