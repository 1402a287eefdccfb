"""Bad days on request, as the real client sees them."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import (
    InternalError,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    TemporarilyUnavailable,
)
from databricks.sdk.service.catalog import VolumeType

from tests.support.bad_days import EVERY_CALL_REFUSED_ONCE, faults
from tests.support.workspace import LocalWorkspace

CREATE_SCHEMA = {"method": "POST", "path": "/unity-catalog/schemas$"}


def _schemas(workspace: LocalWorkspace, catalog: str) -> set[str | None]:
    return {it.name for it in workspace.client.schemas.list(catalog)} - {"information_schema", "default"}


def test_a_call_fails_before_its_effect(workspace: LocalWorkspace, catalog: str):
    rule = CREATE_SCHEMA | {"fault": "answer", "status": 500, "error_code": "INTERNAL_ERROR"}
    with faults(workspace, rule), pytest.raises(InternalError):
        workspace.client.schemas.create("one", catalog)
    assert _schemas(workspace, catalog) == set()


def test_a_call_fails_after_its_effect(workspace: LocalWorkspace, catalog: str):
    rule = CREATE_SCHEMA | {
        "fault": "answer",
        "status": 500,
        "error_code": "INTERNAL_ERROR",
        "when": "after",
    }
    with faults(workspace, rule), pytest.raises(InternalError):
        workspace.client.schemas.create("one", catalog)
    assert _schemas(workspace, catalog) == {"one"}


def test_the_client_waits_and_asks_again_when_told_to(workspace: LocalWorkspace, catalog: str):
    with faults(workspace, EVERY_CALL_REFUSED_ONCE) as day:
        workspace.client.schemas.create("one", catalog)
        assert [call.status for call in day.calls()] == [429, 200]


def test_without_end_a_refusal_outlasts_the_client(workspace: LocalWorkspace, catalog: str):
    config = Config(host=workspace.url, token=workspace.token, auth_type="pat", retry_timeout_seconds=1)
    client = WorkspaceClient(config=config)
    rule = CREATE_SCHEMA | {"fault": "answer", "status": 503, "times": None, "retry_after_s": 1}
    with faults(workspace, rule), pytest.raises(TimeoutError) as caught:
        client.schemas.create("one", catalog)
    assert isinstance(caught.value.__cause__, TemporarilyUnavailable)


def test_a_lost_answer_is_asked_for_again_and_finds_the_effect(workspace: LocalWorkspace, catalog: str):
    rule = CREATE_SCHEMA | {"fault": "lose", "when": "after"}
    with faults(workspace, rule) as day:
        with pytest.raises(ResourceAlreadyExists):
            workspace.client.schemas.create("one", catalog)
        assert [(call.carried_out, call.status) for call in day.calls()] == [(True, None), (True, 409)]


def test_a_call_that_is_lost_on_its_way_succeeds_when_sent_again(workspace: LocalWorkspace, catalog: str):
    with faults(workspace, CREATE_SCHEMA | {"fault": "lose"}) as day:
        workspace.client.schemas.create("one", catalog)
        assert [(call.carried_out, call.status) for call in day.calls()] == [(False, None), (True, 200)]


def test_a_create_is_told_that_somebody_was_faster(workspace: LocalWorkspace, catalog: str):
    with (
        faults(workspace, CREATE_SCHEMA | {"fault": "repeat"}),
        pytest.raises(ResourceAlreadyExists),
    ):
        workspace.client.schemas.create("one", catalog)
    assert _schemas(workspace, catalog) == {"one"}


@pytest.mark.parametrize(("when", "left"), [("before", set()), ("after", {"one"})])
def test_a_held_call_never_answers_and_is_dropped_in_the_end(
    workspace: LocalWorkspace, catalog: str, when: str, left: set[str]
):
    url = f"{workspace.url}/api/2.1/unity-catalog/schemas"
    headers = {"Authorization": f"Bearer {workspace.token}"}
    body = {"name": "one", "catalog_name": catalog}
    with (
        ThreadPoolExecutor() as pool,
        faults(workspace, CREATE_SCHEMA | {"fault": "hold", "when": when}) as day,
    ):
        asked = pool.submit(requests.post, url, json=body, headers=headers, timeout=60)
        day.wait_until_held()
        assert not asked.done()
        day.lift()
        with pytest.raises(requests.ConnectionError):
            asked.result()
    assert _schemas(workspace, catalog) == left


def test_the_third_change_can_be_the_one_that_fails(workspace: LocalWorkspace, catalog: str):
    with faults(workspace, {"fault": "answer", "status": 500, "skip": 2, "times": None}):
        for name in ("one", "two"):
            workspace.client.schemas.create(name, catalog)
        for name in ("three", "four"):
            with pytest.raises(InternalError):
                workspace.client.schemas.create(name, catalog)
    assert _schemas(workspace, catalog) == {"one", "two"}


def test_changing_calls_are_told_in_order_since_a_mark(workspace: LocalWorkspace, catalog: str):
    with faults(workspace) as day:
        workspace.client.schemas.create("one", catalog)
        day.mark()
        workspace.client.schemas.create("two", catalog)
        assert workspace.client.schemas.get(f"{catalog}.two")
        workspace.client.schemas.delete(f"{catalog}.one")
        assert [str(call) for call in day.calls()] == [
            "POST /api/2.1/unity-catalog/schemas",
            f"DELETE /api/2.1/unity-catalog/schemas/{catalog}.one",
        ]
        assert len(day.calls(changing=False)) >= 3


def test_a_statement_counts_when_it_changes_something(workspace: LocalWorkspace, catalog: str):
    with (
        workspace.connect(catalog=catalog) as connection,
        connection.cursor() as cursor,
        faults(workspace) as day,
    ):
        cursor.execute("SELECT 1")
        assert day.calls() == []
        cursor.execute("CREATE SCHEMA made_by_sql")
        assert [call.path for call in day.calls()] == ["/api/2.0/sql/statements"]


def test_a_rule_can_be_for_one_caller_only(workspace: LocalWorkspace, catalog: str):
    other = workspace.service_principal()
    rule = {
        "fault": "answer",
        "status": 404,
        "error_code": "NOT_FOUND",
        "caller": other.client_id,
        "times": None,
    }
    with faults(workspace, rule):
        workspace.client.schemas.create("one", catalog)
        with pytest.raises(NotFound):
            other.client.schemas.create("two", catalog)


def test_a_slow_call_has_its_effect_all_the_same(workspace: LocalWorkspace, catalog: str):
    with faults(workspace, CREATE_SCHEMA | {"fault": "delay", "delay_ms": 50}) as day:
        workspace.client.schemas.create("one", catalog)
        assert day.fired() == 1


def test_large_files_arrive_whole_while_rules_stand(workspace: LocalWorkspace, catalog: str):
    client = workspace.client
    client.schemas.create("one", catalog)
    client.volumes.create(catalog, "one", "files", VolumeType.MANAGED)
    content = bytes(range(256)) * 20_000
    path = f"/Volumes/{catalog}/one/files/large"
    with faults(workspace, {"fault": "repeat", "method": "PUT"}) as day:
        client.files.upload(path, io.BytesIO(content), overwrite=True)
        assert day.fired() == 1
    found = client.files.download(path).contents
    assert found
    assert found.read() == content


def test_only_admins_ask_for_bad_days(workspace: LocalWorkspace):
    with pytest.raises(PermissionDenied):
        workspace.service_principal().client.api_client.do("GET", "/local-workspace/bad-days/calls")


def test_there_are_no_bad_days_unless_asked_for_at_the_start(tmp_path: Path):
    ordinary = LocalWorkspace(tmp_path / "home").start(LOCAL_WORKSPACE_BAD_DAYS="")
    try:
        answer = requests.get(
            f"{ordinary.url}/local-workspace/bad-days/calls",
            headers={"Authorization": f"Bearer {ordinary.token}"},
            timeout=10,
        )
        assert answer.status_code == 501
    finally:
        ordinary.stop()
