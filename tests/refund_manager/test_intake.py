"""Recommendations become cases: all of them, once, whatever changes or comes late."""

from datetime import timedelta
from typing import Any

import pytest
from caspers.clients.postgres import Postgres
from caspers.clock import ManualClock
from caspers.errors import Unavailable
from caspers.review.intake import Intake
from caspers.worker.step import StepContext, StepOutcome
from refund_manager.cases_intake import case_intake

from tests.support.refunds import NOW, arrive, recommendations, take_in, usual


def cases(database: Postgres, columns: str = "*") -> list[Any]:
    with database.connection() as connection:
        return connection.execute(
            f"SELECT {columns} FROM refunds.cases ORDER BY order_id".encode()
        ).fetchall()


def step(intake: Intake, clock: ManualClock) -> StepOutcome:
    return intake.step({}, StepContext(1, clock, lambda _: None))


def test_every_recommendation_becomes_one_case(database: Postgres):
    arrive(database, recommendations(7_000))
    take_in(database)
    take_in(database)
    assert len(cases(database)) == 7_000


def test_a_changed_recommendation_gives_a_pending_case_a_new_version(database: Postgres):
    arrive(database, [usual("a")])
    take_in(database)
    arrive(database, [usual("a", refund_usd=7, ts=NOW + timedelta(seconds=1))])
    take_in(database)
    assert cases(database, "version, refund_usd") == [(2, 7)]


def test_a_worker_that_was_restarted_tells_of_all_its_cases(database: Postgres):
    arrive(database, recommendations(3))
    take_in(database)
    restarted = case_intake(database)
    assert step(restarted, ManualClock(NOW)).progress["cases"] == 3
    arrive(database, [usual("one more")])
    assert step(restarted, ManualClock(NOW)).progress["cases"] == 4


def test_a_decided_case_keeps_its_decision_and_notes_what_is_newer(database: Postgres):
    arrive(database, [usual("a")])
    take_in(database)
    with database.transaction() as writer:
        writer.execute("UPDATE refunds.cases SET status = 'decided', final_usd = 5, final_class = 'partial'")
    arrive(database, [usual("a", refund_usd=7, ts=NOW + timedelta(seconds=1))])
    take_in(database)
    newer = NOW + timedelta(seconds=1)
    assert cases(database, "version, refund_usd, final_usd, newer_at") == [(1, 5, 5, newer)]


def test_a_row_that_arrives_long_after_its_moment_is_found_by_the_patrol(database: Postgres):
    clock, intake = ManualClock(NOW), case_intake(database)
    arrive(database, [usual("b")])
    step(intake, clock)
    arrive(database, [usual("a", ts=NOW - timedelta(days=30))])
    step(intake, clock)
    assert len(cases(database)) == 1
    clock.advance(6)
    step(intake, clock)
    assert len(cases(database)) == 2


def test_a_row_a_little_behind_the_newest_moment_is_found_at_once(database: Postgres):
    clock, intake = ManualClock(NOW), case_intake(database)
    arrive(database, [usual("b")])
    step(intake, clock)
    arrive(database, [usual("a", ts=NOW - timedelta(seconds=3))])
    step(intake, clock)
    assert len(cases(database)) == 2


@pytest.mark.parametrize(
    "odd",
    [
        {"refund_class": "enormous"},
        {"refund_usd": -1},
        {"refund_usd": None},
        {"refund_usd": 0},
        {"origin": "somebody"},
        {"refund_class": None},
    ],
    ids=str,
)
def test_what_no_agent_may_say_becomes_an_error_and_no_amount(database: Postgres, odd: dict[str, Any]):
    arrive(database, [usual("a", **odd), usual("b")])
    take_in(database)
    assert cases(database, "origin, refund_usd, refund_class")[0] == ("error", None, None)
    assert len(cases(database)) == 2


def test_a_step_without_the_synced_table_says_what_is_missing(database: Postgres):
    with database.transaction() as writer:
        writer.execute("DROP TABLE recommender.pg_recommendations")
    with pytest.raises(Unavailable, match="pg_recommendations is not there yet"):
        step(case_intake(database), ManualClock(NOW))


def test_live_pages_are_told_when_cases_arrive(database: Postgres):
    with database.listen("refund_cases") as listening:
        arrive(database, recommendations(3))
        take_in(database)
        told = list(listening.notifies(timeout=5, stop_after=1))
    assert [message.payload for message in told] == ["3"]


def test_counts_follow_every_change_and_stay_right_when_folded(database: Postgres):
    clock, intake = ManualClock(NOW), case_intake(database)
    arrive(database, recommendations(300))
    step(intake, clock)
    with database.transaction() as writer:
        writer.execute("UPDATE refunds.cases SET status = 'decided', final_usd = 1 WHERE location_id = 1")
        writer.execute("DELETE FROM refunds.cases WHERE location_id = 2")
    for _ in range(2):
        clock.advance(10)
        with database.reading() as reader:
            counted = reader.rows("SELECT status, sum(cases) FROM refunds.case_counts GROUP BY 1 ORDER BY 1")
            really = reader.rows("SELECT status, count(*) FROM refunds.cases GROUP BY 1 ORDER BY 1")
        assert [tuple(kind) for kind in counted] == [tuple(kind) for kind in really]
        step(intake, clock)
        with database.transaction() as writer:
            writer.execute("DELETE FROM refunds.cases WHERE location_id = 2")
