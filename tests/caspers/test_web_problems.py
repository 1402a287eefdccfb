"""Errors as problem documents: every kind, every subclass, bad requests, surprises."""

import importlib
import pkgutil
from collections.abc import Iterator

import caspers
import pytest
from caspers.errors import CaspersError, Conflict, Invalid, NotFound, Refused, Unavailable
from caspers.web.app import base_app
from caspers.web.identity import Caller
from fastapi import FastAPI
from pydantic import BaseModel

from tests.caspers.serving import PERSON, Served, serving, settings

KINDS = {Invalid: 422, NotFound: 404, Conflict: 409, Refused: 403, Unavailable: 503}
for module in pkgutil.walk_packages(caspers.__path__, "caspers."):
    importlib.import_module(module.name)


def _below(kind: type[CaspersError]) -> set[type[CaspersError]]:
    return {kind}.union(*(_below(heir) for heir in kind.__subclasses__()))


#: Every error class of the library with the status of its kind.
ERRORS = {
    error: status
    for kind, status in KINDS.items()
    for error in sorted(_below(kind), key=lambda error: error.__qualname__)
    if error.__module__.startswith("caspers.")
}


class Speed(BaseModel):
    multiplier: float


def troubled_app() -> FastAPI:
    app = base_app("Trouble", settings())

    @app.get("/raise/{name}")
    def fail(name: str) -> None:
        error = next(error for error in ERRORS if error.__name__ == name)
        trouble = error.__new__(error)
        CaspersError.__init__(trouble, "the thing broke", what_now="Mend it.")
        raise trouble

    @app.get("/surprise")
    def surprise() -> None:
        raise RuntimeError("the password is hunter2hunter2")

    @app.post("/speed")
    def speed(speed: Speed) -> None: ...

    @app.get("/me")
    def me(caller: Caller) -> str:
        return caller.label

    return app


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(troubled_app()) as served:
        yield served


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_class_becomes_a_problem_document(served: Served, error: type[CaspersError]):
    answer = served.client.get(f"/raise/{error.__name__}")
    assert answer.status_code == ERRORS[error]
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:caspers:problem:{error.__name__}"
    assert (problem["detail"], problem["what_now"]) == ("the thing broke", "Mend it.")
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_only_what_is_away_for_a_while_says_when_to_come_back(served: Served):
    retry_after = {
        kind: served.client.get(f"/raise/{kind.__name__}").headers.get("retry-after") for kind in KINDS
    }
    assert retry_after == {Invalid: None, NotFound: None, Conflict: None, Refused: None, Unavailable: "5"}


def test_a_request_that_does_not_validate_names_each_field(served: Served):
    problem = served.client.post("/speed", json={"multiplier": "fast"}).json()
    assert problem["status"] == 422
    assert [field["field"] for field in problem["errors"]] == ["body.multiplier"]


def test_a_body_that_is_no_json_is_refused_not_broken(served: Served):
    answer = served.client.post("/speed", content=b"\xff\x00{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_surprise_tells_the_client_nothing_but_the_request_id(served: Served):
    answer = served.client.get("/surprise")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_an_unknown_address_and_a_wrong_method_are_problems_too(served: Served):
    assert served.client.get("/nowhere").json()["status"] == 404
    assert served.client.delete("/speed").json()["status"] == 405


def test_who_asks_comes_from_the_forwarded_headers_only(served: Served):
    assert served.client.get("/me").status_code == 403
    assert served.client.get("/me", headers=PERSON).json() == "ada@example.com"
    assert served.client.get("/me", headers={"X-Forwarded-User": "svc-1"}).json() == "svc-1"
    assert served.client.get("/me", params={"email": "eve@example.com"}).status_code == 403


def test_the_description_of_the_api_names_the_problems(served: Served):
    responses = served.client.get("/openapi.json").json()["paths"]["/speed"]["post"]["responses"]
    assert {"403", "404", "409", "422", "503"} <= set(responses)


def test_a_person_with_a_browser_sees_a_page_and_a_script_never_does(served: Served):
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = served.client.get("/raise/Unavailable", headers=browser)
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert page.headers["content-type"].startswith("text/html")
    assert "Mend it." in page.text
    assert (
        served.client.get("/api/nowhere", headers=browser).headers["content-type"]
        == "application/problem+json"
    )


@pytest.mark.parametrize(
    ("site", "status"), [(None, 200), ("same-origin", 200), ("cross-site", 403), ("same-site", 403)]
)
def test_another_sites_page_cannot_change_anything(served: Served, site: str | None, status: int):
    headers = {"Sec-Fetch-Site": site} if site else {}
    assert served.client.post("/speed", json={"multiplier": 2}, headers=headers).status_code == status
    assert served.client.get("/healthz", headers=headers).status_code == 200


def test_every_error_of_the_library_is_of_one_of_the_five_kinds():
    ours = {error for error in _below(CaspersError) if error.__module__.startswith("caspers.")}
    assert ours - {CaspersError} == set(ERRORS)
