"""An app's log below its URL, as scripts and the Databricks CLI read it."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from databricks.sdk.service.apps import AppAccessControlRequest, AppPermissionLevel
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.support.apps import DeployedApp, deploy
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace, ServicePrincipal


@pytest.fixture(scope="module")
def app(workspace: LocalWorkspace) -> Iterator[DeployedApp]:
    """The small app, running; it prints what its path /crash is asked for, and ends."""
    deployed = deploy(workspace.client)
    yield deployed
    workspace.client.apps.delete(deployed.name)


def _crash(app: DeployedApp) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        app.get("/crash")
    wait_for(lambda: "asked to crash" in httpx.get(f"{app.url}/logz").text, what="the log tells of the crash")


@contextmanager
def _stream(app: DeployedApp, headers: dict[str, str], search: str = "") -> Generator[ClientConnection]:
    with connect(app.url.replace("http", "ws") + "/logz/stream", additional_headers=headers) as socket:
        socket.send(search)
        yield socket


def _manager(workspace: LocalWorkspace, app: DeployedApp, level: AppPermissionLevel) -> ServicePrincipal:
    principal = workspace.service_principal()
    grant = AppAccessControlRequest(service_principal_name=principal.client_id, permission_level=level)
    workspace.client.apps.update_permissions(app.name, access_control_list=[grant])
    return principal


def test_the_stream_tells_what_was_printed_and_then_what_comes(workspace: LocalWorkspace, app: DeployedApp):
    headers = _manager(workspace, app, AppPermissionLevel.CAN_MANAGE).client.config.authenticate()
    with _stream(app, headers) as socket:
        first: dict[str, Any] = json.loads(socket.recv(timeout=20))
        assert set(first) == {"source", "timestamp", "message"}
        assert (first["source"], "Starting deployment" in first["message"]) == ("SYSTEM", True)
        age = datetime.now(UTC) - datetime.fromtimestamp(first["timestamp"], UTC)
        assert timedelta(0) <= age < timedelta(hours=1)
        _crash(app)
        told = json.loads(socket.recv(timeout=20))
        assert (told["source"], told["message"]) == ("APP", "I was asked to crash")


def test_a_search_leaves_only_the_lines_that_hold_it(app: DeployedApp):
    _crash(app)
    with _stream(app, {"Origin": app.url}, "CRASH") as socket:
        assert json.loads(socket.recv(timeout=20))["message"] == "I was asked to crash"
    with _stream(app, {"Origin": app.url}, "no such line") as socket:
        assert socket.recv(timeout=20) == "\0"


def test_the_whole_log_is_there_at_once(workspace: LocalWorkspace, app: DeployedApp):
    headers = _manager(workspace, app, AppPermissionLevel.CAN_MANAGE).client.config.authenticate()
    _crash(app)
    lines = httpx.get(f"{app.url}/logz/batch", headers=headers).json()
    assert {"SYSTEM", "APP"} == {line["source"] for line in lines}
    assert sorted(lines, key=lambda line: line["timestamp"]) == lines


@pytest.mark.parametrize("path", ["/logz", "/logz/batch", "/logz/stream?a=1"])
def test_those_who_may_only_use_an_app_do_not_see_its_log(
    workspace: LocalWorkspace, app: DeployedApp, path: str
):
    headers = _manager(workspace, app, AppPermissionLevel.CAN_USE).client.config.authenticate()
    answer = httpx.get(app.url + path, headers=headers)
    assert (answer.status_code, "CAN_MANAGE" in answer.text) == (403, True)
    with pytest.raises(InvalidStatus), _stream(app, headers):
        pass


def test_pages_of_other_sites_cannot_follow_the_log(app: DeployedApp):
    with pytest.raises(InvalidStatus), _stream(app, {"Origin": "https://evil.example"}):
        pass


def test_what_an_app_prints_is_text_on_the_page(app: DeployedApp):
    page = httpx.get(f"{app.url}/logz")
    assert page.headers["content-type"].startswith("text/html")
    assert "Starting deployment" in page.text
    assert httpx.get(f"{app.url}/logz/other").status_code == 404
