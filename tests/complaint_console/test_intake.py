"""From the synced table to the queue: every complaint once, what changed as a new version, rubbish as an escalation."""

from datetime import timedelta
from typing import Any

import pytest
from caspers.clients.postgres import Postgres
from caspers.clock import ManualClock
from caspers.errors import Unavailable
from caspers.worker.step import StepContext
from complaint_console.cases_intake import case_intake

from tests.support.complaints import NOW, arrive, escalated, responses, take_in, usual


def cases(database: Postgres, columns: str = "*") -> list[Any]:
    with database.connection() as connection:
        return connection.execute(
            f"SELECT {columns} FROM reviews.cases ORDER BY complaint_id".encode()
        ).fetchall()


def test_every_response_becomes_one_case(database: Postgres):
    arrive(database, responses(6_000))
    take_in(database)
    take_in(database)
    assert len(cases(database, "complaint_id")) == 6_000


def test_a_changed_response_gives_a_pending_case_a_new_version(database: Postgres):
    arrive(database, [usual("a")])
    take_in(database)
    arrive(database, [usual("a", credit_amount=7, ts=NOW + timedelta(seconds=1))])
    take_in(database)
    assert cases(database, "version, credit_usd") == [(2, 7)]


def test_a_decided_case_keeps_what_was_decided_and_notes_what_is_newer(database: Postgres):
    arrive(database, [usual("a")])
    take_in(database)
    with database.transaction() as writer:
        writer.execute("UPDATE reviews.cases SET status = 'decided', final_usd = 5")
    newer = NOW + timedelta(seconds=1)
    arrive(database, [usual("a", credit_amount=7, ts=newer)])
    take_in(database)
    assert cases(database, "version, credit_usd, final_usd, newer_at") == [(1, 5, 5, newer)]


@pytest.mark.parametrize(
    "odd",
    [
        {"decision": "give_everything"},
        {"decision": None},
        {"credit_amount": -1},
        {"credit_amount": None},
        {"credit_amount": 21},
        {"decision": "escalate", "priority": "whenever"},
        {"origin": "somebody"},
    ],
    ids=str,
)
def test_what_no_agent_may_say_becomes_an_escalation_and_no_credit(database: Postgres, odd: dict[str, Any]):
    arrive(database, [usual("a", **odd), usual("b")])
    take_in(database)
    said = cases(database, "origin, decision, credit_usd, priority")
    assert said[0] == ("error", "escalate", None, "standard")
    assert len(said) == 2


def test_a_step_without_the_synced_table_says_what_is_missing(database: Postgres):
    with database.transaction() as writer:
        writer.execute("DROP TABLE complaints.pg_complaint_responses")
    with pytest.raises(Unavailable, match="pg_complaint_responses is not there yet"):
        case_intake(database).step({}, StepContext(1, ManualClock(NOW), lambda _: None))


def test_counts_stay_right_through_changes_and_folding(database: Postgres):
    clock, intake = ManualClock(NOW), case_intake(database)
    arrive(database, [*responses(100), escalated("x", "urgent")])
    for _ in range(2):
        intake.step({}, StepContext(1, clock, lambda _: None))
        with database.transaction() as writer:
            writer.execute("UPDATE reviews.cases SET status = 'decided', final_usd = 1 WHERE location_id = 1")
        with database.reading() as reader:
            counted = reader.rows("SELECT status, sum(cases) FROM reviews.case_counts GROUP BY 1 ORDER BY 1")
            really = reader.rows("SELECT status, count(*) FROM reviews.cases GROUP BY 1 ORDER BY 1")
        assert [tuple(kind) for kind in counted] == [tuple(kind) for kind in really]
        clock.advance(10)
