"""The worker against a real Postgres: orders, reports, failures, copies, and bad days."""

import threading
from collections.abc import Iterator

import pytest
from caspers.clients.postgres import Postgres
from caspers.clock import SystemClock
from caspers.errors import Invalid, Unavailable
from caspers.worker.loop import WorkerLoop
from caspers.worker.orders import SCHEMA
from caspers.worker.step import StepContext

from tests.caspers.crew import BRISK, PATIENT, Crew, Tally
from tests.support.postgres import Cluster
from tests.support.waiting import wait_for


@pytest.fixture
def crew(database: Postgres) -> Iterator[Crew]:
    with Crew(database) as crew:
        yield crew


def test_a_worker_without_orders_starts_and_waits(crew: Crew):
    tally = Tally()
    crew.hire(tally)
    assert crew.wait("starting").generation == 0
    assert tally.steps == 0


def test_orders_given_before_the_worker_started_are_found(crew: Crew):
    orders = crew.order("running", speed=60)
    crew.hire(Tally(), pace=PATIENT)
    report = crew.wait("idle")
    assert (report.generation, report.progress) == (orders.generation, {"steps": 1, "speed": 60})


def test_new_orders_arrive_by_notification_long_before_polling(crew: Crew):
    crew.hire(Tally(), pace=PATIENT)
    crew.wait("starting")
    first = crew.order("running", speed=60)
    crew.wait("idle", generation=first.generation)
    second = crew.order("running", speed=120)
    assert crew.wait("idle", generation=second.generation).progress["speed"] == 120


def test_a_missed_notification_is_made_good_by_polling(crew: Crew):
    crew.hire(Tally())
    crew.wait("starting")
    with crew.database.transaction() as writer:
        writer.execute(
            "INSERT INTO control.worker_orders (worker, desired, generation, parameters) VALUES ('replay', 'running', 7, '{}')"
        )
    crew.wait("idle", generation=7)


def test_a_killed_listener_comes_back_and_hears_again(crew: Crew):
    crew.hire(Tally(), pace=PATIENT)
    wait_for(lambda: _kill_listeners(crew), what="a listener was there to be killed")
    crew.order("running")
    crew.wait("idle")


def _kill_listeners(crew: Crew) -> int:
    with crew.database.transaction() as writer:
        killed = writer.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
    return len(killed)


def test_orders_to_stop_end_the_step_in_hand(crew: Crew):
    tally = Tally(lambda context: context.wait(60))
    crew.hire(tally, pace=PATIENT)
    crew.order("running")
    crew.wait("running")
    orders = crew.order("stopped")
    crew.wait("stopped", generation=orders.generation)
    assert tally.at_once == 0


def test_repeating_the_same_orders_leaves_the_step_alone(crew: Crew):
    done = threading.Event()
    interrupted: list[bool] = []

    def act(context: StepContext) -> None:
        done.wait(10)
        interrupted.append(context.interrupted)

    loop = crew.hire(Tally(act), pace=PATIENT)
    crew.order("running", speed=60)
    crew.wait("running")
    again = crew.order("running", speed=60)
    wait_for(lambda: loop.orders == again, what="the loop has read the repeated orders")
    done.set()
    crew.wait("idle", generation=again.generation)
    assert interrupted == [False, False]


def test_a_wake_during_a_step_brings_one_more(crew: Crew):
    release = threading.Event()
    tally = Tally(lambda _: release.wait(10))
    loop = crew.hire(tally, pace=PATIENT)
    crew.order("running")
    crew.wait("running")
    loop.wake()
    release.set()
    wait_for(lambda: tally.steps == 2, what="a second step was taken")


def test_a_step_that_cannot_reach_something_backs_off_and_says_so(crew: Crew):
    away = threading.Event()
    away.set()

    def act(_: StepContext) -> None:
        if away.is_set():
            raise Unavailable("the warehouse does not answer")

    tally = Tally(act)
    crew.hire(tally)
    crew.order("running")
    assert crew.wait("backing_off").last_error == "the warehouse does not answer"
    away.clear()
    assert crew.wait("idle").last_error is None
    assert tally.steps > 1


