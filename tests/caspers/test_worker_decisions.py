"""What a worker does next, decided from facts alone."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from caspers.clients.backoff import Backoff
from caspers.errors import Conflict, Unavailable
from caspers.worker.decisions import (
    Aftermath,
    AwaitOrders,
    Leave,
    Pace,
    Rest,
    Situation,
    TakeLease,
    TakeStep,
    Wait,
    after_failure,
    after_success,
    decide,
)
from caspers.worker.states import WorkerOrders
from caspers.worker.step import StepOutcome
from hypothesis import given
from hypothesis import strategies as st

RUN = WorkerOrders("replay", "running", 3, {}, datetime(2026, 1, 1, tzinfo=UTC))
STOP = replace(RUN, desired="stopped")
#: Running, with the lease, orders followed, the next step due in ten seconds.
CALM = Situation(now_s=100, orders=RUN, holds_lease=True, followed=3, due_s=110)


@pytest.mark.parametrize(
    ("situation", "action"),
    [
        (CALM, Wait(10)),
        (replace(CALM, now_s=110), TakeStep(RUN)),
        (replace(CALM, asked=True), TakeStep(RUN)),
        (replace(CALM, followed=2), TakeStep(RUN)),
        (replace(CALM, followed=9), TakeStep(RUN)),
        (replace(CALM, holds_lease=False, asked=True), TakeLease()),
        (replace(CALM, orders=STOP), Rest(STOP)),
        (replace(CALM, orders=STOP, holds_lease=False, asked=True), Rest(STOP)),
        (replace(CALM, orders=None, asked=True), AwaitOrders()),
        (replace(CALM, stopping=True, asked=True), Leave()),
    ],
)
def test_the_action_follows_from_the_situation(situation: Situation, action: object):
    assert decide(situation) == action


@given(
    st.builds(
        Situation,
        now_s=st.floats(0, 1e6),
        stopping=st.booleans(),
        orders=st.sampled_from([None, RUN, STOP]),
        holds_lease=st.booleans(),
        followed=st.integers(0, 5),
        asked=st.booleans(),
        due_s=st.floats(0, 1e6),
    )
)
def test_no_step_is_ever_taken_without_orders_and_the_lease(situation: Situation):
    if isinstance(decide(situation), TakeStep):
        assert situation.holds_lease
        assert situation.orders == RUN
        assert not situation.stopping


@pytest.mark.parametrize(
    ("outcome", "aftermath"),
    [
        (StepOutcome(), Aftermath("idle", 160)),
        (StepOutcome(again=True), Aftermath("running", 100)),
        (StepOutcome(next_in_s=3), Aftermath("running", 103)),
        (StepOutcome(again=True, next_in_s=3), Aftermath("running", 100)),
    ],
)
def test_a_good_step_says_when_the_next_is_due(outcome: StepOutcome, aftermath: Aftermath):
    assert after_success(outcome, 100, Pace(interval_s=60)) == aftermath


def test_only_what_is_away_makes_the_worker_back_off():
    pace = Pace(interval_s=60, backoff=Backoff(first_s=1, ceiling_s=8, jitter=0))
    away = [after_failure(Unavailable("away"), n, 100, pace, Random(1)) for n in (1, 2, 3, 4, 5)]
    assert [(step.observed, step.due_s) for step in away] == [
        ("backing_off", 100 + s) for s in (1, 2, 4, 8, 8)
    ]
    wrong = after_failure(Conflict("taken", what_now="Choose another."), 5, 100, pace, Random(1))
    assert (wrong.observed, wrong.due_s, wrong.last_error) == ("failed", 160, "taken. Choose another.")


@given(st.integers(-5, 10_000), st.integers())
def test_a_delay_stays_between_nothing_and_the_ceiling(failures: int, seed: int):
    assert 0 < Backoff().delay_s(failures, Random(seed)) <= Backoff().ceiling_s
