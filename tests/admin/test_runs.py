"""One run: its steps, its states, its log, and what they say together."""

import pytest
from admin.runs.run import LINES_KEPT, Run, RunOrder, Step
from caspers.clock import SystemClock


@pytest.fixture
def run() -> Run:
    made = Run("1", RunOrder("provision", ("One", "Two")), SystemClock())
    made.expect([Step("a", "One", "kind", "name"), Step("b", "Two", "kind", "name", needs=("a",))])
    return made


def test_steps_that_never_began_are_skipped_when_the_run_ends(run: Run):
    run.begin("a")
    run.finish("a", "failed", "no room", "Make room.")
    run.close("failed")
    detail = run.detail()
    assert [step.state for step in detail.steps] == ["failed", "skipped"]
    assert detail.stage_states == {"One": "failed", "Two": "skipped"}
    assert detail.steps[0].what_now == "Make room."


def test_a_run_counts_what_was_done_and_not_only_that(run: Run):
    for key in ("a", "b"):
        run.begin(key)
    run.decide("a", "create")
    run.finish("a", "done")
    run.decide("b", "keep")
    run.finish("b", "unchanged")
    assert run.summary().counts == {"created": 1, "unchanged": 1}


def test_the_critical_path_leads_through_what_was_waited_for(run: Run):
    for key in ("a", "b"):
        run.begin(key)
        run.finish(key, "done")
    assert run.detail().critical_path == ("a", "b")


def test_notes_and_ends_are_lines_of_the_log(run: Run):
    run.begin("a")
    run.note("a", "waiting for room")
    run.note("a", "waiting for room")
    run.finish("a", "failed", "no room")
    assert [(line.seq, line.level) for line in run.lines()] == [(1, "info"), (2, "error")]
    assert run.lines(1)[0].text.endswith("no room")


def test_a_log_that_is_cut_says_so_and_keeps_errors(run: Run):
    run.begin("a")
    for number in range(LINES_KEPT + 10):
        run.note("a", f"look {number}")
    run.finish("a", "failed", "no room")
    last = run.lines()[-2:]
    assert [line.level for line in last] == ["warning", "error"]
    assert len(run.lines()) == LINES_KEPT + 2


def test_a_cancelled_run_is_cancelling_until_it_is_over(run: Run):
    run.begin("a")
    run.cancel()
    assert (run.state, run.stop.is_set()) == ("cancelling", True)
    run.close("cancelled", "the run was cancelled")
    assert run.detail().steps[0].state == "cancelled"


def test_a_run_that_is_over_stays_as_it_ended(run: Run):
    run.close("succeeded")
    run.close("failed", "too late")
    run.cancel()
    assert (run.state, run.error) == ("succeeded", "")


def test_what_a_run_means_to_a_stage_names_what_failed(run: Run):
    run.begin("a")
    run.finish("a", "failed", "no room")
    run.close("failed")
    last = run.last_runs()["One"]
    assert (last.state, last.message, last.run_id) == ("failed", "no room", "1")
    assert last.ended is not None
