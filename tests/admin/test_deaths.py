"""The admin is killed at each of its calls to the platform; the next run completes, and a teardown leaves nothing."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.admin.small_demo import Act, SmallDemo, kill, small_demo
from tests.support.bad_days import Day, faults
from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

MOST_DEATHS = 150
PARALLEL_SEEDS = range(3)


@pytest.fixture
def demo(workspace: LocalWorkspace, tmp_path: Path) -> Iterator[SmallDemo]:
    made = small_demo(workspace, tmp_path)
    yield made
    if made.left(workspace.client):
        made.run("teardown")


def die_at_every_call(demo: SmallDemo, act: Act, day: Day) -> list[str]:
    """Kill each run right after the first call it makes that changes something and that no run died of yet.

    One step at a time, so that what is left after one call is what is there before the next: both deaths in one.
    """
    day.mark()
    day.stands({"fault": "hold", "when": "after", "each": True})
    for _ in range(MOST_DEATHS):
        process = demo.start(act, parallel=1)
        wait_for(
            lambda process=process: day.holding() or not process.is_alive(),
            seconds=60,
            what="a call or the end",
        )
        if not day.holding():
            process.join()
            assert process.exitcode == 0
            return [str(call) for call in day.calls() if call.fault]
        kill(process)
        wait_for(lambda: not day.holding(), what="the end of the held call")
    raise AssertionError(f"no end after {MOST_DEATHS} deaths: {[str(call) for call in day.calls()][-5:]}")


def test_killed_at_every_call_the_demo_still_comes_about_and_goes(demo: SmallDemo, workspace: LocalWorkspace):
    with faults(workspace) as day:
        deaths = die_at_every_call(demo, "provision", day)
        assert len(deaths) >= len(demo.stages()[1].resources)
        day.mark()
        demo.run("provision")
        assert day.calls() == []
        deaths = die_at_every_call(demo, "teardown", day)
        assert len(deaths) >= 5
    assert demo.left(workspace.client) == []


@pytest.mark.parametrize("seed", PARALLEL_SEEDS)
def test_killed_anywhere_a_teardown_leaves_nothing(demo: SmallDemo, workspace: LocalWorkspace, seed: int):
    chance = random.Random(seed)
    for act in ("provision", "teardown"):
        rule = {"fault": "hold", "when": chance.choice(["before", "after"]), "skip": chance.randrange(12)}
        with faults(workspace, rule) as day:
            process = demo.start(act)
            wait_for(
                lambda process=process, day=day: day.fired() or not process.is_alive(),
                seconds=60,
                what="death",
            )
            kill(process)
    demo.run("teardown")
    assert demo.left(workspace.client) == []


def test_killed_at_every_call_about_lakebase_nothing_is_lost_or_left(
    demo: SmallDemo, workspace: LocalWorkspace
):
    demo.run("provision")
    larger = replace(demo, with_lakebase=True)
    with faults(workspace) as day:
        assert len(die_at_every_call(larger, "provision", day)) >= 3
    larger.run("teardown")
    assert larger.left(workspace.client) == []
