"""What was read lately: many ask, one reads, and nobody waits for what is only a moment old."""

from collections.abc import Callable
from threading import Lock, Thread
from typing import Generic, TypeVar

from caspers.clock import Clock
from caspers.errors import CaspersError
from structlog import get_logger

T = TypeVar("T")

log = get_logger(__name__)


class Lately(Generic[T]):
    """A value that is costly to read. Safe between threads.

    Younger than `fresh_s` it is given as it is; up to `stale_s` it is given while it is read anew in the background;
    older, or after `forget`, whoever asks waits for the reading.
    """

    def __init__(self, read: Callable[[], T], clock: Clock, *, fresh_s: float, stale_s: float) -> None:
        self._read = read
        self._clock = clock
        self._fresh_s = fresh_s
        self._stale_s = stale_s
        self._reading = Lock()
        self._kept: tuple[float, T] | None = None
        self._forgotten_s = float("-inf")

    def get(self) -> T:
        """The value. Raises what reading raises."""
        kept = self._kept
        if kept is None or kept[0] <= self._forgotten_s or self._age_s(kept) > self._stale_s:
            return self._read_now()
        self._renew_if_old(kept)
        return kept[1]

    def glance(self) -> T | None:
        """What was read last, however old, and at once; None before the first reading, which this begins."""
        kept = self._kept
        self._renew_if_old(kept)
        return None if kept is None else kept[1]

    def put(self, value: T) -> None:
        """Somebody has just read it anyway."""
        self._kept = (self._clock.monotonic(), value)

    def forget(self) -> None:
        """It has changed: whoever asks next waits for a new reading."""
        self._forgotten_s = self._clock.monotonic()

    def _read_now(self) -> T:
        asked_s = self._clock.monotonic()
        with self._reading:
            kept = self._kept
            if kept is not None and kept[0] >= asked_s:
                return kept[1]
            return self._keep()

    def _renew_if_old(self, kept: tuple[float, T] | None) -> None:
        fresh = kept is not None and kept[0] > self._forgotten_s and self._age_s(kept) <= self._fresh_s
        if not fresh and self._reading.acquire(blocking=False):
            Thread(target=self._renew, name="read-lately", daemon=True).start()

    def _renew(self) -> None:
        try:
            self._keep()
        except CaspersError as error:
            log.warning("reading anew failed", error=str(error))
        finally:
            self._reading.release()

    def _keep(self) -> T:
        began_s = self._clock.monotonic()
        value = self._read()
        self._kept = (began_s, value)
        return value

    def _age_s(self, kept: tuple[float, T]) -> float:
        return self._clock.monotonic() - kept[0]
