"""The API under hostile hands: every oddity is refused in words, none breaks the console."""

import json
from collections.abc import Iterator

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.support.refunds import arrive, console, reviewer, take_in, usual

ADA = reviewer("ada")
DECISION = {"order_id": "a", "version": 1, "action": "accept"}


@pytest.fixture
def client(database: Postgres) -> Iterator[httpx.Client]:
    """A console with the case "a", whose reason holds markup."""
    arrive(database, [usual("a", reason="<script>alert(1)</script>" + "x" * 1_000_000)])
    take_in(database)
    with console(database) as served:
        yield served.client


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=x", "status=gone", "sort=random", "after=💥", "after=" + "A" * 700, "min_usd=NaN",
        "min_usd=-1", "max_usd=1e400", "older_than_minutes=inf", "older_than_minutes=1e300", "location_id=1e99",
        "newer_than=yesterday", "text=%00", "brand=" + "b" * 201, "reviewer=%00",
    ],
)  # fmt: skip
def test_odd_questions_to_the_queue_are_refused_in_words(client: httpx.Client, query: str):
    answer = client.get(f"/api/queue?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "query", ["text=%25%27%22%5C_/", "text=%ED%A0%80", "brand=%27;DROP TABLE x", "location_id="]
)
def test_odd_texts_are_texts(client: httpx.Client, query: str):
    assert client.get(f"/api/queue?{query}").status_code == 200


@pytest.mark.parametrize(
    "odd",
    [
        {"version": 0}, {"version": 2**31}, {"action": "undo"}, {"refund_usd": "NaN"}, {"refund_usd": 1e99},
        {"refund_usd": -0.01}, {"note": "n" * 2_001}, {"note": "a\0b"}, {"note": "\ud800"}, {"order_id": ""},
        {"order_id": "o" * 201}, {"decided_by": "mallory"}, {"reason_code": "because"}, {"order_id": {}},
        {"action": "change", "refund_usd": 0.001},
    ],
    ids=str,
)  # fmt: skip
def test_odd_decisions_are_refused_in_words(client: httpx.Client, odd: dict[str, object]):
    body = json.dumps(DECISION | odd).encode()
    headers = ADA | {"Content-Type": "application/json"}
    answer = client.post("/api/decisions", headers=headers, content=body)
    assert answer.status_code == 422
    assert answer.json()["title"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"a":' * 2_000, b"\xff\xfe"])
def test_broken_bodies_are_refused(client: httpx.Client, body: bytes):
    headers = ADA | {"Content-Type": "application/json"}
    assert client.post("/api/decisions", headers=headers, content=body).status_code in {400, 422}


def test_a_list_shows_the_beginning_of_a_huge_reason_as_text(client: httpx.Client):
    (case,) = client.get("/api/queue").json()["cases"]
    assert case["reason"].startswith("<script>")
    assert len(case["reason"]) == 400
    assert len(client.get("/api/cases/a", headers=ADA).content) < 10_000


def test_live_pages_hear_counts_newest_moment_and_policy(client: httpx.Client):
    with client.stream("GET", "/api/live") as stream:
        told = next(line for line in stream.iter_lines() if line.startswith("data:"))
    assert json.loads(told.removeprefix("data:")) == {
        "by_status": {"pending": 1},
        "newest": "2026-03-14T18:00:00+00:00",
        "policy": {"version": 1, "enabled": False},
    }


def test_who_decides_is_never_taken_from_the_body(client: httpx.Client):
    assert client.post("/api/decisions", json=DECISION).status_code == 403
    assert client.post("/api/decisions", headers=ADA, json=DECISION).json()["decided_by"] == "ada@example.com"


def test_a_repeated_request_with_its_key_is_answered_with_200(client: httpx.Client):
    headers = ADA | {"Idempotency-Key": "one"}
    answers = [client.post("/api/decisions", headers=headers, json=DECISION) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    other = client.post("/api/decisions", headers=headers, json=DECISION | {"note": "other"})
    assert (other.status_code, other.json()["type"]) == (409, "urn:caspers:problem:KeyUsedTwice")


def test_the_openapi_names_every_address_with_a_summary(client: httpx.Client):
    paths = client.get("/openapi.json").json()["paths"]
    for path in (
        "/api/queue",
        "/api/decisions",
        "/api/bulk/accept",
        "/api/policy/kill",
        "/api/cases/{order_id}",
    ):
        assert all(operation["summary"] for operation in paths[path].values())
