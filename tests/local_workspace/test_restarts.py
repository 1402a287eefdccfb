"""The pauses before something is started again."""

from local_workspace.restarts import LONGEST_PAUSE_S, STEADY_AFTER_S, Restarts


def test_pauses_double_with_each_short_life_up_to_the_longest():
    restarts = Restarts(0.5)
    assert [restarts.pause_s(1) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_after_a_steady_life_they_begin_anew():
    restarts = Restarts(0.5)
    short = [restarts.pause_s(1) for _ in range(8)]
    assert [restarts.pause_s(STEADY_AFTER_S + 1), restarts.pause_s(1)] == short[:2]
