"""Apps through `w.apps` and through their own URLs: life cycle, environment, identity, crashes."""

import secrets
from collections.abc import Iterator

import httpx
import pytest
from databricks.sdk.errors import (
    InvalidParameterValue,
    OperationFailed,
    PermissionDenied,
    ResourceAlreadyExists,
)
from databricks.sdk.service.apps import (
    App,
    AppAccessControlRequest,
    AppDeployment,
    ApplicationState,
    AppPermissionLevel,
    AppResource,
    AppResourcePostgres,
    AppResourcePostgresPostgresPermission,
    AppResourceSqlWarehouse,
    AppResourceSqlWarehouseSqlWarehousePermission,
    AppResourceUcSecurable,
    AppResourceUcSecurableUcSecurablePermission,
    AppResourceUcSecurableUcSecurableType,
    ComputeState,
    EnvVar,
)
from databricks.sdk.service.catalog import VolumeType
from databricks.sdk.service.postgres import Project

from tests.support.apps import DeployedApp, deploy, gone, upload
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace, ServicePrincipal


@pytest.fixture(scope="module")
def app(workspace: LocalWorkspace) -> Iterator[DeployedApp]:
    """The small app, running; tests that break it bring it back."""
    deployed = deploy(workspace.client)
    yield deployed
    workspace.client.apps.delete(deployed.name)


def headers_of(principal: ServicePrincipal) -> dict[str, str]:
    return principal.client.config.authenticate()


def test_app_gets_the_platforms_environment(workspace: LocalWorkspace, app: DeployedApp):
    environment = app.get("/env")
    described = workspace.client.apps.get(app.name)
    assert environment["DATABRICKS_HOST"] == workspace.url
    assert environment["DATABRICKS_APP_NAME"] == app.name
    assert environment["DATABRICKS_CLIENT_ID"] == described.service_principal_client_id
    assert environment["GREETING"] == "hello"
    assert "DATABRICKS_TOKEN" not in environment
    assert "PGHOST" not in environment


def test_client_secret_of_the_app_is_its_identity(workspace: LocalWorkspace, app: DeployedApp):
    environment = app.get("/env")
    pair = environment["DATABRICKS_CLIENT_ID"], environment["DATABRICKS_CLIENT_SECRET"]
    answer = httpx.post(
        f"{workspace.url}/oidc/v1/token", data={"grant_type": "client_credentials"}, auth=pair
    )
    assert answer.status_code == 200


def test_deployments_variables_win_over_the_manifest(workspace: LocalWorkspace):
    app = deploy(workspace.client, env_vars=[EnvVar(name="GREETING", value="good evening")])
    assert app.get("/env")["GREETING"] == "good evening"
    (deployment,) = workspace.client.apps.list_deployments(app.name)
    assert [(it.name, it.value) for it in deployment.env_vars] == [("GREETING", None)]
    workspace.client.apps.delete(app.name)


def test_browser_is_the_local_user_and_cannot_forge_another(workspace: LocalWorkspace, app: DeployedApp):
    me = workspace.client.current_user.me()
    forged = {"X-Forwarded-Email": "boss@example.com", "X_Forwarded_User": "1", "X-Request-Id": "mine"}
    seen = app.get("/headers", headers=forged)
    assert seen["x-forwarded-email"] == me.user_name
    assert seen["x-forwarded-user"].startswith(f"{me.id}@")
    assert seen["x-request-id"] != "mine"
    assert "x_forwarded_user" not in seen


def test_token_on_an_api_path_makes_the_caller_its_owner(workspace: LocalWorkspace, app: DeployedApp):
    caller = workspace.service_principal()
    grant = AppAccessControlRequest(
        service_principal_name=caller.client_id, permission_level=AppPermissionLevel.CAN_USE
    )
    workspace.client.apps.update_permissions(app.name, access_control_list=[grant])
    seen = app.get("/api/headers", headers=headers_of(caller))
    assert seen["x-forwarded-preferred-username"] == caller.client_id
    assert "x-forwarded-email" not in seen
    assert "authorization" not in seen


