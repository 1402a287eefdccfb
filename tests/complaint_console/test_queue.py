"""The queue of complaints: urgent ones first, every case once, filters, exact counts, searching."""

from typing import Any

import pytest
from caspers.clients.postgres import Postgres
from complaint_console.case_queue import QUEUE, QueueFilters, Sort

from tests.support.complaints import Response, arrive, responses, take_in

EVERYTHING = QueueFilters(status=None)


@pytest.fixture
def rows(database: Postgres) -> list[Response]:
    """What the queue is filled with."""
    made = responses(300, seed=3)
    arrive(database, made)
    take_in(database)
    return made


def walk(database: Postgres, filters: QueueFilters, sort: Sort = "urgent") -> list[dict[str, Any]]:
    """All cases, page by page."""
    found: list[dict[str, Any]] = []
    after = None
    with database.reading() as reader:
        while True:
            shown = QUEUE.page(reader, filters, sort, after, 37)
            found += shown.cases
            after = shown.next
            if after is None:
                return found


@pytest.mark.parametrize("sort", ["urgent", "newest", "oldest", "amount"])
def test_pages_in_any_sort_show_every_case_once(database: Postgres, rows: list[Response], sort: Sort):
    found = [case["complaint_id"] for case in walk(database, EVERYTHING, sort)]
    assert sorted(found) == sorted(row["complaint_id"] for row in rows)


@pytest.mark.usefixtures("rows")
def test_urgent_escalations_come_first_and_the_oldest_before_all(database: Postgres):
    ranks = {"urgent": 0, "standard": 1, None: 2}
    found = [(ranks[case["priority"]], case["complained_at"]) for case in walk(database, EVERYTHING)]
    assert found == sorted(found)
    assert {rank for rank, _ in found} == {0, 1, 2}


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"decision": "escalate"}, lambda row: row["decision"] == "escalate"),
        ({"priority": "urgent"}, lambda row: row["priority"] == "urgent"),
        ({"complaint_category": "other"}, lambda row: row["complaint_category"] == "other"),
        ({"location_id": 3}, lambda row: row["location_id"] == 3),
        ({"min_usd": 6}, lambda row: row["credit_amount"] is not None and row["credit_amount"] >= 6),
        ({"text": "MISSING items"}, lambda row: row["complaint_category"] == "missing_items"),
        ({"text": "100%"}, lambda _row: False),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_filters_let_pass_what_they_say_and_counts_agree(
    database: Postgres, rows: list[Response], filters: dict[str, Any], passes: Any
):
    expected = {row["complaint_id"] for row in rows if passes(row)}
    assert {case["complaint_id"] for case in walk(database, QueueFilters(**filters))} == expected
    with database.reading() as reader:
        assert QUEUE.counts(reader, QueueFilters(**filters)).cases == len(expected)


def test_a_case_is_found_by_its_id_wherever_it_stands(database: Postgres, rows: list[Response]):
    with database.reading() as reader:
        found = QUEUE.page(reader, QueueFilters(status="decided", text=rows[0]["complaint_id"]), "newest")
    assert [case["complaint_id"] for case in found.cases] == [rows[0]["complaint_id"]]
