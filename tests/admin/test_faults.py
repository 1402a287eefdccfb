"""The platform has bad days, and two admins may work at once: runs still complete, and a teardown leaves nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.admin.small_demo import SmallDemo, small_demo
from tests.support.bad_days import EVERY_CALL_REFUSED_ONCE, faults
from tests.support.workspace import LocalWorkspace

MOST_RUNS = 25
BAD_DAYS: dict[str, dict[str, Any]] = {
    "too many requests": EVERY_CALL_REFUSED_ONCE,
    "failed after the effect": {"fault": "answer", "when": "after", "status": 500, "times": 8},
    "failed before the effect": {"fault": "answer", "status": 500, "times": 4, "skip": 2},
    "answers lost": {"fault": "lose", "when": "after", "times": 4, "skip": 1},
    "exists already": {"fault": "repeat", "method": "POST", "path": "/(schemas|volumes|apps|pipelines|create)$", "times": 5},
}  # fmt: skip


@pytest.fixture
def demo(workspace: LocalWorkspace, tmp_path: Path) -> Iterator[SmallDemo]:
    made = small_demo(workspace, tmp_path)
    yield made
    if made.left(workspace.client):
        made.run("teardown")


@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_bad_day_costs_repeats_and_nothing_else(demo: SmallDemo, workspace: LocalWorkspace, day: str):
    with faults(workspace, BAD_DAYS[day]):
        demo.run_until_it_succeeds("provision", at_most=MOST_RUNS)
    with faults(workspace) as quiet:
        demo.run("provision")
        assert quiet.calls() == []
    with faults(workspace, BAD_DAYS[day]):
        demo.run_until_it_succeeds("teardown", at_most=MOST_RUNS)
    assert demo.left(workspace.client) == []


def test_two_admins_that_bring_it_about_at_once_end_with_one_demo(demo: SmallDemo, workspace: LocalWorkspace):
    both = [demo.start("provision"), demo.start("provision")]
    for process in both:
        process.join()
    demo.run("provision")
    with faults(workspace) as day:
        demo.run("provision")
        assert day.calls() == []
    demo.run("teardown")
    assert demo.left(workspace.client) == []


def test_one_admin_tears_down_what_another_makes_and_nothing_stays(
    demo: SmallDemo, workspace: LocalWorkspace
):
    both = [demo.start("provision"), demo.start("teardown")]
    for process in both:
        process.join()
    demo.run("provision")
    demo.run("teardown")
    assert demo.left(workspace.client) == []
