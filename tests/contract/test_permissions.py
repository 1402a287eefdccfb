"""Permissions of workspace objects through the SDK: their shape, and what they let people do."""

import secrets
from collections.abc import Callable, Iterator

import pytest
from databricks.sdk import WorkspaceClient, errors
from databricks.sdk.errors import (
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceDoesNotExist,
)
from databricks.sdk.service.apps import App
from databricks.sdk.service.iam import AccessControlRequest, ObjectPermissions, PermissionLevel
from databricks.sdk.service.postgres import Project
from databricks.sdk.service.serving import (
    EndpointCoreConfigInput,
    ExternalModel,
    ExternalModelProvider,
    OpenAiConfig,
    ServedEntityInput,
)
from databricks.sdk.service.workspace import ImportFormat

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace, ServicePrincipal

LEVELS = {
    "apps": ["CAN_USE", "CAN_MANAGE"],
    "database-projects": ["CAN_USE", "CAN_MANAGE"],
    "directories": ["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"],
    "files": ["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"],
    "jobs": ["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"],
    "pipelines": ["CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER"],
    "serving-endpoints": ["CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"],
    "warehouses": ["CAN_VIEW", "CAN_USE", "CAN_MONITOR", "CAN_MANAGE", "IS_OWNER"],
}
Made = tuple[str, Callable[[], object]]
"""An object's id, and what deletes it."""


def _app(client: WorkspaceClient, name: str, _catalog: str) -> Made:
    client.apps.create(App(name=name), no_compute=True)

    def delete() -> None:
        client.apps.delete(name)
        wait_for(lambda: name not in [it.name for it in client.apps.list()], what="the app is gone")

    return name, delete


def _project(client: WorkspaceClient, name: str, _catalog: str) -> Made:
    made = client.postgres.create_project(Project(), project_id=name).wait().name or ""
    return name, lambda: client.postgres.delete_project(made, purge=True).wait()


def _folder(client: WorkspaceClient, name: str, _catalog: str) -> Made:
    path = f"/Users/{client.current_user.me().user_name}/{name}"
    client.workspace.mkdirs(path)
    return str(client.workspace.get_status(path).object_id), lambda: client.workspace.delete(path)


def _file(client: WorkspaceClient, name: str, _catalog: str) -> Made:
    path = f"/Users/{client.current_user.me().user_name}/{name}"
    client.workspace.upload(path, b"1", format=ImportFormat.RAW)
    return str(client.workspace.get_status(path).object_id), lambda: client.workspace.delete(path)


def _job(client: WorkspaceClient, name: str, _catalog: str) -> Made:
    job_id = client.jobs.create(name=name).job_id or 0
    return str(job_id), lambda: client.jobs.delete(job_id)


def _pipeline(client: WorkspaceClient, name: str, catalog: str) -> Made:
    made = client.pipelines.create(name=name, catalog=catalog, schema="default").pipeline_id or ""
    return made, lambda: client.pipelines.delete(made)


def _endpoint(client: WorkspaceClient, name: str, _catalog: str) -> Made:
    model = ExternalModel(
        name="m",
        provider=ExternalModelProvider.OPENAI,
        task="llm/v1/chat",
        openai_config=OpenAiConfig(
            openai_api_base="http://127.0.0.1:1/v1", openai_api_key_plaintext="not a key"
        ),
    )
    config = EndpointCoreConfigInput(name=name, served_entities=[ServedEntityInput(external_model=model)])
    made = client.serving_endpoints.create_and_wait(name, config=config)
    return str(made.id), lambda: client.serving_endpoints.delete(name)


def _warehouse(client: WorkspaceClient, name: str, _catalog: str) -> Made:
    made = client.warehouses.create(name=name, cluster_size="2X-Small").result().id or ""
    return made, lambda: client.warehouses.delete(made)


MAKERS = {
    "apps": _app,
    "database-projects": _project,
    "directories": _folder,
    "files": _file,
    "jobs": _job,
    "pipelines": _pipeline,
    "serving-endpoints": _endpoint,
    "warehouses": _warehouse,
}


def _lines(found: ObjectPermissions) -> dict[str, list[tuple[str, bool]]]:
    """Levels and whether they are inherited, by principal."""
    return {
        line.user_name or line.group_name or line.service_principal_name or "": [
            (it.permission_level.value if it.permission_level else "", bool(it.inherited))
            for it in line.all_permissions or []
        ]
        for line in found.access_control_list or []
    }


