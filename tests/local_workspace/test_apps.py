"""Apps and Lakebase when the workspace itself is killed: everything comes back, nothing is left behind."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.apps import ApplicationState, AppResource, AppResourcePostgres
from databricks.sdk.service.postgres import Project

from tests.support.apps import deploy
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace


@pytest.fixture
def own_workspace(tmp_path: Path) -> Iterator[LocalWorkspace]:
    """A workspace that the test may kill."""
    workspace = LocalWorkspace(tmp_path / "home").start()
    yield workspace
    workspace.stop()


def children(workspace: LocalWorkspace) -> list[psutil.Process]:
    return psutil.Process(workspace.pid).children(recursive=True)


def log_in(client: WorkspaceClient, project: str) -> psycopg.Connection:
    endpoint = f"{project}/branches/production/endpoints/primary"
    host, _, port = (client.postgres.get_endpoint(endpoint).status.hosts.host or "").partition(":")
    token = client.postgres.generate_database_credential(endpoint=endpoint).token
    user = client.current_user.me().user_name
    return psycopg.connect(
        host=host, port=port or 5432, user=user, password=token, dbname="databricks_postgres", autocommit=True
    )


def test_killed_workspace_takes_its_children_along(own_workspace: LocalWorkspace):
    own_workspace.client.postgres.create_project(Project(), project_id=f"p{secrets.token_hex(4)}").wait()
    deploy(own_workspace.client)
    running = children(own_workspace)
    assert len(running) > 2
    own_workspace.kill()
    wait_for(lambda: not any(it.is_running() for it in running), what="no child of the killed workspace runs")


def test_apps_and_postgres_come_back_after_a_kill(own_workspace: LocalWorkspace):
    app = deploy(own_workspace.client)
    url = app.url
    project = own_workspace.client.postgres.create_project(
        Project(), project_id=f"p{secrets.token_hex(4)}"
    ).wait()
    with log_in(own_workspace.client, project.name) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'paid' AS state")
    own_workspace.kill()
    own_workspace.start()
    app.client = own_workspace.client
    app.wait_until(ApplicationState.RUNNING)
    assert app.url == url
    assert app.get("/env")["DATABRICKS_HOST"] == own_workspace.url
    with log_in(own_workspace.client, project.name) as connection:
        assert connection.execute("SELECT state FROM kept").fetchone() == ("paid",)


def test_stopped_app_stays_stopped_over_a_restart(own_workspace: LocalWorkspace):
    app = deploy(own_workspace.client)
    own_workspace.client.apps.stop_and_wait(app.name)
    own_workspace.stop()
    own_workspace.start()
    app.client = own_workspace.client
    assert app.state == ApplicationState.UNAVAILABLE


def test_orderly_stop_leaves_no_process_and_no_lock(own_workspace: LocalWorkspace):
    own_workspace.client.postgres.create_project(Project(), project_id="kitchen").wait()
    deploy(own_workspace.client)
    running = children(own_workspace)
    own_workspace.stop()
    assert not any(it.is_running() for it in running)
    assert not (own_workspace.home / "lakebase" / "kitchen" / "data" / "postmaster.pid").exists()


def test_app_whose_database_is_gone_does_not_keep_the_workspace_down(own_workspace: LocalWorkspace):
    client = own_workspace.client
    project = client.postgres.create_project(Project(), project_id="kitchen").wait()
    branch = f"{project.name}/branches/production"
    postgres = AppResourcePostgres(branch=branch, database=f"{branch}/databases/databricks-postgres")
    app = deploy(client, [AppResource(name="postgres", postgres=postgres)])
    client.postgres.delete_project(project.name, purge=True).wait()
    own_workspace.stop()
    own_workspace.start()
    status = own_workspace.client.apps.get(app.name).app_status
    assert status.state == ApplicationState.CRASHED
    assert "was not found" in status.message
