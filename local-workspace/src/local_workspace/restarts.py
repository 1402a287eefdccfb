"""How long to wait before something that ended by itself is started again."""

LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0
"""What lived this long is started again without a long pause, however often it ended before."""


class Restarts:
    """The pauses between the lives of one thing: twice as long after each short life, short after a steady one."""

    def __init__(self, first_s: float) -> None:
        self._first_s = first_s
        self._next_s = first_s

    def pause_s(self, lived_s: float) -> float:
        """Seconds to wait after a life of `lived_s` seconds."""
        pause_s = self._first_s if lived_s > STEADY_AFTER_S else self._next_s
        self._next_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return pause_s
