"""Deciding: once per case, on what one has seen, undone by a new record, repeated without harm."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from caspers.clients.postgres import Postgres
from caspers.clock import ManualClock
from caspers.errors import Conflict, Invalid, NotFound
from caspers.review.claims import ClaimedByAnother
from caspers.review.decisions import AlreadyDecided, AlreadyUndone, Ballot, CaseChanged, KeyUsedTwice, TooLate
from caspers.review.rules import BreaksRule, NeedsAnotherPerson
from refund_manager.approval_rules import Asked
from refund_manager.desk import Desk, open_desk

from tests.support.refunds import NOW, arrive, take_in, usual

ACCEPT = Asked("accept")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def desk(database: Postgres, clock: ManualClock) -> Desk:
    """A desk with a usual case "a", an expensive one "big", and an unusable answer "odd"."""
    rows = [usual("a"), usual("big", refund_usd=150, order_total=200), usual("odd", origin="error")]
    arrive(database, rows)
    take_in(database)
    numbers = count(1)
    return open_desk(database, clock, lambda: str(UUID(int=next(numbers))))


def ballot(order_id: str = "a", version: int = 1, person: str = "ada", key: str | None = None) -> Ballot:
    return Ballot(order_id, version, person, key)


def case(desk: Desk, order_id: str = "a") -> Any:
    with desk.database.reading() as reader:
        return reader.row("SELECT * FROM refunds.cases WHERE order_id = :id", id=order_id)


def record(desk: Desk) -> list[tuple[Any, ...]]:
    with desk.database.reading() as reader:
        rows = reader.rows(
            "SELECT round, step, action, decided_by FROM refunds.refund_decisions ORDER BY entry"
        )
    return [tuple(row) for row in rows]


def test_accepting_records_what_the_agent_said_and_closes_the_case(desk: Desk):
    said = desk.decisions.decide(ballot(), ACCEPT).decision
    assert (said["refund_usd"], said["agent_usd"], said["agent_origin"], said["by"]) == (
        5,
        5,
        "rules",
        "person",
    )
    assert (case(desk).status, case(desk).final_usd, case(desk).version) == ("decided", 5, 2)


def test_the_second_decision_is_told_which_one_stands(desk: Desk):
    first = desk.decisions.decide(ballot(), ACCEPT).decision
    with pytest.raises(AlreadyDecided, match=r"ada decided this case .* accept, \$5\.00") as refusal:
        desk.decisions.decide(ballot(person="bob"), Asked("refuse", reason_code="goodwill"))
    assert refusal.value.winner == first
    assert len(record(desk)) == 1


def test_a_decision_on_an_old_version_is_refused(desk: Desk):
    arrive(desk.database, [usual("a", refund_usd=7, ts=NOW + timedelta(seconds=1))])
    take_in(desk.database)
    with pytest.raises(CaseChanged, match="version 2, shown 1"):
        desk.decisions.decide(ballot(), ACCEPT)


def test_a_case_that_somebody_works_on_is_not_decided_by_others(desk: Desk, clock: ManualClock):
    with desk.database.transaction() as writer:
        desk.claims.take(writer, "a", "bob", clock.now())
    with pytest.raises(ClaimedByAnother, match="bob works on this case"):
        desk.decisions.decide(ballot(), ACCEPT)
    clock.advance(181)
    assert desk.decisions.decide(ballot(), ACCEPT).new


def test_a_large_refund_waits_for_another_person(desk: Desk):
    desk.decisions.decide(ballot("big"), ACCEPT)
    assert case(desk, "big").status == "second"
    with pytest.raises(NeedsAnotherPerson):
        desk.decisions.decide(ballot("big", 2), Asked("confirm"))
    desk.decisions.decide(ballot("big", 2, "bob"), Asked("confirm"))
    assert (case(desk, "big").status, case(desk, "big").final_usd) == ("decided", 150)
    assert record(desk) == [(0, "first", "accept", "ada"), (0, "second", "confirm", "bob")]


def test_a_second_person_can_refuse_a_large_refund(desk: Desk):
    desk.decisions.decide(ballot("big"), ACCEPT)
    desk.decisions.decide(ballot("big", 2, "bob"), Asked("refuse", reason_code="repeated_claims"))
    assert (case(desk, "big").final_usd, case(desk, "big").final_class) == (0, "none")


def test_an_unusable_answer_cannot_be_accepted_but_changed(desk: Desk):
    with pytest.raises(BreaksRule, match="no usable answer"):
        desk.decisions.decide(ballot("odd"), ACCEPT)
    desk.decisions.decide(ballot("odd"), Asked("change", Decimal(20), reason_code="no_usable_answer"))
    assert case(desk, "odd").final_class == "full"


def test_the_same_request_with_the_same_key_gets_the_same_answer(desk: Desk):
    first = desk.decisions.decide(ballot(key="k"), ACCEPT)
    again = desk.decisions.decide(ballot(key="k"), ACCEPT)
    assert (first.new, again.new) == (True, False)
    assert again.decision == first.decision
    assert len(record(desk)) == 1


def test_a_key_with_another_request_is_refused(desk: Desk):
    desk.decisions.decide(ballot(key="k"), ACCEPT)
    with pytest.raises(KeyUsedTwice):
        desk.decisions.decide(ballot("odd", key="k"), Asked("refuse", reason_code="goodwill"))


def test_undoing_adds_a_record_and_opens_the_case_again(desk: Desk):
    said = desk.decisions.decide(ballot(), ACCEPT).decision
    undone = desk.decisions.undo(said["decision_id"], "bob", note="wrong order").decision
    assert undone["refers_to"] == said["decision_id"]
    assert (case(desk).status, case(desk).final_usd) == ("pending", None)
    desk.decisions.decide(ballot(version=3), ACCEPT)
    assert record(desk) == [
        (0, "first", "accept", "ada"),
        (0, "undo", "undo", "bob"),
        (1, "first", "accept", "ada"),
    ]


def test_what_is_undone_cannot_be_undone_again(desk: Desk):
    said = desk.decisions.decide(ballot(), ACCEPT).decision
    desk.decisions.undo(said["decision_id"], "bob")
    with pytest.raises(AlreadyUndone, match="bob has undone"):
        desk.decisions.undo(said["decision_id"], "ada")


def test_undoing_ends_after_ten_minutes(desk: Desk, clock: ManualClock):
    said = desk.decisions.decide(ballot(), ACCEPT).decision
    clock.advance(601)
    with pytest.raises(TooLate, match="within 10 minutes"):
        desk.decisions.undo(said["decision_id"], "ada")


def test_nobody_can_undo_what_does_not_exist(desk: Desk):
    with pytest.raises(NotFound):
        desk.decisions.undo(str(UUID(int=99)), "ada")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE refunds.refund_decisions SET refund_usd = 99",
        "DELETE FROM refunds.refund_decisions",
        "TRUNCATE refunds.refund_decisions",
    ],
)
def test_the_record_of_money_cannot_be_rewritten(desk: Desk, change: str):
    desk.decisions.decide(ballot(), ACCEPT)
    with pytest.raises(Invalid, match="append-only"), desk.database.transaction() as writer:
        writer.execute(change)  # pyright: ignore[reportArgumentType]  the literals above


def test_the_database_itself_refuses_a_second_payment(desk: Desk):
    desk.decisions.decide(ballot(), ACCEPT)
    with desk.database.transaction() as writer:
        writer.execute("UPDATE refunds.cases SET status = 'pending', version = 1")
    with pytest.raises(Conflict, match="money_is_decided_once"):
        desk.decisions.decide(ballot(), ACCEPT)


def test_deciding_throws_away_the_own_draft_only(desk: Desk):
    with desk.database.transaction() as writer:
        for person in ("ada", "bob"):
            writer.execute("INSERT INTO refunds.drafts VALUES ('a', :who, 1, '{}', now())", who=person)
    desk.decisions.decide(ballot(), ACCEPT)
    with desk.database.reading() as reader:
        assert [row.reviewer for row in reader.rows("SELECT reviewer FROM refunds.drafts")] == ["bob"]
