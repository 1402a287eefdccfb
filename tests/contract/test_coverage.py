"""What the workspace says of itself is so: each call is there or refused, named as the SDK names it, and shown by a test."""

import ast
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import pytest
import requests
from local_workspace.coverage.calls import FULL, OWN, PARTIAL, REFUSED, Call, exercised, matching
from local_workspace.coverage.declared import ANSWERED, CALLS, FAMILIES
from local_workspace.coverage.report import NOT_SHOWN, as_markdown, shown_by

from tests.support.workspace import LocalWorkspace

ROOT = Path(__file__).parents[2]
REFUSALS = [call for call in CALLS if call.likeness == REFUSED]
MOST_WITHOUT_A_TEST = 0.08
METHODS = {"get", "put", "post", "delete", "patch", "head"}


def _registered(workspace: LocalWorkspace) -> set[tuple[str, str]]:
    paths = requests.get(f"{workspace.url}/openapi.json", timeout=30).json()["paths"]
    return {(method.upper(), path) for path, its in paths.items() for method in its if method in METHODS}


def _declared(calls: tuple[Call, ...]) -> set[tuple[str, str]]:
    return {(call.method, call.path.replace(":path}", "}")) for call in calls}


def test_every_route_is_declared_and_every_declared_call_is_a_route(workspace: LocalWorkspace):
    routes = _registered(workspace)
    assert not routes - _declared(CALLS)
    assert not _declared(ANSWERED) - routes


def test_no_call_is_declared_twice():
    assert len({str(call) for call in CALLS}) == len(CALLS)


def test_only_the_workspaces_own_pages_hide_from_its_routes():
    package = ROOT / "local-workspace" / "src" / "local_workspace"
    hiding = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if "include_in_schema=False" in path.read_text()
    }
    assert hiding == {"home", "bad_days.py"}


@pytest.mark.parametrize("call", REFUSALS, ids=str)
def test_what_is_refused_is_answered_not_implemented(workspace: LocalWorkspace, call: Call):
    path = call.path.replace("{name:path}", "projects/p/branches/b")
    headers = {"Authorization": f"Bearer {workspace.token}"}
    answer = requests.request(call.method, workspace.url + path, headers=headers, json={}, timeout=30)
    assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")


def test_calls_are_named_as_the_sdk_names_them(workspace: LocalWorkspace):
    client = workspace.client
    for call in CALLS:
        if call.sdk:
            assert callable(reduce(getattr, call.sdk.split("."), client)), call


def test_a_call_says_what_is_missing_exactly_when_something_is():
    for call in CALLS:
        assert bool(call.missing) == (call.likeness in {PARTIAL, REFUSED, OWN}), call
        assert call.likeness in {FULL, PARTIAL, REFUSED, OWN}, call


def test_the_first_call_that_fits_a_request_is_the_one_it_is():
    found = matching("GET", "/api/2.0/fs/files/Volumes/a/b/c/d", CALLS)
    assert str(found) == "GET /api/2.0/fs/files/{path:path}"
    assert matching("GET", "/api/2.0/apps/a/b", CALLS) is None
    assert str(matching("GET", "/api/2.0/apps/a.b", CALLS)) == "GET /api/2.0/apps/{name}"


def test_the_tests_that_are_named_exist():
    assert set(exercised()) <= {str(call) for call in ANSWERED}
    assert not set(exercised().values()) - set(_tests())


def test_nearly_every_call_that_is_answered_has_a_test_on_record():
    shown = exercised()
    missing = [str(call) for call in ANSWERED if str(call) not in shown]
    assert len(missing) <= len(ANSWERED) * MOST_WITHOUT_A_TEST, missing


def test_a_call_without_a_test_on_record_says_so():
    shown = exercised()
    for call in ANSWERED:
        assert (shown_by(call, shown) == NOT_SHOWN) == (str(call) not in shown), call


def test_the_document_is_what_the_workspace_says():
    written = (ROOT / "docs" / "coverage.md").read_text()
    assert written == as_markdown(FAMILIES, exercised()), "run python tools/workspace_coverage.py"


def test_the_page_and_its_twin_tell_of_every_call(workspace: LocalWorkspace):
    page = requests.get(f"{workspace.url}/coverage", timeout=30).text
    told = requests.get(f"{workspace.url}/coverage.json", timeout=30).json()
    calls = [call for family in told["families"] for call in family["calls"]]
    assert [(it["method"], it["path"]) for it in calls] == [(call.method, call.path) for call in CALLS]
    assert all(f"<code>{call.path}</code>" in page for call in CALLS)
    assert (
        requests.get(f"{workspace.url}/coverage", headers={"Host": "evil.example"}, timeout=30).status_code
        == 403
    )


def _tests() -> Iterator[str]:
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield f"tests/contract/{file.name}::{node.name}"
