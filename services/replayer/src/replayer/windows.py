"""Windows of virtual time and the dataset rows in them.

A window is half-open and begins where the one before it ended, so every position belongs to exactly one. The dataset
repeats every `length_s` seconds; loop 1 and later mark their order ids. Events that lie past the dataset's end (orders
of the last evening) keep the loop they belong to and come out beside the first minutes of the next one. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """Positions from `start` up to, not including, `end`."""

    start: int
    end: int


@dataclass(frozen=True)
class RowRange:
    """Rows `start` up to, not including, `stop` of the sorted dataset, in one loop."""

    loop: int
    start: int
    stop: int

    @property
    def rows(self) -> int:
        return self.stop - self.start


class Timeline:
    """When the events of a looping dataset happen: `seconds` since the dataset's day 0, sorted."""

    def __init__(self, seconds: np.ndarray, orders: np.ndarray, length_s: int) -> None:
        self._seconds = seconds
        self._orders = orders
        self.length_s = length_s
        self._last_s = int(seconds[-1])

    @property
    def rows(self) -> int:
        """Events of one loop."""
        return int(self._seconds.size)

    def row_ranges(self, window: Window) -> list[RowRange]:
        """The rows of a window, oldest loop first."""
        return list(self._row_ranges(window))

    def count(self, window: Window) -> int:
        """How many events a window holds."""
        return sum(part.rows for part in self._row_ranges(window))

    def next_window(self, watermark: int, target: float, most_events: int) -> Window | None:
        """The window to replay next: up to `target`, shorter where more than `most_events` lie in between.

        None where `target` is not ahead. A single second is never cut, however much happens in it.
        """
        end = int(target)
        if end <= watermark:
            return None
        if self.count(Window(watermark, end)) > most_events:
            end = self._last_end_within(watermark, end, most_events)
        return Window(watermark, end)

    def next_event(self, position: int) -> int:
        """The position of the first event at `position` or later."""
        return self._next(self._seconds, position)

    def next_order(self, position: int) -> int:
        """The position of the first order created at `position` or later; of the next event if no order ever is."""
        return self._next(self._orders if self._orders.size else self._seconds, position)

    def _row_ranges(self, window: Window) -> Iterator[RowRange]:
        first_loop = max(0, (window.start - self._last_s) // self.length_s)
        for loop in range(first_loop, window.end // self.length_s + 1):
            begins = loop * self.length_s
            start, stop = np.searchsorted(
                self._seconds, [window.start - begins, window.end - begins], side="left"
            )
            if stop > start:
                yield RowRange(loop, int(start), int(stop))

    def _last_end_within(self, start: int, end: int, most_events: int) -> int:
        """The latest end with at most `most_events` before it, but past the first event."""
        low, high = self.next_event(start) + 1, end
        while low < high:
            middle = (low + high + 1) // 2
            if self.count(Window(start, middle)) <= most_events:
                low = middle
            else:
                high = middle - 1
        return low

    def _next(self, seconds: np.ndarray, position: int) -> int:
        last_loop = position // self.length_s + 1
        first_loop = max(0, (position - self._last_s) // self.length_s)
        candidates: list[int] = []
        for loop in range(first_loop, last_loop + 1):
            begins = loop * self.length_s
            row = int(np.searchsorted(seconds, position - begins, side="left"))
            if row < seconds.size:
                candidates.append(begins + int(seconds[row]))
        return min(candidates)


def order_suffix(loop: int) -> str:
    """What marks the order ids of a loop; the first loop's stay as they are."""
    return f"-L{loop}" if loop else ""


def cut_into_files(ranges: list[RowRange], events_per_file: int) -> list[list[RowRange]]:
    """The rows of each file of a window: `events_per_file` each, the rest in the last."""
    files: list[list[RowRange]] = []
    room = 0
    for part in ranges:
        start = part.start
        while start < part.stop:
            if not room:
                files.append([])
                room = events_per_file
            stop = min(part.stop, start + room)
            files[-1].append(RowRange(part.loop, start, stop))
            room -= stop - start
            start = stop
    return files