def _to(principal: ServicePrincipal, level: str) -> list[AccessControlRequest]:
    return [
        AccessControlRequest(
            service_principal_name=principal.client_id, permission_level=PermissionLevel(level)
        )
    ]


@pytest.mark.parametrize("kind", MAKERS)
def test_permissions_of_every_kind_are_read_added_to_and_replaced(
    workspace: LocalWorkspace, catalog: str, kind: str
):
    client, permissions = workspace.client, workspace.client.permissions
    friend, other = workspace.service_principal("friend"), workspace.service_principal("other")
    object_id, delete = MAKERS[kind](client, f"p-{secrets.token_hex(4)}", catalog)
    owner = client.current_user.me().user_name or ""
    levels = permissions.get_permission_levels(kind, object_id).permission_levels or []
    assert [it.permission_level.value for it in levels if it.permission_level] == LEVELS[kind]
    own = [("IS_OWNER" if "IS_OWNER" in LEVELS[kind] else "CAN_MANAGE", False)]
    untouched = {owner: own, "admins": [("CAN_MANAGE", True)]}
    assert _lines(permissions.get(kind, object_id)) == untouched

    weak, strong = LEVELS[kind][0], "CAN_MANAGE"
    permissions.update(kind, object_id, access_control_list=_to(friend, weak))
    changed = permissions.update(kind, object_id, access_control_list=_to(other, strong))
    assert _lines(changed) == untouched | {
        friend.client_id: [(weak, False)],
        other.client_id: [(strong, False)],
    }
    replaced = permissions.set(kind, object_id, access_control_list=_to(friend, strong))
    assert _lines(replaced) == untouched | {friend.client_id: [(strong, False)]}
    assert _lines(permissions.set(kind, object_id)) == untouched

    delete()
    with pytest.raises(NotFound):
        permissions.get(kind, object_id)


@pytest.mark.parametrize("kind", MAKERS)
def test_only_managers_change_permissions_and_only_the_involved_read_them(
    workspace: LocalWorkspace, catalog: str, kind: str
):
    permissions = workspace.client.permissions
    friend, stranger = workspace.service_principal("friend"), workspace.service_principal("stranger")
    object_id, delete = MAKERS[kind](workspace.client, f"p-{secrets.token_hex(4)}", catalog)
    with pytest.raises(PermissionDenied):
        stranger.client.permissions.get(kind, object_id)
    permissions.update(kind, object_id, access_control_list=_to(friend, LEVELS[kind][0]))
    assert friend.client_id in _lines(friend.client.permissions.get(kind, object_id))
    with pytest.raises(PermissionDenied):
        friend.client.permissions.update(kind, object_id, access_control_list=_to(stranger, "CAN_MANAGE"))
    permissions.update(kind, object_id, access_control_list=_to(friend, "CAN_MANAGE"))
    friend.client.permissions.update(kind, object_id, access_control_list=_to(stranger, LEVELS[kind][0]))
    delete()


@pytest.fixture
def warehouse(workspace: LocalWorkspace) -> Iterator[str]:
    """The id of a new warehouse that nobody was given."""
    made, delete = _warehouse(workspace.client, f"w-{secrets.token_hex(4)}", "")
    yield made
    delete()


def test_a_warehouse_answers_only_those_who_may_use_it(workspace: LocalWorkspace, warehouse: str):
    caller = workspace.service_principal()
    with pytest.raises(PermissionDenied, match="CAN_USE"):
        caller.client.statement_execution.execute_statement("SELECT 1", warehouse)
    assert warehouse not in [it.id for it in caller.client.warehouses.list()]
    workspace.client.permissions.update("warehouses", warehouse, access_control_list=_to(caller, "CAN_USE"))
    answer = caller.client.statement_execution.execute_statement("SELECT 1", warehouse)
    assert answer.result
    assert answer.result.data_array == [["1"]]
    caller.client.warehouses.start(warehouse).result()
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        caller.client.warehouses.stop(warehouse)
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        caller.client.warehouses.delete(warehouse)


def test_everyone_may_use_the_warehouse_that_comes_with_the_workspace(workspace: LocalWorkspace):
    starter = next(iter(workspace.client.warehouses.list())).id or ""
    assert _lines(workspace.client.permissions.get("warehouses", starter))["users"] == [("CAN_USE", False)]


