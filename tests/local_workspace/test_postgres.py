"""The Postgres engine on its own: it survives being killed, and its passwords really end."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
import pytest
from local_workspace.clock import SystemClock
from local_workspace.config import TOKEN_LIFE
from local_workspace.engines import postgres_roles
from local_workspace.engines.postgres import Cluster
from local_workspace.engines.postgres_roles import Password, RoleAttributes

from tests.support.waiting import wait_for

COOK = "cook"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running cluster with one role."""
    running = Cluster(tmp_path_factory.mktemp("lakebase") / "kitchen", SystemClock())
    running.create()
    running.start()
    with running.admin() as connection:
        postgres_roles.prepare(connection)
        postgres_roles.ensure_role(connection, COOK, RoleAttributes())
    yield running
    running.stop()


def log_in(cluster: Cluster, password: str) -> psycopg.Connection:
    address = cluster.address
    return psycopg.connect(
        host=address.host, port=address.port, user=COOK, password=password, dbname="postgres"
    )


def postmaster(cluster: Cluster) -> psutil.Process:
    return next(
        process
        for process in psutil.process_iter(["cmdline"])
        if f"listen_addresses={cluster.address.host}" in (process.info["cmdline"] or [])
    )


def test_password_is_refused_once_it_has_expired(cluster: Cluster):
    now = SystemClock().now()
    with cluster.admin() as connection:
        postgres_roles.set_password(connection, COOK, Password("stale", now - timedelta(seconds=1)))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        log_in(cluster, "stale")


def test_session_outlives_the_password_it_began_with(cluster: Cluster):
    now = SystemClock().now()
    with cluster.admin() as connection:
        postgres_roles.set_password(connection, COOK, Password("short", now + timedelta(minutes=1)))
        with log_in(cluster, "short") as session:
            postgres_roles.set_password(connection, COOK, Password("other", now + timedelta(minutes=1)))
            assert session.execute("SELECT 1").fetchone() == (1,)


def test_password_changes_only_when_it_nears_its_end(cluster: Cluster):
    with cluster.admin() as connection:
        postgres_roles.ensure_role(connection, "waiter", RoleAttributes())
    first = postgres_roles.password(cluster, "waiter", SystemClock().now(), TOKEN_LIFE)
    soon = first.expires_at - timedelta(minutes=10)
    assert postgres_roles.password(cluster, "waiter", soon, TOKEN_LIFE) == first
    late = first.expires_at - timedelta(seconds=10)
    later = postgres_roles.password(cluster, "waiter", late, TOKEN_LIFE)
    assert later.token != first.token
    assert later.expires_at > first.expires_at


def test_administrator_is_no_superuser_without_a_password(cluster: Cluster):
    address = cluster.address
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host=address.host, port=address.port, user="databricks_control_plane", dbname="postgres"
        )


def test_killed_postmaster_comes_back_with_committed_data(cluster: Cluster):
    with cluster.admin() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 1 AS one")
    killed = postmaster(cluster)
    killed.kill()
    wait_for(lambda: not killed.is_running() and cluster.running, what="the cluster runs again")
    with cluster.admin() as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_leftover_server_is_stopped_before_a_new_one_starts(tmp_path: Path):
    abandoned = Cluster(tmp_path / "kitchen", SystemClock())
    abandoned.create()
    abandoned.start()
    abandoned.wait()
    first = postmaster(abandoned)
    heir = Cluster(tmp_path / "kitchen", SystemClock())
    heir.start()
    heir.wait()
    assert not any(p.pid == first.pid and p.status() != psutil.STATUS_ZOMBIE for p in psutil.process_iter())
    heir.stop()
    abandoned.stop()


def test_stale_lock_file_of_a_foreign_process_is_no_obstacle(tmp_path: Path):
    cluster = Cluster(tmp_path / "kitchen", SystemClock())
    cluster.create()
    (tmp_path / "kitchen" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n/elsewhere\n")
    cluster.start()
    cluster.wait()
    assert cluster.running
    cluster.stop()


def test_stop_ends_open_sessions_at_once(tmp_path: Path):
    cluster = Cluster(tmp_path / "kitchen", SystemClock())
    cluster.create()
    cluster.start()
    with cluster.admin() as connection:
        process = postmaster(cluster)
        began = SystemClock().monotonic()
        cluster.stop()
        assert SystemClock().monotonic() - began < 5
        assert not process.is_running()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
