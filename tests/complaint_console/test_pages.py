"""The console's pages: they show what there is, escape what customers write, and name their JSON twins."""

from collections.abc import Iterator

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.support.complaints import arrive, console, escalated, take_in, usual
from tests.support.refunds import reviewer

ADA = reviewer("ada")


@pytest.fixture
def client(database: Postgres) -> Iterator[httpx.Client]:
    """A console with one suggestion and one urgent escalation, both full of markup."""
    evil = {"complaint_text": "<script>alert(1)</script>", "rationale": "<b>x</b>"}
    arrive(database, [usual("a", **evil), escalated("person", "urgent", **evil)])
    take_in(database)
    with console(database) as served:
        yield served.client


@pytest.mark.parametrize(
    "path", ["/", "/cases/a", "/cases/person", "/history", "/agreement", "/policy", "/docs"]
)
def test_every_page_renders_and_escapes_what_customers_write(client: httpx.Client, path: str):
    shown = client.get(path, headers=ADA)
    assert shown.status_code == 200, shown.text
    assert "<script>alert" not in shown.text


def test_urgent_cases_stand_first_in_the_list(client: httpx.Client):
    shown = client.get("/", headers=ADA).text
    assert shown.index('data-case="person"') < shown.index('data-case="a"')


def test_pages_still_render_after_a_review_was_made(client: httpx.Client):
    body = {"complaint_id": "a", "version": 1, "action": "approve"}
    assert client.post("/api/decisions", json=body, headers=ADA).status_code == 201
    assert "Told the customer" in client.get("/cases/a", headers=ADA).text
    for path in ("/history", "/agreement", "/?status=all"):
        assert client.get(path, headers=ADA).status_code == 200


def test_a_script_gets_the_blocks_that_it_asks_for(client: httpx.Client):
    for path, block in (("/", "queue"), ("/", "summary"), ("/", "rows"), ("/cases/a", "pane")):
        part = client.get(path, headers={**ADA, "HX-Target": block})
        assert part.status_code == 200
        assert "<html" not in part.text
