"""Serving endpoints through the SDK: made and changed, who may ask, whom they forward to, and what fails how."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient, errors
from databricks.sdk.errors import (
    DatabricksError,
    InvalidParameterValue,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.apps import (
    App,
    AppResource,
    AppResourceServingEndpoint,
    AppResourceServingEndpointServingEndpointPermission,
)
from databricks.sdk.service.serving import (
    BearerTokenAuth,
    ChatMessage,
    ChatMessageRole,
    CustomProviderConfig,
    DatabricksModelServingConfig,
    EndpointCoreConfigInput,
    EndpointStateConfigUpdate,
    EndpointStateReady,
    ExternalModel,
    ExternalModelProvider,
    OpenAiConfig,
    QueryEndpointResponse,
    ServedEntityInput,
    ServingEndpointAccessControlRequest,
    ServingEndpointPermissionLevel,
)

from tests.support.model_server import ModelServer, Reply, completion, external_endpoint, too_many
from tests.support.workspace import LocalWorkspace

PROVIDED = "databricks-meta-llama-3-3-70b-instruct"
KEY = "sk-never-to-be-seen"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model server that answers at once."""
    with ModelServer() as running:
        yield running


@pytest.fixture
def endpoint(workspace: LocalWorkspace, server: ModelServer) -> Iterator[str]:
    """The name of an endpoint that forwards to the server."""
    name = f"model-{secrets.token_hex(4)}"
    yield external_endpoint(workspace.client, name, server, api_key=KEY)
    workspace.client.serving_endpoints.delete(name)


def ask(client: WorkspaceClient, name: str, text: str = "Hello?") -> QueryEndpointResponse:
    return client.serving_endpoints.query(
        name, messages=[ChatMessage(role=ChatMessageRole.USER, content=text)]
    )


