from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from replayer.virtual_time import DAY_S, Anchor, VirtualClock, next_position_of

BEGAN = datetime(2026, 11, 21, 9, 30, 15, 250_000, tzinfo=UTC)
seconds = st.floats(0, 1e6)
rates = st.floats(0.001, 1e6)


def clock(rate: float = 60, *, wound_s: float = 1e9) -> VirtualClock:
    return VirtualClock(position=1_000, since=0, rate=rate, wound_s=wound_s)


def test_the_first_run_ends_at_the_start_day_plus_time_of_day():
    anchor = Anchor(BEGAN, start_day=70)
    assert anchor.first_position == 70 * DAY_S + 9 * 3600 + 30 * 60 + 15
    assert anchor.moment_of(70 * DAY_S) == datetime(2026, 11, 21, tzinfo=UTC)
    assert anchor.moment_of(0) == datetime(2026, 9, 12, tzinfo=UTC)


@given(st.integers(0, 10**9))
def test_positions_and_moments_are_each_others_inverse(position: int):
    anchor = Anchor(BEGAN, start_day=70)
    assert anchor.position_of(anchor.moment_of(position)) == position


@given(rates, rates, seconds, seconds)
def test_changing_the_speed_never_moves_the_position(before: float, after: float, when: float, later: float):
    running = clock(before)
    changed = running.wind(when, 1e9, after)
    assert changed.at(when) == running.at(when)
    assert changed.at(when + later) >= changed.at(when)


@given(seconds, seconds)
def test_a_clock_never_goes_back_even_if_real_time_does(one: float, other: float):
    wound = clock().wind(one, 1e9, 60)
    assert wound.at(other) >= clock().at(one) or other >= one


def test_a_paused_clock_stands_still_until_it_is_resumed():
    paused = clock().pause(10)
    assert paused.at(10) == paused.at(500) == 1_600
    assert paused.resume(500).at(501) == 1_660


def test_a_clock_that_nobody_winds_stops_by_itself():
    wound = clock(wound_s=20)
    assert wound.at(20) == wound.at(9_999) == 1_000 + 20 * 60
    assert wound.wind(9_999, 20, 60).at(10_000) == 1_000 + 21 * 60


def test_running_until_a_moment_ends_exactly_there_and_pauses():
    running = clock().pause(0).run_until(1_090, 0)
    assert running.at(1) == 1_060
    assert running.at(100) == 1_090
    arrived = running.wind(100, 1e9, 60)
    assert arrived.paused
    assert arrived.resume(200).at(201) == 1_150


def test_a_jump_goes_forward_at_once_and_never_back():
    assert clock().jump(5_000, 10).at(10) == 5_000
    assert clock().jump(5, 10).at(10) == 1_600


@given(st.integers(0, 2 * DAY_S - 1), st.integers(0, 100 * DAY_S))
def test_a_sought_second_comes_next_in_this_loop_or_the_next(second: int, position: int):
    there = next_position_of(second, position, 2 * DAY_S)
    assert there % (2 * DAY_S) == second
    assert position <= there < position + 2 * DAY_S
