from threading import Event

import pytest
from admin.run_history import RunHistory
from admin.runs import AlreadyRunning, Run, RunOrder, Runs, Step
from caspers.clock import SystemClock
from caspers.errors import NotFound, Refused
from caspers.ids import new_id

from tests.support.waiting import wait_for


@pytest.fixture
def runs() -> Runs:
    return Runs(SystemClock(), new_id, RunHistory(lambda: None))


def until_cancelled(run: Run) -> None:
    run.expect([Step("a", "Stage", "kind", "name")])
    run.begin("a")
    run.stop.wait(30)
    run.close("cancelled")


def ended(runs: Runs, run: Run, state: str) -> bool:
    return runs.get(run.run_id)["state"] == state


def test_a_run_goes_on_in_the_background_until_it_succeeds(runs: Runs):
    run = runs.start(RunOrder("provision"), lambda run: run.close("succeeded"))
    wait_for(lambda: ended(runs, run, "succeeded"), what="the run succeeded")


def test_what_goes_wrong_unexpectedly_ends_up_in_the_run(runs: Runs):
    def refuse(_run: Run) -> None:
        raise Refused("not for you", what_now="Ask the owner.")

    run = runs.start(RunOrder("provision"), refuse)
    wait_for(lambda: ended(runs, run, "failed"), what="the run failed")
    assert runs.get(run.run_id)["error"] == "not for you. Ask the owner."


def test_a_second_run_is_refused_while_one_goes_on(runs: Runs):
    run = runs.start(RunOrder("provision"), until_cancelled)
    with pytest.raises(AlreadyRunning, match="goes on already"):
        runs.start(RunOrder("teardown"), until_cancelled)
    runs.cancel(run.run_id)
    wait_for(lambda: ended(runs, run, "cancelled"), what="the run was cancelled")


def test_the_end_of_the_process_stops_the_run_that_goes_on(runs: Runs):
    begun = Event()

    def work(run: Run) -> None:
        begun.set()
        until_cancelled(run)

    run = runs.start(RunOrder("provision"), work)
    assert begun.wait(10)
    runs.close(patience_s=10)
    assert ended(runs, run, "cancelled")


def test_steps_that_never_began_are_skipped_when_the_run_ends():
    run = Run("1", RunOrder("provision"), SystemClock())
    run.expect([Step("a", "Stage", "kind", "name"), Step("b", "Stage", "kind", "name")])
    run.begin("a")
    run.finish("a", "failed", "no room")
    run.close("failed")
    assert [step["state"] for step in run.as_json()["steps"]] == ["failed", "skipped"]


def test_the_last_success_is_the_newest_run_that_brought_something_about(runs: Runs):
    for action, days, state in (
        ("provision", 1, "succeeded"),
        ("provision", 2, "failed"),
        ("teardown", 3, "succeeded"),
    ):
        order = RunOrder(action, parameters={"days": days})
        run = runs.start(order, lambda run, state=state: run.close(state))
        wait_for(lambda run=run, state=state: ended(runs, run, state), what="the run ended")
    last = runs.last_success()
    assert last is not None
    assert last["parameters"] == {"days": 1}


def test_nothing_is_remembered_before_a_run_succeeded(runs: Runs):
    assert runs.last_success() is None


def test_an_unknown_run_is_not_found(runs: Runs):
    with pytest.raises(NotFound):
        runs.get("nobody")
