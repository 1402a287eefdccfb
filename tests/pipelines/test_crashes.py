"""Killed with kill -9 at any point, the pipeline goes on where its tables' logs end: nothing twice, nothing lost."""

import random
import threading
from pathlib import Path

import pytest
from local_workspace.api.pipelines.update_process import Runner

from tests.support.order_sums import gold, keyed, silver
from tests.support.pipelines import Event, PipelineFolder, item, lines, order, running_engine
from tests.support.waiting import wait_for

TABLES = 7
COMMITS_OF_A_FIRST_LOAD = TABLES + 6  # seven tables made; quarantine gets no rows


def _three_files(pipeline: PipelineFolder) -> list[Event]:
    events: list[Event] = []
    for number in range(3):
        new = [
            e
            for at in range(40)
            for e in order(f"o-{number}-{at}", 9_000 * at, items=[item(at % 5), item(7, price=1.25)])
        ]
        pipeline.put(f"{number}.json", lines(new))
        events += new
    return events


def _assert_exactly_once(pipeline: PipelineFolder, events: list[Event]) -> None:
    ids = [row["event_id"] for row in pipeline.rows("all_events")]
    assert len(ids) == len(set(ids)) == len(events)
    assert len(pipeline.rows("silver_order_items")) == len(silver(events))
    for table, expected in gold(events).items():
        assert keyed(table, pipeline.rows(table)) == expected, table


@pytest.mark.parametrize("commit", [TABLES, TABLES + 1, TABLES + 2, COMMITS_OF_A_FIRST_LOAD])
def test_a_kill_after_any_commit_of_a_first_load_is_repaired(pipeline: PipelineFolder, commit: int):
    events = _three_files(pipeline)
    with pipeline.killed_at_commit(commit) as runner:
        pipeline.update_apart(runner)
    assert pipeline.update().code == 0
    _assert_exactly_once(pipeline, events)


@pytest.mark.parametrize("commit", [1, 2, 4, 6])
def test_a_kill_after_any_commit_of_a_later_update_is_repaired(pipeline: PipelineFolder, commit: int):
    events = _three_files(pipeline)
    pipeline.update()
    new = order("late", 5) + order("new", 400_000)
    pipeline.put("more.json", lines(new))
    with pipeline.killed_at_commit(pipeline.commits() + commit) as runner:
        pipeline.update_apart(runner)
    pipeline.put("still-more.json", lines(order("newest", 500_000)))
    assert pipeline.update().code == 0
    _assert_exactly_once(pipeline, events + new + order("newest", 500_000))


def test_kills_at_random_moments_lose_and_double_nothing(pipeline: PipelineFolder):
    events = _three_files(pipeline)
    chance = random.Random(11)
    for _ in range(4):
        runner = Runner()
        threading.Timer(chance.uniform(0.8, 2.5), lambda runner=runner: runner.dismiss()).start()
        pipeline.update_apart(runner)
    assert pipeline.update().code == 0
    _assert_exactly_once(pipeline, events)


def test_a_full_refresh_that_is_killed_is_finished_by_the_next_update(pipeline: PipelineFolder):
    events = _three_files(pipeline)
    pipeline.update()
    with pipeline.killed_at_commit(pipeline.commits() + 5) as runner:
        pipeline.update_apart(runner, full_refresh=True)
    assert pipeline.update().code == 0
    _assert_exactly_once(pipeline, events)


def test_an_engine_that_is_killed_fails_the_update_and_doubles_nothing(tmp_path: Path):
    with running_engine(tmp_path / "engine") as engine:
        pipeline = PipelineFolder(tmp_path / "pipeline", engine.address)
        events = _three_files(pipeline)
        with pipeline.engine_killed_at_commit(TABLES + 1, engine) as runner:
            assert pipeline.update_apart(runner).code != 0
        wait_for(
            lambda: pipeline.update_apart(Runner()).code == 0,
            what="the engine is back and the update goes through",
        )
        _assert_exactly_once(pipeline, events)
