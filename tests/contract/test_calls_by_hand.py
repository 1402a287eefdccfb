"""Calls that people make with the SDK by hand, and that no app of ours needs."""

import secrets

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.common.types.fieldmask import FieldMask
from databricks.sdk.service.apps import App
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.postgres import Project, ProjectSpec
from databricks.sdk.service.sql import Disposition, Format, StatementState

from tests.support.workspace import LocalWorkspace


def run(workspace: LocalWorkspace, statement: str) -> None:
    with workspace.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_volume_is_listed_read_and_given_a_comment(workspace: LocalWorkspace, catalog: str):
    volumes = workspace.client.volumes
    volumes.create(catalog, "default", "files", VolumeType.MANAGED)
    changed = volumes.update(f"{catalog}.default.files", comment="what came in")
    assert [volume.name for volume in volumes.list(catalog, "default")] == ["files"]
    assert volumes.read(f"{catalog}.default.files").comment == changed.comment == "what came in"


def test_a_table_gets_another_owner(workspace: LocalWorkspace, catalog: str):
    somebody = workspace.service_principal().client_id
    run(workspace, f"CREATE TABLE {catalog}.default.orders (id INT)")
    workspace.client.tables.update(f"{catalog}.default.orders", owner=somebody)
    assert workspace.client.tables.get(f"{catalog}.default.orders").owner == somebody


def test_functions_are_listed_and_get_another_owner(workspace: LocalWorkspace, catalog: str):
    somebody = workspace.service_principal().client_id
    run(workspace, f"CREATE FUNCTION {catalog}.default.twice(n INT) RETURNS INT RETURN n * 2")
    functions = workspace.client.functions
    functions.update(f"{catalog}.default.twice", owner=somebody)
    [found] = functions.list(catalog, "default")
    assert (found.name, found.owner) == ("twice", somebody)


def test_the_one_metastore_is_listed_and_read(workspace: LocalWorkspace):
    [metastore] = workspace.client.metastores.list()
    assert workspace.client.metastores.get(metastore.metastore_id or "").name == metastore.name


def test_an_app_is_updated_in_the_background(workspace: LocalWorkspace):
    name = f"app-{secrets.token_hex(4)}"
    workspace.client.apps.create(App(name=name, description="old"), no_compute=True)
    workspace.client.apps.create_update(name, "description", app=App(name=name, description="new")).result()
    assert workspace.client.apps.get(name).description == "new"
    workspace.client.apps.delete(name)


def test_a_project_of_lakebase_gets_another_title(workspace: LocalWorkspace):
    postgres = workspace.client.postgres
    project = postgres.create_project(Project(), project_id=f"p{secrets.token_hex(4)}").wait()
    wanted = Project(spec=ProjectSpec(display_name="Another title"))
    postgres.update_project(project.name or "", wanted, FieldMask(["spec.display_name"])).wait()
    found = postgres.get_project(project.name or "")
    assert found.status is not None
    assert found.status.display_name == "Another title"
    postgres.delete_project(project.name or "", purge=True)


def test_a_token_of_ones_own_opens_the_workspace(workspace: LocalWorkspace):
    token = workspace.client.tokens.create(comment="for a script").token_value
    again = WorkspaceClient(host=workspace.url, token=token, auth_type="pat")
    assert again.current_user.me().user_name == workspace.client.current_user.me().user_name


def test_a_large_result_is_fetched_chunk_by_chunk(workspace: LocalWorkspace):
    execution = workspace.client.statement_execution
    warehouse = next(iter(workspace.client.warehouses.list())).id or ""
    answer = execution.execute_statement(
        "SELECT id FROM range(200000)",
        warehouse,
        disposition=Disposition.EXTERNAL_LINKS,
        format=Format.ARROW_STREAM,
        wait_timeout="30s",
    )
    assert answer.status is not None
    assert answer.status.state is StatementState.SUCCEEDED
    chunk = execution.get_statement_result_chunk_n(answer.statement_id or "", 0)
    assert chunk.external_links
    assert chunk.external_links[0].chunk_index == 0


def test_the_identity_provider_describes_itself(workspace: LocalWorkspace):
    described = requests.get(f"{workspace.url}/oidc/.well-known/openid-configuration", timeout=30).json()
    assert described["token_endpoint"].startswith(workspace.url)