@pytest.mark.parametrize(("path", "status"), [("/api/headers", 403), ("/headers", 401)])
def test_token_without_permission_is_turned_away(
    workspace: LocalWorkspace, app: DeployedApp, path: str, status: int
):
    stranger = workspace.service_principal()
    assert httpx.get(app.url + path, headers=headers_of(stranger)).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Origin": "null"},
    ],
)
def test_requests_made_by_other_sites_pages_are_refused(app: DeployedApp, headers: dict[str, str]):
    assert httpx.post(f"{app.url}/length", headers=headers).status_code == 403
    own = {"Origin": app.url, "Sec-Fetch-Site": "same-origin"}
    assert httpx.post(f"{app.url}/length", headers=own, content=b"four").json() == 4


def test_large_body_passes_in_both_framings(app: DeployedApp):
    chunk = b"x" * 100_000
    assert httpx.post(f"{app.url}/length", content=chunk * 50).json() == 5_000_000
    assert httpx.post(f"{app.url}/length", content=iter([chunk] * 50)).json() == 5_000_000


def test_stream_arrives_piece_by_piece(app: DeployedApp):
    with httpx.stream("GET", f"{app.url}/stream") as answer:
        assert list(answer.iter_raw()) == [b"0\n", b"1\n", b"2\n"]


def test_web_socket_passes_through(app: DeployedApp):
    from websockets.sync.client import connect

    with connect(app.url.replace("http", "ws") + "/socket") as socket:
        socket.send("order 7")
        assert socket.recv() == "order 7"


def test_crashed_app_shows_its_last_words_and_comes_back(app: DeployedApp):
    before = app.get("/pid")
    with pytest.raises(httpx.HTTPStatusError):
        app.get("/crash")
    wait_for(lambda: "asked to crash" in httpx.get(f"{app.url}/logz").text, what="the log tells of the crash")
    app.wait_until(ApplicationState.RUNNING)
    assert app.get("/pid") != before


def test_stopped_app_says_so_until_it_is_started(workspace: LocalWorkspace, app: DeployedApp):
    stopped = workspace.client.apps.stop_and_wait(app.name)
    assert stopped.compute_status.state == ComputeState.STOPPED
    assert stopped.active_deployment is None
    page = httpx.get(app.url, headers={"Accept": "text/html"})
    assert page.status_code == 502
    assert "is stopped" in page.text
    workspace.client.apps.start_and_wait(app.name)
    app.wait_until(ApplicationState.RUNNING)
    assert app.get("/env")["GREETING"] == "hello"


def test_deployment_that_cannot_start_fails_with_its_output(workspace: LocalWorkspace):
    name = f"app-{secrets.token_hex(4)}"
    folder = upload(
        workspace.client, f"/Workspace/Shared/{name}", main_py="raise SystemExit('no ingredients')"
    )
    workspace.client.apps.create_and_wait(App(name=name))
    with pytest.raises(OperationFailed, match="no ingredients"):
        workspace.client.apps.deploy_and_wait(name, AppDeployment(source_code_path=folder))
    assert workspace.client.apps.get(name).app_status.state == ApplicationState.CRASHED
    workspace.client.apps.delete(name)


def test_manifest_that_names_a_missing_resource_is_refused(workspace: LocalWorkspace, app: DeployedApp):
    manifest = "command: [python, main.py]\nenv: [{name: PROJECT, valueFrom: database}]"
    folder = upload(workspace.client, f"/Workspace/Shared/{app.name}-broken", app_yaml=manifest)
    with pytest.raises(InvalidParameterValue, match="database"):
        workspace.client.apps.deploy(app.name, AppDeployment(source_code_path=folder))


