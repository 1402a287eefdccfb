"""Who calls: tokens and client credentials through the SDK."""

from pathlib import Path

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import Unauthenticated

from tests.support.workspace import LocalWorkspace


def test_the_local_user_is_known_by_the_token_in_the_home(workspace: LocalWorkspace):
    me = workspace.client.current_user.me()
    assert me.user_name == "me@localhost.test"
    assert [group.display for group in me.groups or []] == ["admins"]


def test_an_unknown_token_is_refused(workspace: LocalWorkspace):
    stranger = WorkspaceClient(host=workspace.url, token="dapi-unknown", auth_type="pat")
    with pytest.raises(Unauthenticated):
        stranger.current_user.me()


def test_a_call_without_a_token_is_refused(workspace: LocalWorkspace):
    for path in (
        "/api/2.1/unity-catalog/catalogs",
        "/api/2.0/fs/files/Volumes/a/b/c/d",
        "/api/2.0/workspace/list",
    ):
        answer = requests.get(workspace.url + path, timeout=10)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")


def test_a_service_principal_logs_in_with_its_secret(workspace: LocalWorkspace):
    principal = workspace.service_principal("replayer")
    me = principal.client.current_user.me()
    assert (me.user_name, me.display_name) == (principal.client_id, "replayer")


def test_a_wrong_secret_gives_no_token(workspace: LocalWorkspace):
    principal = workspace.service_principal()
    answer = requests.post(
        f"{workspace.url}/oidc/v1/token",
        data={"grant_type": "client_credentials"},
        auth=(principal.client_id, "wrong"),
        timeout=10,
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_tokens_are_kept_as_digests_in_a_private_home(tmp_path: Path):
    private = LocalWorkspace(tmp_path / "home").start()
    try:
        state = b"".join(path.read_bytes() for path in private.home.glob("workspace.sqlite*"))
        assert private.token.encode() not in state
        assert (private.home / "workspace.json").stat().st_mode & 0o077 == 0
    finally:
        private.stop()


def test_the_token_outlives_a_crash(tmp_path: Path):
    crashing = LocalWorkspace(tmp_path / "home").start()
    token = crashing.token
    crashing.kill()
    try:
        assert crashing.start().token == token
        assert crashing.client.current_user.me().user_name
    finally:
        crashing.stop()
