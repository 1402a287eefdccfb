"""Forwarding to model servers that are slow, break off or say too much; and a workspace whose own model forwards."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from databricks.sdk.service.serving import ChatMessage, ChatMessageRole
from fastapi import Response
from local_workspace.api.serving_endpoints import entities
from local_workspace.api.serving_endpoints.forwarding import Forwarder, ModelTooSlow, ModelUnreachable

from tests.support.model_server import ModelServer, Reply
from tests.support.workspace import LocalWorkspace

PROVIDED = "databricks-meta-llama-3-3-70b-instruct"
KEY = "sk-never-to-be-seen"


def forward(server: ModelServer, *, within_s: float = 10, times: int = 1) -> list[Response]:
    """The answers to so many chats at once."""
    destination = entities.model_server(server.url, "m", KEY)

    async def all_at_once() -> list[Response]:
        forwarder = Forwarder(answer_within_s=within_s)
        chats = [forwarder.forward("e", destination, {"messages": []}) for _ in range(times)]
        try:
            return await asyncio.gather(*chats)
        finally:
            await forwarder.close()

    return asyncio.run(all_at_once())


def test_a_model_that_takes_too_long_is_given_up():
    with ModelServer(latency_s=5) as server, pytest.raises(ModelTooSlow, match=r"within 0\.3 s"):
        forward(server, within_s=0.3)


def test_an_answer_that_breaks_off_is_no_answer():
    half = Reply(body=b"{", headers={"content-length": "9"})
    with (
        ModelServer(lambda _body: half) as server,
        pytest.raises(ModelUnreachable, match="ClientPayloadError"),
    ):
        forward(server)


def test_an_answer_that_never_ends_is_cut():
    endless = Reply(body=bytes(17 << 20))
    with ModelServer(lambda _body: endless) as server, pytest.raises(ModelUnreachable, match="16 MiB"):
        forward(server)


def test_many_chats_wait_for_their_models_at_the_same_time():
    with ModelServer(latency_s=0.3) as server:
        answers = forward(server, times=32)
    assert {answer.status_code for answer in answers} == {200}
    assert server.in_flight_max > 16


def test_errors_never_hold_the_key():
    with ModelServer() as server:
        destination = entities.model_server(server.url, "m", KEY)
    with pytest.raises(ModelUnreachable) as caught:
        forward(server)
    assert KEY not in str(caught.value) + repr(destination)


def test_the_workspaces_own_model_forwards_when_it_is_told_to(tmp_path: Path):
    with ModelServer() as server:
        workspace = LocalWorkspace(tmp_path / "home").start(
            LOCAL_WORKSPACE_MODEL_BASE_URL=server.url,
            LOCAL_WORKSPACE_MODEL_NAME="gpt-x",
            LOCAL_WORKSPACE_MODEL_API_KEY=KEY,
        )
        hello = ChatMessage(role=ChatMessageRole.USER, content="Hello?")
        answer = workspace.client.serving_endpoints.query(PROVIDED, messages=[hello])
        overview = httpx.get(f"{workspace.url}/overview.json").text
        workspace.stop()
    assert answer.model == "test-model"
    assert server.calls[0]["model"] == "gpt-x"
    assert server.authorizations == [f"Bearer {KEY}"]
    assert server.url in overview
    assert KEY not in overview


def test_half_a_setting_is_refused_at_the_start(tmp_path: Path):
    command = [sys.executable, "-m", "local_workspace", "--home", str(tmp_path / "home"), "--port", "0"]
    environment = os.environ | {"LOCAL_WORKSPACE_MODEL_BASE_URL": "http://127.0.0.1:1/v1"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "LOCAL_WORKSPACE_MODEL_NAME" in ended.stderr
