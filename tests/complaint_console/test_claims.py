"""Claims of complaints over HTTP: one person at a time, takeovers leave a trace, leases that ran out are nobody's."""

from collections.abc import Iterator

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.support.complaints import NOW, arrive, console, take_in, usual
from tests.support.refunds import reviewer

ADA, BOB = reviewer("ada"), reviewer("bob")
CLAIM = "/api/cases/a/claim"


@pytest.fixture
def client(database: Postgres) -> Iterator[httpx.Client]:
    """A console with the case "a"."""
    arrive(database, [usual("a")])
    take_in(database)
    with console(database) as served:
        served.client.timeout = 60
        yield served.client


def test_a_claim_names_its_complaint_and_taking_over_leaves_a_trace(client: httpx.Client):
    claimed = client.post(CLAIM, headers=ADA).json()
    assert (claimed["complaint_id"], claimed["reviewer"]) == ("a", "ada@example.com")
    refused = client.post(CLAIM, headers=BOB)
    assert (refused.status_code, "ada@example.com works" in refused.json()["detail"]) == (409, True)
    assert client.post(CLAIM, headers=BOB, json={"take_over": True}).json()["taken_from"] == "ada@example.com"
    last = client.get("/api/cases/a", headers=ADA).json()["claim_events"][-1]
    assert (last["event"], last["reviewer"]) == ("taken_over", "bob@example.com")


def test_only_its_holder_gives_a_complaint_back(client: httpx.Client):
    client.post(CLAIM, headers=ADA)
    client.delete(CLAIM, headers=BOB)
    assert client.post(CLAIM, headers=BOB).status_code == 409
    assert client.delete(CLAIM, headers=ADA).status_code == 204
    assert client.post(CLAIM, headers=BOB).status_code == 200


def test_a_lease_that_ran_out_is_nobodys(client: httpx.Client, database: Postgres):
    client.post(CLAIM, headers=ADA)
    with database.transaction() as writer:
        writer.execute("UPDATE reviews.cases SET claimed_until = :past", past=NOW)
    assert client.get("/api/cases/a", headers=BOB).json()["claim"] is None
    assert client.post(CLAIM, headers=BOB).json()["taken_from"] is None
