"""The queue: filters, sorts, pages to the last case, counts, and searching."""

from typing import Any

import pytest
from caspers.clients.postgres import Postgres
from caspers.review.keyset import OddCursor
from refund_manager.case_queue import QUEUE, QueueFilters, Sort

from tests.support.refunds import Recommendation, arrive, recommendations, take_in

EVERYTHING = QueueFilters(status=None)


@pytest.fixture
def rows(database: Postgres) -> list[Recommendation]:
    """What the queue is filled with."""
    made = recommendations(400, seed=3)
    arrive(database, made)
    take_in(database)
    return made


def walk(
    database: Postgres, filters: QueueFilters, sort: Sort = "newest", limit: int = 37
) -> list[dict[str, Any]]:
    """All cases, page by page."""
    found: list[dict[str, Any]] = []
    after = None
    with database.reading() as reader:
        while True:
            shown = QUEUE.page(reader, filters, sort, after, limit)
            found += shown.cases
            after = shown.next
            if after is None:
                return found


def key(case: dict[str, Any], column: str) -> Any:
    return -1 if case[column] is None else case[column]


@pytest.mark.parametrize(
    ("sort", "column", "descending"),
    [
        ("newest", "recommended_at", True),
        ("oldest", "recommended_at", False),
        ("amount", "refund_usd", True),
        ("longest", "delivery_minutes", True),
    ],
)
def test_pages_in_any_sort_show_every_case_once(
    database: Postgres, rows: list[Recommendation], sort: Sort, column: str, *, descending: bool
):
    found = walk(database, EVERYTHING, sort)
    assert {case["order_id"] for case in found} == {row["order_id"] for row in rows}
    assert len(found) == len(rows)
    keys = [(key(case, column), case["order_id"]) for case in found]
    assert keys == sorted(keys, reverse=descending)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"refund_class": "full"}, lambda row: row["refund_class"] == "full"),
        (
            {"location_id": 3, "origin": "model"},
            lambda row: (row["location_id"], row["origin"]) == (3, "model"),
        ),
        ({"brand": "Taco Harbor"}, lambda row: "Taco Harbor" in row["brands"].split(", ")),
        (
            {"min_usd": 4, "max_usd": 9},
            lambda row: row["refund_usd"] is not None and 4 <= row["refund_usd"] <= 9,
        ),
        ({"text": "MISSION"}, lambda row: "Mission" in row["customer_addr"]),
        ({"text": "100%"}, lambda _row: False),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_filters_let_pass_what_they_say(
    database: Postgres, rows: list[Recommendation], filters: dict[str, Any], passes: Any
):
    found = walk(database, QueueFilters(**filters))
    assert {case["order_id"] for case in found} == {row["order_id"] for row in rows if passes(row)}


def test_a_page_stays_where_it_is_when_cases_arrive(database: Postgres, rows: list[Recommendation]):
    with database.reading() as reader:
        first = QUEUE.page(reader, EVERYTHING, "newest", limit=10)
        expected = QUEUE.page(reader, EVERYTHING, "newest", after=first.next, limit=10).cases
    arrive(database, recommendations(20, seed=99))
    take_in(database)
    with database.reading() as reader:
        second = QUEUE.page(reader, EVERYTHING, "newest", after=first.next, limit=10)
    old = {row["order_id"] for row in rows}
    assert next(case for case in second.cases if case["order_id"] in old) == expected[0]


def test_an_order_is_found_by_its_id_wherever_it_stands(database: Postgres, rows: list[Recommendation]):
    with database.reading() as reader:
        found = QUEUE.page(reader, QueueFilters(status="decided", text=rows[0]["order_id"]), "newest")
    assert [case["order_id"] for case in found.cases] == [rows[0]["order_id"]]


@pytest.mark.usefixtures("rows")
def test_a_search_says_how_many_cases_it_looked_at(database: Postgres):
    with database.reading() as reader:
        assert QUEUE.page(reader, QueueFilters(text="nowhere"), "newest").searched == 20_000
        assert QUEUE.page(reader, QueueFilters(), "newest").searched is None


@pytest.mark.parametrize("odd", ["", "zzz", "bnVsbA", "W10", "WyJuZXdlc3QiLCJ4IiwieSJd", "💥", "A" * 5_000])
def test_an_odd_cursor_is_refused_in_words(database: Postgres, odd: str):
    with database.reading() as reader:
        if not odd:
            assert QUEUE.page(reader, EVERYTHING, "newest", after=odd).cases == []
            return
        with pytest.raises(OddCursor, match="cursor"):
            QUEUE.page(reader, EVERYTHING, "newest", after=odd)


@pytest.mark.usefixtures("rows")
def test_a_cursor_of_one_sort_is_refused_by_another(database: Postgres):
    with database.reading() as reader:
        first = QUEUE.page(reader, EVERYTHING, "amount", limit=1)
        with pytest.raises(OddCursor, match="belongs to the sort amount"):
            QUEUE.page(reader, EVERYTHING, "newest", first.next)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    "filters", [{}, {"refund_class": "partial"}, {"origin": "rules", "location_id": 2}], ids=str
)
def test_exact_counts_are_those_of_the_list(database: Postgres, filters: dict[str, Any]):
    with database.reading() as reader:
        counted = QUEUE.counts(reader, QueueFilters(**filters))
    listed = walk(database, QueueFilters(**filters))
    assert counted.exact
    assert counted.cases == len(listed) == sum(counted.by_class.values())
    dollars = sum(case["refund_usd"] or 0 for case in listed)
    assert sum(one["agent_usd"] for one in counted.by_origin.values()) == pytest.approx(dollars)


@pytest.mark.usefixtures("rows")
def test_counts_of_other_filters_are_counted(database: Postgres):
    with database.reading() as reader:
        brand = QUEUE.counts(reader, QueueFilters(brand="Taco Harbor"))
        text = QUEUE.counts(reader, QueueFilters(text="Taco"))
    assert brand.exact
    assert not text.exact
    assert brand.cases == text.cases == len(walk(database, QueueFilters(brand="Taco Harbor")))
