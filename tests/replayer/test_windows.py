from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from replayer.windows import RowRange, Timeline, Window, cut_into_files, order_suffix

LENGTH_S = 100
#: A dataset of 100 s whose last events lie up to 150 s past its end.
event_seconds = st.lists(st.integers(0, 250), min_size=1, max_size=40).map(sorted)


def timeline(seconds: list[int]) -> Timeline:
    return Timeline(np.array(seconds), np.array(seconds[:1]), LENGTH_S)


def rows_in(line: Timeline, window: Window) -> list[tuple[int, int]]:
    return [(part.loop, row) for part in line.row_ranges(window) for row in range(part.start, part.stop)]


@given(event_seconds, st.lists(st.integers(0, 1_000), max_size=20))
def test_every_event_of_every_loop_is_in_exactly_one_window(seconds: list[int], cuts: list[int]):
    line = timeline(seconds)
    edges = sorted({0, *cuts, 1_000})
    found = [row for start, end in pairwise(edges) for row in rows_in(line, Window(start, end))]
    wanted = [(n, row) for n in range(10) for row, s in enumerate(seconds) if n * LENGTH_S + s < 1_000]
    assert sorted(found) == sorted(wanted)


@given(event_seconds, st.integers(1, 10))
def test_windows_meet_and_hold_no_more_than_asked(seconds: list[int], most: int):
    line = timeline(seconds)
    watermark, target = 0, 400
    while window := line.next_window(watermark, target, most):
        assert window.start == watermark < window.end <= target
        one_second = line.next_event(window.start) + 1
        assert line.count(window) <= most or window.end == one_second
        watermark = window.end
    assert watermark == target


def test_the_first_second_of_the_dataset_is_included():
    assert rows_in(timeline([0, 1]), Window(0, 1)) == [(0, 0)]


def test_events_past_the_end_keep_their_loop_beside_the_next():
    line = timeline([0, 99, 103])
    assert rows_in(line, Window(100, 110)) == [(0, 2), (1, 0)]
    assert [order_suffix(loop) for loop in (0, 1, 12)] == ["", "-L1", "-L12"]


def test_there_is_no_window_where_time_did_not_go_on():
    assert timeline([0]).next_window(50, 50.9, 10) is None


@given(event_seconds, st.integers(0, 500))
def test_the_next_event_is_the_first_one_not_before(seconds: list[int], position: int):
    times = sorted(n * LENGTH_S + s for n in range(10) for s in seconds)
    assert timeline(seconds).next_event(position) == next(time for time in times if time >= position)


@given(st.lists(st.integers(1, 30), max_size=5), st.integers(1, 12))
def test_files_hold_all_rows_in_order_and_are_full_but_the_last(sizes: list[int], events_per_file: int):
    ranges = [RowRange(loop, 0, size) for loop, size in enumerate(sizes)]
    files = cut_into_files(ranges, events_per_file)
    flat = [(part.loop, row) for parts in files for part in parts for row in range(part.start, part.stop)]
    assert flat == [(loop, row) for loop, size in enumerate(sizes) for row in range(size)]
    assert all(sum(part.rows for part in parts) == events_per_file for parts in files[:-1])
