"""A Lakebase database: Postgres whose password is a token that the workspace issues for an hour at a time.

The token is fetched when a connection needs one and shared until shortly before it expires; open sessions outlive
it. When a login fails, address and token are asked for anew, so a moved endpoint or a restarted workspace heals.
"""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from databricks.sdk import WorkspaceClient

from caspers.clients.platform_errors import PLATFORM_ERRORS, from_platform
from caspers.clients.postgres import Postgres, login_parameters
from caspers.clock import Clock, SystemClock
from caspers.errors import Refused, Unavailable
from caspers.settings import Settings

POSTGRES_PORT = 5432
#: A token is replaced this long before it expires.
TOKEN_MARGIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Login:
    """Where to connect and as whom, until when."""

    host: str
    port: int
    user: str
    token: str
    expires_at: datetime


class Lakebase(Postgres):
    """One database behind a Lakebase endpoint ("projects/…/branches/…/endpoints/…")."""

    def __init__(
        self,
        workspace: WorkspaceClient,
        endpoint: str,
        database: str,
        *,
        port: int | None = None,
        sslmode: str = "require",
        clock: Clock | None = None,
    ) -> None:
        super().__init__(self._open)
        self._workspace = workspace
        self._endpoint = endpoint
        self._database = database
        self._port = port
        self._sslmode = sslmode
        self._clock = clock or SystemClock()
        self._login: Login | None = None
        self._lock = threading.Lock()

    def _open(self) -> psycopg.Connection[Any]:
        remembered = self._login
        login = self._current_login()
        try:
            return self._log_in(login)
        except psycopg.OperationalError:
            self._login = None
            if login is not remembered:
                raise
        # An endpoint that was made anew has another address and other passwords than the one we remember.
        return self._log_in(self._current_login())

    def _log_in(self, login: Login) -> psycopg.Connection[Any]:
        return psycopg.connect(
            **login_parameters(
                {
                    "host": login.host,
                    "port": login.port,
                    "user": login.user,
                    "password": login.token,
                    "dbname": self._database,
                    "sslmode": self._sslmode,
                }
            )
        )

    def _current_login(self) -> Login:
        with self._lock:
            login = self._login
            if login is None or login.expires_at - TOKEN_MARGIN <= self._clock.now():
                login = self._login = self._new_login()
            return login

    def _new_login(self) -> Login:
        try:
            status = self._workspace.postgres.get_endpoint(self._endpoint).status
            credential = self._workspace.postgres.generate_database_credential(self._endpoint)
            user = _user(self._workspace)
        except PLATFORM_ERRORS as error:
            raise from_platform(f"logging in to Lakebase endpoint {self._endpoint}", error) from error
        if status is None or status.hosts is None or not status.hosts.host or not credential.token:
            raise Unavailable(f"Lakebase endpoint {self._endpoint} has no address yet")
        host, port = split_host(status.hosts.host, self._port)
        expires_at = self._clock.now() + timedelta(minutes=10)
        if credential.expire_time is not None:
            expires_at = credential.expire_time.ToDatetime().replace(tzinfo=UTC)
        return Login(host, port, user, credential.token, expires_at)


def control_database(workspace: WorkspaceClient, settings: Settings) -> Lakebase:
    """The database of the workers' orders and reports, where this process's settings say it is."""
    return _database(workspace, settings, settings.lakebase_endpoint, settings.control_database)


def refund_database(workspace: WorkspaceClient, settings: Settings) -> Lakebase:
    """The database of the refund manager, where this process's settings say it is."""
    return _database(workspace, settings, settings.refund_lakebase_endpoint, settings.refund_database)


def complaint_database(workspace: WorkspaceClient, settings: Settings) -> Lakebase:
    """The database of the complaint console, where this process's settings say it is."""
    return _database(workspace, settings, settings.complaint_lakebase_endpoint, settings.complaint_database)


def _database(workspace: WorkspaceClient, settings: Settings, endpoint: str, database: str) -> Lakebase:
    return Lakebase(
        workspace,
        endpoint,
        database,
        port=settings.postgres_port,
        sslmode=settings.postgres_sslmode,
    )


def split_host(host: str, port: int | None) -> tuple[str, int]:
    """Host and port of an endpoint: a port the host carries ("name:5433") decides, then `port`, then 5432."""
    name, _, own_port = host.partition(":")
    return name, int(own_port) if own_port else port or POSTGRES_PORT


def _user(workspace: WorkspaceClient) -> str:
    """The Postgres role of this identity: a service principal's client id, a person's e-mail."""
    if workspace.config.client_id:
        return workspace.config.client_id
    user_name = workspace.current_user.me().user_name
    if not user_name:
        raise Refused("the workspace does not say who we are, so there is no Postgres role to log in with")
    return user_name
