from collections import Counter
from pathlib import Path

import pytest
from caspers.errors import Conflict
from replayer.replay import InvalidOrders, NotBegun
from replayer.watermark import InvalidState
from replayer.windows import Window

from tests.replayer.stage import Stage
from tests.support.datasets import REFERENCE, FolderFiles, event, generated, write_events


def small(tmp_path: Path) -> Path:
    """Two days with two orders; the second is delivered half an hour past the end."""
    folder = tmp_path / "small"
    folder.mkdir()
    rows = [event("A", 1, 0), event("A", 8, 1_700, 1), event("B", 1, 172_000), event("B", 8, 174_600, 1)]
    write_events(folder / "events.parquet", rows)
    return folder


def test_the_first_run_reaches_the_start_day_plus_time_of_day(tmp_path: Path):
    stage = Stage(tmp_path, generated(), start_day=1)
    stage.run()
    wanted = stage.replay.scene.dataset.timeline.count(Window(0, 86_400 + 10 * 3_600))
    events = stage.events.events()
    assert len(events) == len({e["event_id"] for e in events}) == wanted
    assert max(e["ts"] for e in events) < "2026-11-21 10:00:00"
    assert min(e["ts"] for e in events) >= "2026-11-20 00:00:00"


def test_loops_repeat_whole_orders_with_a_suffix_and_rising_time(tmp_path: Path):
    stage = Stage(tmp_path, small(tmp_path), start_day=5)
    stage.run()
    orders = Counter(e["order_id"] for e in stage.events.events())
    assert orders == {"A": 2, "B": 2, "A-L1": 2, "B-L1": 2, "A-L2": 2}
    in_time = sorted(stage.events.events(), key=lambda e: e["ts"])
    assert [e["order_id"] for e in in_time][:6] == ["A", "A", "B", "A-L1", "A-L1", "B"]


def test_live_windows_meet_and_files_sort_by_time(tmp_path: Path):
    stage = Stage(tmp_path, generated())
    for seconds in (0, 7, 0.3, 61, 5):
        stage.run(seconds=seconds)
    assert stage.replay.watermark.position == 86_400 + 36_000 + int(73.3 * 60)
    moments = [event["ts"] for event in stage.events.events()]
    assert moments == sorted(moments)


def test_one_event_per_file_gives_one_file_per_event(tmp_path: Path):
    stage = Stage(tmp_path, small(tmp_path), events_per_file=1)
    stage.run()
    assert [len(stage.events.folder.joinpath(n).read_bytes().splitlines()) for n in stage.events.names()] == [
        1,
        1,
    ]


def test_another_start_day_or_speed_never_moves_the_anchor(tmp_path: Path):
    Stage(tmp_path, generated(), start_day=1).run()
    later = Stage(tmp_path, generated(), start_day=0, speed=3_600)
    later.run()
    assert later.replay.watermark.position == 86_400 + 36_000
    later.run(seconds=1)
    assert later.replay.watermark.position == 86_400 + 36_000 + 3_600


def test_a_restart_picks_up_where_the_replay_was(tmp_path: Path):
    before = Stage(tmp_path, generated())
    before.run()
    before.run(seconds=30)
    after = Stage(tmp_path, generated())
    after.clock.advance(86_400)
    after.run()
    assert after.replay.watermark == before.replay.watermark


def test_the_digest_is_the_same_however_time_was_cut(tmp_path: Path):
    once = Stage(tmp_path / "once", generated(), speed=600)
    once.run()
    once.run(seconds=100)
    often = Stage(tmp_path / "often", generated(), speed=600, events_per_file=700)
    often.run()
    for _ in range(25):
        often.run(seconds=4)
    assert often.replay.watermark.position == once.replay.watermark.position
    assert often.replay.watermark.digest == once.replay.watermark.digest
    assert sorted(often.events.lines()) == sorted(once.events.lines())


def test_pause_speed_and_jumps_leave_the_digest_as_it_is(tmp_path: Path):
    straight, winding = (Stage(tmp_path / name, generated()) for name in ("straight", "winding"))
    straight.run()
    straight.run(seconds=7_200 / 60)
    winding.run()
    winding.controls.pause()
    winding.run(seconds=1_000)
    winding.controls.step("minutes", 37)
    winding.run(seconds=1_000)
    winding.speed = 1
    winding.controls.resume()
    winding.run()
    winding.run(seconds=180)
    winding.speed = 3_600
    winding.run()
    winding.replay.change_clock(lambda clock, now: clock.run_until(86_400 + 43_200, now))
    winding.run(seconds=3_000)
    assert winding.replay.watermark.position == straight.replay.watermark.position
    assert winding.replay.watermark.digest == straight.replay.watermark.digest


def test_another_dataset_under_a_begun_replay_is_refused(tmp_path: Path):
    Stage(tmp_path, generated()).run()
    with pytest.raises(Conflict, match="began with another dataset"):
        Stage(tmp_path, small(tmp_path)).step()


def test_rubbish_in_a_state_file_stops_the_replay_with_a_sentence(tmp_path: Path):
    Stage(tmp_path, generated()).run()
    FolderFiles(tmp_path / "misc").write("_watermark", b'{"position": "soon"}')
    with pytest.raises(InvalidState, match="_watermark does not hold what it should"):
        Stage(tmp_path, generated()).step()


def test_orders_without_sense_are_refused_with_their_names(tmp_path: Path):
    with pytest.raises(InvalidOrders, match=r"speed_multiplier: .*0 is not positive"):
        Stage(tmp_path, generated(), speed=0).step()


def test_controls_before_the_beginning_say_so(tmp_path: Path):
    with pytest.raises(NotBegun):
        Stage(tmp_path, generated()).controls.pause()


def test_a_dataset_that_nobody_here_made_lands_completely(tmp_path: Path):
    if not REFERENCE.exists():
        pytest.skip(f"there is no dataset of somebody else's at {REFERENCE}")
    stage = Stage(tmp_path, REFERENCE, start_day=4)
    stage.run()
    events = [event for event in stage.events.events() if "-L" not in event["order_id"]]
    assert len(events) == len({event["event_id"] for event in events}) == 33_057
    assert Counter(event["event_type"] for event in events)["delivered"] == 2_263
