"""Claims over HTTP: one person at a time, others see who, takeovers leave a trace, drafts survive."""

from collections.abc import Iterator

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.support.refunds import NOW, arrive, console, reviewer, take_in, usual

ADA, BOB = reviewer("ada"), reviewer("bob")


@pytest.fixture
def client(database: Postgres) -> Iterator[httpx.Client]:
    """A console with the case "a"."""
    arrive(database, [usual("a")])
    take_in(database)
    with console(database) as served:
        yield served.client


def test_a_claimed_case_tells_others_who_has_it(client: httpx.Client):
    assert client.post("/api/cases/a/claim", headers=ADA).status_code == 200
    refused = client.post("/api/cases/a/claim", headers=BOB)
    assert refused.status_code == 409
    assert "ada@example.com works on this case" in refused.json()["detail"]
    claim = client.get("/api/cases/a", headers=BOB).json()["claim"]
    assert (claim["reviewer"], claim["mine"]) == ("ada@example.com", False)
    assert client.get("/api/queue").json()["cases"][0]["claimed_by"] == "ada@example.com"


def test_renewing_a_claim_prolongs_it_without_a_trace(client: httpx.Client):
    first, second = (client.post("/api/cases/a/claim", headers=ADA).json() for _ in range(2))
    assert second["until"] > first["until"]
    assert len(client.get("/api/cases/a", headers=ADA).json()["claim_events"]) == 1


def test_taking_over_leaves_a_trace(client: httpx.Client):
    client.post("/api/cases/a/claim", headers=ADA)
    taken = client.post("/api/cases/a/claim", headers=BOB, json={"take_over": True}).json()
    assert taken["taken_from"] == "ada@example.com"
    last = client.get("/api/cases/a", headers=ADA).json()["claim_events"][-1]
    assert (last["event"], last["reviewer"], last["taken_from"]) == (
        "taken_over", "bob@example.com", "ada@example.com",
    )  # fmt: skip


def test_a_released_case_is_free_and_only_its_holder_can_release_it(client: httpx.Client):
    client.post("/api/cases/a/claim", headers=ADA)
    client.delete("/api/cases/a/claim", headers=BOB)
    assert client.post("/api/cases/a/claim", headers=BOB).status_code == 409
    assert client.delete("/api/cases/a/claim", headers=ADA).status_code == 204
    assert client.post("/api/cases/a/claim", headers=BOB).status_code == 200


def test_an_expired_claim_is_nobodys(client: httpx.Client, database: Postgres):
    client.post("/api/cases/a/claim", headers=ADA)
    with database.transaction() as writer:
        writer.execute("UPDATE refunds.cases SET claimed_until = :past", past=NOW)
    assert client.get("/api/cases/a", headers=BOB).json()["claim"] is None
    assert client.post("/api/cases/a/claim", headers=BOB).json()["taken_from"] is None


def test_a_request_that_says_nobody_asks_is_refused(client: httpx.Client):
    assert client.post("/api/cases/a/claim").status_code == 403


def test_a_draft_survives_other_peoples_changes(client: httpx.Client, database: Postgres):
    draft = {"version": 1, "action": "change", "refund_usd": 3.5, "note": "half of it"}
    assert client.put("/api/cases/a/draft", headers=ADA, json=draft).json() == {"version": 1, "stale": False}
    with database.transaction() as writer:
        writer.execute("UPDATE refunds.cases SET version = 2")
    kept = client.get("/api/cases/a", headers=ADA).json()["draft"]
    assert (kept["version"], kept["fields"]["note"]) == (1, "half of it")
    assert client.get("/api/cases/a", headers=BOB).json()["draft"] is None
    assert client.put("/api/cases/a/draft", headers=ADA, json=draft).json() == {"version": 2, "stale": True}


def test_a_draft_can_be_thrown_away(client: httpx.Client):
    client.put("/api/cases/a/draft", headers=ADA, json={"version": 1})
    assert client.delete("/api/cases/a/draft", headers=ADA).status_code == 204
    assert client.get("/api/cases/a", headers=ADA).json()["draft"] is None