def test_older_clients_name_warehouses_by_two_words(workspace: LocalWorkspace, warehouse: str):
    api, path = workspace.client.api_client, f"/api/2.0/permissions/sql/warehouses/{warehouse}"
    line = {"group_name": "users", "permission_level": "CAN_VIEW"}
    for method, body in (("GET", None), ("PATCH", {"access_control_list": [line]}), ("PUT", {})):
        answer = api.do(method, path, body=body)
        assert isinstance(answer, dict)
        assert (answer["object_id"], answer["object_type"]) == (f"/sql/warehouses/{warehouse}", "warehouses")
    levels = api.do("GET", f"{path}/permissionLevels")
    assert isinstance(levels, dict)
    assert len(levels["permission_levels"]) == 5


def test_folders_hand_their_permissions_down(workspace: LocalWorkspace):
    client, reader = workspace.client, workspace.service_principal()
    folder = f"/Users/{client.current_user.me().user_name}/{secrets.token_hex(4)}"
    client.workspace.mkdirs(f"{folder}/deep")
    client.workspace.upload(f"{folder}/deep/a", b"1", format=ImportFormat.RAW)
    theirs = reader.client.workspace
    with pytest.raises(PermissionDenied):
        theirs.download(f"{folder}/deep/a")
    folder_id = str(client.workspace.get_status(folder).object_id)
    client.permissions.set("directories", folder_id, access_control_list=_to(reader, "CAN_READ"))
    assert theirs.download(f"{folder}/deep/a").read() == b"1"
    assert [it.path for it in theirs.list(f"{folder}/deep")] == [f"{folder}/deep/a"]
    file_id = str(client.workspace.get_status(f"{folder}/deep/a").object_id)
    assert _lines(client.permissions.get("files", file_id))[reader.client_id] == [("CAN_READ", True)]
    with pytest.raises(PermissionDenied, match="CAN_EDIT"):
        theirs.upload(f"{folder}/deep/a", b"2", format=ImportFormat.RAW, overwrite=True)
    client.permissions.set("files", file_id, access_control_list=_to(reader, "CAN_EDIT"))
    theirs.upload(f"{folder}/deep/a", b"2", format=ImportFormat.RAW, overwrite=True)
    with pytest.raises(PermissionDenied, match="CAN_MANAGE"):
        theirs.delete(f"{folder}/deep/a")
    client.workspace.delete(folder, recursive=True)


def test_what_is_shared_is_managed_by_everyone(workspace: LocalWorkspace):
    client, somebody = workspace.client, workspace.service_principal()
    folder = f"/Shared/{secrets.token_hex(4)}"
    client.workspace.mkdirs(folder)
    folder_id = str(client.workspace.get_status(folder).object_id)
    assert _lines(somebody.client.permissions.get("directories", folder_id))["users"] == [
        ("CAN_MANAGE", True)
    ]
    somebody.client.workspace.delete(folder)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (AccessControlRequest(user_name="nobody@example.com", permission_level=PermissionLevel.CAN_USE), ResourceDoesNotExist),
        (AccessControlRequest(group_name="strangers", permission_level=PermissionLevel.CAN_USE), ResourceDoesNotExist),
        (AccessControlRequest(group_name="users", permission_level=PermissionLevel.CAN_ATTACH_TO), InvalidParameterValue),
        (AccessControlRequest(permission_level=PermissionLevel.CAN_USE), InvalidParameterValue),
        (AccessControlRequest(group_name="users", permission_level=PermissionLevel.IS_OWNER), errors.NotImplemented),
    ],
    ids=["unknown user", "unknown group", "level of another kind", "nobody", "another owner"],
)  # fmt: skip
def test_entries_that_cannot_be_are_refused(
    workspace: LocalWorkspace, warehouse: str, entry: AccessControlRequest, error: type[Exception]
):
    before = _lines(workspace.client.permissions.get("warehouses", warehouse))
    with pytest.raises(error):
        workspace.client.permissions.set("warehouses", warehouse, access_control_list=[entry])
    assert _lines(workspace.client.permissions.get("warehouses", warehouse)) == before


def test_a_kind_without_permissions_here_is_refused(workspace: LocalWorkspace):
    with pytest.raises(InvalidParameterValue, match="clusters"):
        workspace.client.permissions.get("clusters", "1")