def post(workspace: LocalWorkspace, name: str, content: Any) -> httpx.Response:
    """A raw invocation, which no client tries again."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Authorization": f"Bearer {workspace.token}"}
    return httpx.post(
        f"{workspace.url}/serving-endpoints/{name}/invocations", content=body, headers=headers, timeout=30
    )


def chat(**options: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hello?"}], **options}


def config(endpoint: str, **external: Any) -> EndpointCoreConfigInput:
    usual = {"provider": ExternalModelProvider.OPENAI, "name": "m-1", "task": "llm/v1/chat"}
    model = ExternalModel(**(usual | external))
    return EndpointCoreConfigInput(name=endpoint, served_entities=[ServedEntityInput(external_model=model)])


def test_a_new_workspace_has_a_model_that_everyone_may_ask(workspace: LocalWorkspace):
    stranger = workspace.service_principal().client
    (listed,) = [it for it in stranger.serving_endpoints.list() if it.name == PROVIDED]
    assert listed.config
    assert listed.config.served_entities
    assert str(listed.config.served_entities[0].entity_name).startswith("system.ai.")
    assert listed.task == "llm/v1/chat"
    answer = ask(stranger, PROVIDED)
    assert answer.model == "rules-1"
    assert answer.served_model_name == PROVIDED


def test_the_provided_model_can_be_neither_changed_nor_removed(workspace: LocalWorkspace):
    with pytest.raises(InvalidParameterValue):
        workspace.client.serving_endpoints.delete(PROVIDED)
    with pytest.raises(InvalidParameterValue):
        workspace.client.serving_endpoints.create("databricks-mine", config=config("databricks-mine"))


def test_an_endpoint_is_made_changed_and_removed(workspace: LocalWorkspace, server: ModelServer):
    endpoints = workspace.client.serving_endpoints
    name = external_endpoint(workspace.client, f"model-{secrets.token_hex(4)}", server)
    with pytest.raises(ResourceAlreadyExists):
        external_endpoint(workspace.client, name, server)
    openai = OpenAiConfig(openai_api_base=server.url, openai_api_key_plaintext=KEY)
    external = ExternalModel(ExternalModelProvider.OPENAI, "m.2:b", "llm/v1/chat", openai_config=openai)
    entities = [ServedEntityInput(external_model=external)]
    changed = endpoints.update_config_and_wait(name, served_entities=entities)
    assert changed.state
    assert changed.state.ready is EndpointStateReady.READY
    assert changed.state.config_update is EndpointStateConfigUpdate.NOT_UPDATING
    assert changed.config
    assert changed.config.config_version == 2
    assert ask(workspace.client, name).served_model_name == "m-2-b"
    assert server.calls[-1]["model"] == "m.2:b"
    endpoints.delete(name)
    with pytest.raises(ResourceDoesNotExist):
        endpoints.get(name)
    with pytest.raises(ResourceDoesNotExist):
        ask(workspace.client, name)


def test_a_key_is_sent_to_its_server_and_shown_to_nobody(
    workspace: LocalWorkspace, server: ModelServer, endpoint: str
):
    ask(workspace.client, endpoint)
    assert server.authorizations == [f"Bearer {KEY}"]
    shown = httpx.get(
        f"{workspace.url}/api/2.0/serving-endpoints/{endpoint}",
        headers={"Authorization": f"Bearer {workspace.token}"},
    ).text
    assert server.url in shown
    assert KEY not in shown + httpx.get(f"{workspace.url}/overview.json").text + workspace.log()


def test_the_whole_chat_is_forwarded_and_the_answer_comes_back(
    workspace: LocalWorkspace, server: ModelServer, endpoint: str
):
    server.answer = lambda _body: completion(tools={"look": {"at": "é"}})
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    sent = chat(tools=tools, temperature=0, response_format={"type": "json_object"}, model="mine")
    answer = post(workspace, endpoint, sent)
    assert answer.json() == completion(tools={"look": {"at": "é"}})
    assert server.calls == [sent | {"model": "test-model"}]


def test_a_foreign_databricks_workspace_and_custom_servers_are_forwarded_to(
    workspace: LocalWorkspace, server: ModelServer
):
    kinds: dict[str, Any] = {
        "databricks": {
            "provider": ExternalModelProvider.DATABRICKS_MODEL_SERVING,
            "name": PROVIDED,
            "databricks_model_serving_config": DatabricksModelServingConfig(
                workspace.url, databricks_api_token_plaintext=workspace.token
            ),
        },
        "custom": {
            "provider": ExternalModelProvider.CUSTOM,
            "custom_provider_config": CustomProviderConfig(
                f"{server.url}/chat/completions", bearer_token_auth=BearerTokenAuth(token_plaintext=KEY)
            ),
        },
    }
    models: list[str | None] = []
    for kind, external in kinds.items():
        name = f"to-{kind}-{secrets.token_hex(4)}"
        workspace.client.serving_endpoints.create_and_wait(name, config=config(name, **external))
        models.append(ask(workspace.client, name).model)
        workspace.client.serving_endpoints.delete(name)
    assert models == ["rules-1", "test-model"]
    assert server.authorizations == [f"Bearer {KEY}"]


def test_refusals_of_the_model_come_back_as_they_are(
    workspace: LocalWorkspace, server: ModelServer, endpoint: str
):
    server.answer = lambda _body: too_many(7)
    refused = post(workspace, endpoint, chat())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    server.answer = lambda _body: Reply(503, b"<html>gone", {"content-type": "text/html"})
    broken = post(workspace, endpoint, chat())
    assert (broken.status_code, broken.text) == (503, "<html>gone")
    assert broken.headers["content-type"] == "text/html"
    assert len(server.calls) == 2


def test_a_server_that_is_gone_is_named_as_the_reason(
    workspace: LocalWorkspace, server: ModelServer, endpoint: str
):
    server.stop()
    answer = post(workspace, endpoint, chat())
    assert answer.status_code == 502
    assert answer.json()["error_code"] == "BAD_GATEWAY"
    assert endpoint in answer.json()["message"]


def test_an_endpoint_that_leads_to_itself_is_noticed(workspace: LocalWorkspace):
    name = f"circle-{secrets.token_hex(4)}"
    itself = DatabricksModelServingConfig(workspace.url, databricks_api_token_plaintext=workspace.token)
    circle = config(
        name,
        name=name,
        provider=ExternalModelProvider.DATABRICKS_MODEL_SERVING,
        databricks_model_serving_config=itself,
    )
    workspace.client.serving_endpoints.create_and_wait(name, config=circle)
    with pytest.raises(errors.BadRequest, match="circle"):
        ask(workspace.client, name)
    workspace.client.serving_endpoints.delete(name)


def test_permissions_are_read_and_replaced_by_the_endpoints_id(workspace: LocalWorkspace, endpoint: str):
    endpoints = workspace.client.serving_endpoints
    endpoint_id = str(endpoints.get(endpoint).id)
    levels = endpoints.get_permission_levels(endpoint_id).permission_levels or []
    assert [str(it.permission_level) for it in levels] == [
        f"ServingEndpointPermissionLevel.{name}" for name in ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE")
    ]
    line = ServingEndpointAccessControlRequest(
        group_name="users", permission_level=ServingEndpointPermissionLevel.CAN_VIEW
    )
    replaced = endpoints.set_permissions(endpoint_id, access_control_list=[line]).access_control_list or []
    assert [it.group_name or it.user_name for it in replaced] == [
        "users",
        workspace.client.current_user.me().user_name,
        "admins",
    ]
    with pytest.raises(ResourceDoesNotExist):
        endpoints.get_permissions(endpoint)


def test_only_those_who_were_granted_it_may_ask(workspace: LocalWorkspace, endpoint: str):
    endpoints = workspace.client.serving_endpoints
    friend, stranger = workspace.service_principal("a friend"), workspace.service_principal("a stranger")
    endpoint_id = str(endpoints.get(endpoint).id)
    with pytest.raises(PermissionDenied, match="CAN_QUERY"):
        ask(friend.client, endpoint)
    line = ServingEndpointAccessControlRequest(
        service_principal_name=friend.client_id, permission_level=ServingEndpointPermissionLevel.CAN_QUERY
    )
    endpoints.update_permissions(endpoint_id, access_control_list=[line])
    assert ask(friend.client, endpoint).choices
    assert endpoint in [it.name for it in friend.client.serving_endpoints.list()]
    assert endpoint not in [it.name for it in stranger.client.serving_endpoints.list()]
    with pytest.raises(PermissionDenied):
        ask(stranger.client, endpoint)
    with pytest.raises(PermissionDenied):
        friend.client.serving_endpoints.delete(endpoint)


def test_attaching_an_endpoint_to_an_app_lets_the_app_ask(workspace: LocalWorkspace, endpoint: str):
    client = workspace.client
    attached = AppResourceServingEndpoint(
        endpoint, AppResourceServingEndpointServingEndpointPermission.CAN_QUERY
    )
    name = f"app-{secrets.token_hex(4)}"
    resources = [AppResource(name="model", serving_endpoint=attached)]
    app = client.apps.create(App(name=name, resources=resources), no_compute=True).response
    endpoint_id = str(client.serving_endpoints.get(endpoint).id)

    def granted() -> list[str | None]:
        lines = client.serving_endpoints.get_permissions(endpoint_id).access_control_list or []
        return [it.service_principal_name for it in lines]

    assert app.service_principal_client_id in granted()
    client.apps.update(name, App(name=name, resources=[]))
    assert app.service_principal_client_id not in granted()
    client.apps.delete(name)


@pytest.mark.parametrize(
    ("external", "error"),
    [
        ({"provider": ExternalModelProvider.ANTHROPIC}, errors.NotImplemented),
        ({"task": "llm/v1/embeddings"}, errors.NotImplemented),
        ({}, InvalidParameterValue),
        (
            {"openai_config": OpenAiConfig(openai_api_key="{{secrets/a/b}}")},
            errors.NotImplemented,
        ),
        (
            {"openai_config": OpenAiConfig(openai_api_base="ftp://x", openai_api_key_plaintext="k")},
            InvalidParameterValue,
        ),
    ],
)
def test_what_cannot_be_served_is_refused(
    workspace: LocalWorkspace, external: dict[str, Any], error: type[DatabricksError]
):
    with pytest.raises(error):
        workspace.client.serving_endpoints.create("not-made", config=config("not-made", **external))
    with pytest.raises(ResourceDoesNotExist):
        workspace.client.serving_endpoints.get("not-made")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"rubbish", 400, "BAD_REQUEST"),
        (b"[]", 400, "BAD_REQUEST"),
        ({}, 400, "INVALID_PARAMETER_VALUE"),
        (chat(stream=True), 501, "NOT_IMPLEMENTED"),
        (chat(n=2), 400, "INVALID_PARAMETER_VALUE"),
        ({"messages": [{"role": "system", "content": "```procedure\n["}]}, 400, "INVALID_PARAMETER_VALUE"),
        (chat(padding="x" * (4 << 20)), 400, "BAD_REQUEST"),
    ],
    ids=["no JSON", "no object", "no messages", "streaming", "two choices", "broken procedure", "too large"],
)
def test_chats_that_cannot_be_answered_are_refused(
    workspace: LocalWorkspace, content: Any, status: int, code: str
):
    answer = post(workspace, PROVIDED, content)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)


def test_endpoints_and_their_keys_survive_a_kill(tmp_path: Path, server: ModelServer):
    running = LocalWorkspace(tmp_path / "home").start()
    external_endpoint(running.client, "lasting", server, api_key=KEY)
    before = running.client.serving_endpoints.get("lasting").as_dict()
    running.kill()
    running.start()
    assert running.client.serving_endpoints.get("lasting").as_dict() == before
    assert ask(running.client, "lasting").choices
    assert server.authorizations == [f"Bearer {KEY}"]
    running.stop()
