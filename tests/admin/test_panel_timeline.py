"""A run as bars: where each lies on the axis, what was critical, what a stage's bar says of its steps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from admin.pages.run_timeline import LEAST_WIDTH, MOST_PARTS, timeline, worst
from admin.shapes import RunDetail, StepState, StepView

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _step(key: str, after_s: float | None = None, took_s: float | None = None, **more: object) -> StepView:
    started = None if after_s is None else BEGAN + timedelta(seconds=after_s)
    step = StepView(key, "One", "table", key, "done", "create", "", "", started, took_s)
    return replace(step, **more)


def _run(*steps: StepView, took_s: float | None = 100.0, critical: tuple[str, ...] = ()) -> RunDetail:
    return RunDetail(
        "r", "provision", None, ("One",), {}, "ada", "running" if took_s is None else "succeeded", "", "",
        BEGAN, took_s, None, 1, {}, {}, steps, critical,
    )  # fmt: skip


def test_a_bar_lies_where_its_step_was():
    row = timeline(_run(_step("a", 10, 25)), BEGAN).rows[0]
    assert row.steps[0].bar is not None
    assert (row.steps[0].bar.left, row.steps[0].bar.width) == (10, 25)


def test_a_stage_reaches_from_its_first_to_its_last_step():
    row = timeline(_run(_step("a", 10, 20), _step("b", 50, 30)), BEGAN).rows[0]
    assert row.bar is not None
    assert (row.bar.left, row.bar.width, row.took_s) == (10, 70, 70)


def test_what_still_goes_on_reaches_until_now():
    running = timeline(_run(_step("a", 10, state="running"), took_s=None), BEGAN + timedelta(seconds=20))
    bar = running.rows[0].bar
    assert running.seconds == 20
    assert bar is not None
    assert (bar.left, bar.width) == (50, 50)


def test_a_step_that_never_began_has_no_bar():
    row = timeline(_run(_step("a", state="skipped")), BEGAN).rows[0]
    assert row.bar is None
    assert row.steps[0].bar is None


def test_the_shortest_step_can_still_be_seen():
    row = timeline(_run(_step("a", 100, 0)), BEGAN).rows[0]
    assert row.bar is not None
    assert row.bar.width >= LEAST_WIDTH
    assert row.bar.left + row.bar.width <= 100


def test_critical_steps_are_marked_on_their_stage():
    row = timeline(_run(_step("a", 0, 10), _step("b", 0, 90), critical=("b",)), BEGAN).rows[0]
    assert [bar.width for bar in row.critical] == [90]


def test_stages_stand_in_the_order_of_the_run():
    run = _run(_step("b", 0, 1, stage="Two"), _step("a", 1, 1), _step("c", 2, 1, stage="Two"))
    assert [row.stage for row in timeline(run, BEGAN).rows] == ["Two", "One"]


@pytest.mark.parametrize("seconds", [0.0, 0.3, 7, 59, 61, 75, 3_000, 90_000])
def test_the_axis_has_few_marks_and_begins_at_nought(seconds: float):
    ticks = timeline(_run(took_s=seconds), BEGAN).ticks
    assert 1 <= len(ticks) <= MOST_PARTS + 1
    assert ticks[0].left == 0
    assert all(0 <= tick.left <= 100 for tick in ticks)


@pytest.mark.parametrize(
    ("states", "says"),
    [
        (["done", "failed"], "failed"),
        (["unchanged", "done"], "done"),
        (["running", "done"], "running"),
        ([], "waiting"),
    ],
)
def test_the_worst_of_a_stages_steps_speaks_for_it(states: list[StepState], says: StepState):
    assert worst(states) == says
