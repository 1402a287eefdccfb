from pathlib import Path

import pytest
from caspers.errors import CaspersError, Conflict, Invalid
from replayer.controls import read_place

from tests.replayer.stage import Stage
from tests.support.datasets import generated


def begun(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path, generated(), start_day=0)
    stage.run()
    return stage


def ids(stage: Stage) -> list[str]:
    return [e["event_id"] for e in stage.events.events()]


def test_a_step_to_the_next_event_writes_only_its_second(tmp_path: Path):
    stage = begun(tmp_path)
    before = len(ids(stage))
    stage.controls.step("event")
    stage.run(seconds=500)
    new = stage.events.events()[before:]
    assert len({e["ts"] for e in new}) == 1
    assert stage.replay.clock.paused


def test_a_step_to_the_next_order_ends_with_that_order(tmp_path: Path):
    stage = begun(tmp_path)
    before = len(ids(stage))
    stage.controls.step("order")
    stage.run()
    new = sorted(stage.events.events()[before:], key=lambda e: e["ts"])
    assert [e["event_type"] for e in new].count("order_created") >= 1
    assert new[-1]["ts"] == max(e["ts"] for e in new if e["event_type"] == "order_created")


def test_a_seek_forward_catches_up_at_once(tmp_path: Path):
    stage = begun(tmp_path)
    stage.controls.seek(read_place(1, "18:30"))
    stage.run()
    assert stage.replay.watermark.position == 86_400 + 18 * 3_600 + 30 * 60
    assert max(e["ts"] for e in stage.events.events()) < "2026-11-22 18:30:00"


def test_a_seek_backward_opens_the_next_loop_and_repeats_nothing(tmp_path: Path):
    stage = begun(tmp_path)
    stage.controls.seek(read_place(0, "08:00"))
    stage.run()
    found = stage.events.events()
    assert stage.replay.watermark.position == 2 * 86_400 + 8 * 3_600
    assert len(set(ids(stage))) == len(found)
    assert max(found, key=lambda e: e["ts"])["order_id"].endswith("-L1")


def test_a_time_of_day_alone_means_the_next_time_the_clock_shows_it(tmp_path: Path):
    stage = begun(tmp_path)
    stage.controls.seek(read_place(None, "12:00"))
    assert stage.replay.clock.position == 43_200
    stage.controls.seek(read_place(None, "11:00"))
    assert stage.replay.clock.position == 86_400 + 39_600


def test_a_run_until_a_moment_pauses_exactly_there(tmp_path: Path):
    stage = begun(tmp_path)
    stage.controls.run_until(read_place(None, "2026-11-21T10:05:00"))
    stage.run(seconds=3)
    assert stage.replay.watermark.position == 10 * 3_600 + 180
    stage.run(seconds=600)
    stage.run(seconds=600)
    assert stage.replay.watermark.position == 10 * 3_600 + 300
    assert stage.replay.clock.paused


def test_a_pause_and_a_target_survive_a_restart(tmp_path: Path):
    stage = begun(tmp_path)
    stage.controls.pause()
    stage.controls.seek(read_place(1, None))
    after = Stage(tmp_path, generated(), start_day=0)
    after.run(seconds=900)
    assert after.replay.clock.paused
    assert after.replay.watermark.position == 86_400


@pytest.mark.parametrize(
    ("day", "at", "error", "words"),
    [
        (None, None, Invalid, "nowhere is named"),
        (None, "soon", Invalid, "'soon' is no time"),
        (2, None, Invalid, "day 2 is not in the dataset"),
        (1, "2026-11-21T10:05:00", Invalid, "contradict each other"),
    ],
)
def test_a_place_that_is_nowhere_is_refused(
    tmp_path: Path, day: float | None, at: str | None, error: type[CaspersError], words: str
):
    stage = begun(tmp_path)
    with pytest.raises(error, match=words):
        stage.controls.seek(read_place(day, at))


def test_running_until_a_moment_that_has_passed_is_a_conflict(tmp_path: Path):
    with pytest.raises(Conflict, match="has passed"):
        begun(tmp_path).controls.run_until(read_place(None, "2026-11-21T09:00:00"))