@pytest.mark.parametrize(
    "error", [Invalid("no such column", what_now="Check the dataset."), ZeroDivisionError("0/0")]
)
def test_any_other_failure_is_reported_and_tried_again_at_the_interval(crew: Crew, error: Exception):
    def act(_: StepContext) -> None:
        raise error

    tally = Tally(act)
    crew.hire(tally)
    crew.order("running")
    said = {"no such column. Check the dataset.", "ZeroDivisionError: 0/0"}
    assert crew.wait("failed").last_error in said
    wait_for(lambda: tally.steps >= 3, what="the step is tried again and again")


def test_heartbeats_and_progress_keep_coming_while_a_step_runs(crew: Crew):
    def act(context: StepContext) -> None:
        context.tell({"done": 0.5})
        context.wait(60)

    crew.hire(Tally(act))
    crew.order("running")
    first = crew.wait("running")
    later = wait_for(
        lambda: (r := crew.report()) and r.heartbeat_at > first.heartbeat_at and r.progress and r,
        what="a heartbeat with the progress of the step in hand",
    )
    assert (later.observed, later.progress) == ("running", {"done": 0.5})
    assert later.since == first.since


def test_a_stop_requested_before_the_loop_starts_is_not_lost(database: Postgres):
    tally = Tally()
    loop = WorkerLoop("replay", tally, database, SystemClock(), pace=BRISK)
    loop.stop()
    loop.start()
    with Crew(database) as crew:
        crew.order("running")
        assert crew.report() is None
    assert tally.steps == 0


def test_stopping_ends_the_step_in_hand_and_says_goodbye(crew: Crew):
    tally = Tally(lambda context: context.wait(60))
    loop = crew.hire(tally)
    crew.order("running")
    crew.wait("running")
    assert loop.stop(grace_s=5)
    report = crew.wait("stopped")
    assert (tally.at_once, report.progress) == (0, {"steps": 1})


def test_a_step_that_will_not_end_keeps_the_lease(crew: Crew):
    release = threading.Event()
    stubborn = Tally(lambda _: release.wait(20))
    loop = crew.hire(stubborn)
    crew.order("running")
    crew.wait("running")
    assert not loop.stop(grace_s=0.2)
    heir = crew.hire(Tally())
    wait_for(lambda: heir.standby, what="the second copy waits")
    release.set()
    assert loop.stop(grace_s=5)
    wait_for(lambda: not heir.standby, what="the second copy works")


def test_two_copies_never_step_at_once_and_one_inherits(crew: Crew):
    tally = Tally(lambda context: context.wait(0.05))
    copies = [crew.hire(tally), crew.hire(tally)]
    crew.order("running")
    wait_for(lambda: any(copy.standby for copy in copies), what="one copy waits")
    wait_for(lambda: tally.steps > 3, what="the other copy steps")
    working = next(copy for copy in copies if not copy.standby)
    working.stop()
    before = tally.steps
    wait_for(lambda: tally.steps > before + 2, what="the heir steps")
    assert tally.most_at_once == 1


def test_a_lost_lease_interrupts_the_step_until_it_is_regained(crew: Crew):
    tally = Tally(lambda context: context.wait(60))
    crew.hire(tally)
    crew.order("running")
    crew.wait("running")
    with crew.database.transaction() as writer:
        writer.rows("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    wait_for(lambda: tally.steps >= 2, what="the step ended and another began under a new lease")
    assert tally.most_at_once == 1


def test_workers_do_not_hear_the_orders_of_others(crew: Crew):
    replay, canonical = Tally(), Tally()
    crew.hire(replay)
    crew.hire(canonical, name="canonical_data")
    crew.order("running", "canonical_data")
    wait_for(lambda: canonical.steps > 0, what="the worker that was meant steps")
    assert replay.steps == 0


def test_a_database_that_goes_away_kills_no_worker():
    cluster = Cluster().start(SCHEMA)
    try:
        database = cluster.open(cluster.new_database())
        with Crew(database) as crew:
            tally = Tally()
            loop = crew.hire(tally)
            crew.order("running")
            crew.wait("idle")
            cluster.stop()
            wait_for(lambda: loop.report.observed == "backing_off", what="the worker notices")
            before = tally.steps
            cluster.start()
            wait_for(lambda: tally.steps > before, what="the worker steps again")
            crew.wait("idle")
        database.close()
    finally:
        cluster.remove()