def test_shell_of_an_app_has_no_compute_and_a_name_of_its_own(workspace: LocalWorkspace):
    name = f"app-{secrets.token_hex(4)}"
    workspace.client.apps.create(App(name=name), no_compute=True)
    assert workspace.client.apps.get(name).compute_status.state == ComputeState.STOPPED
    with pytest.raises(ResourceAlreadyExists):
        workspace.client.apps.create(App(name=name))
    workspace.client.apps.delete(name)
    wait_for(lambda: gone(workspace.client, name), what="the app is gone")
    workspace.client.apps.create(App(name=name), no_compute=True)
    workspace.client.apps.delete(name)


def test_service_principal_manages_only_its_own_apps(workspace: LocalWorkspace, app: DeployedApp):
    stranger = workspace.service_principal().client
    with pytest.raises(PermissionDenied):
        stranger.apps.stop(app.name)
    own = f"app-{secrets.token_hex(4)}"
    stranger.apps.create(App(name=own), no_compute=True)
    assert [it.name for it in stranger.apps.list()] == [own]
    stranger.apps.delete(own)


def test_attached_volume_is_granted_and_given_by_value(workspace: LocalWorkspace, catalog: str):
    client = workspace.client
    client.schemas.create("simulator", catalog)
    client.volumes.create(catalog, "simulator", "events", VolumeType.MANAGED)
    securable = AppResourceUcSecurable(
        securable_full_name=f"{catalog}.simulator.events",
        securable_type=AppResourceUcSecurableUcSecurableType.VOLUME,
        permission=AppResourceUcSecurableUcSecurablePermission.WRITE_VOLUME,
    )
    warehouse_id = next(iter(client.warehouses.list())).id or ""
    warehouse = AppResourceSqlWarehouse(
        id=warehouse_id, permission=AppResourceSqlWarehouseSqlWarehousePermission.CAN_USE
    )
    resources = [
        AppResource(name="events", uc_securable=securable),
        AppResource(name="sql", sql_warehouse=warehouse),
    ]
    wanted = [EnvVar(name="EVENTS", value_from="events"), EnvVar(name="WAREHOUSE", value_from="sql")]
    app = deploy(client, resources, wanted)
    environment = app.get("/env")
    assert environment["EVENTS"] == f"/Volumes/{catalog}/simulator/events"
    assert environment["WAREHOUSE"] == warehouse_id
    granted = client.grants.get(
        "volume", f"{catalog}.simulator.events", principal=environment["DATABRICKS_CLIENT_ID"]
    )
    assert {str(it) for it in granted.privilege_assignments[0].privileges} >= {"Privilege.WRITE_VOLUME"}
    client.apps.delete(app.name)


def test_attached_database_gives_a_role_and_the_usual_variables(workspace: LocalWorkspace):
    client = workspace.client
    project = client.postgres.create_project(Project(), project_id=f"p{secrets.token_hex(4)}").wait()
    branch = f"{project.name}/branches/production"
    database = AppResourcePostgres(
        branch=branch,
        database=f"{branch}/databases/databricks-postgres",
        permission=AppResourcePostgresPostgresPermission.CAN_CONNECT_AND_CREATE,
    )
    app = deploy(
        client,
        [AppResource(name="postgres", postgres=database)],
        [EnvVar(name="LAKEBASE_ENDPOINT", value_from="postgres")],
    )
    environment = app.get("/env")
    assert environment["LAKEBASE_ENDPOINT"] == f"{branch}/endpoints/primary"
    assert environment["PGUSER"] == environment["DATABRICKS_CLIENT_ID"]
    assert environment["PGDATABASE"] == "databricks_postgres"
    assert environment["PGUSER"] in [role.status.postgres_role for role in client.postgres.list_roles(branch)]
    client.apps.delete(app.name)
    wait_for(lambda: gone(client, app.name), what="the app is gone")
    assert environment["PGUSER"] not in [
        role.status.postgres_role for role in client.postgres.list_roles(branch)
    ]
    client.postgres.delete_project(project.name, purge=True)
