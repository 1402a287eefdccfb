"""Where the replay is, in one object: what the page, the API and the live stream all show."""

from datetime import datetime, timedelta
from typing import Literal

from caspers.clock import Clock
from caspers.worker.loop import WorkerLoop
from pydantic import BaseModel

from replayer.replay import Replay
from replayer.virtual_time import DAY_S, Anchor
from replayer.watermark import Watermark, WrittenWindow

#: The time over which `events_per_s` is taken.
LAST_MINUTE = timedelta(minutes=1)

State = Literal[
    "waiting for orders", "starting", "running", "catching up", "paused", "stopped", "backing_off", "failed"
]


class DatasetStatus(BaseModel):
    """The dataset that is replayed."""

    folder: str
    fingerprint: str
    days: int
    events: int


class WindowStatus(BaseModel):
    """A window that was written: from when to when (the moments events carry), and what it cost."""

    start: datetime
    end: datetime
    events: int
    files: int
    took_s: float
    closed_at: datetime


class CanonicalStatus(BaseModel):
    """The worker that makes our own dataset."""

    observed: str
    state: str = ""
    path: str = ""
    events: int | None = None
    last_error: str | None = None


class ReplayStatus(BaseModel):
    """`lag_s`: real seconds by which the volume is behind virtual time. Moments are those that events carry.

    Before the replay has begun, virtual time and what follows from it are null.
    """

    state: State
    virtual_time: datetime | None = None
    watermark: datetime | None = None
    until: datetime | None = None
    day: int | None = None
    loop: int | None = None
    speed: float | None = None
    paused: bool | None = None
    lag_s: float | None = None
    events_written: int = 0
    files_written: int = 0
    events_per_s: float = 0
    write_rate: float | None = None
    began_at: datetime | None = None
    start_day: int | None = None
    dataset: DatasetStatus | None = None
    last_error: str | None = None
    canonical: CanonicalStatus
    windows: list[WindowStatus] = []


class Digest(BaseModel):
    """A checksum of every line in the volume: equal for equal inputs, however time was cut, paused or killed."""

    digest: str
    algorithm: str = "sum of XXH3-128 of each line without its line break, little-endian, modulo 2^128"
    events: int
    watermark: datetime | None
    began_at: datetime | None
    start_day: int | None
    dataset: str | None


class StatusBoard:
    """Reads the status of a replay and its two workers."""

    def __init__(self, replay: Replay, replaying: WorkerLoop, canonical: WorkerLoop, clock: Clock) -> None:
        self._replay = replay
        self._replaying = replaying
        self._canonical = canonical
        self._clock = clock

    def status(self) -> ReplayStatus:
        """The status now."""
        start, watermark = self._replay.standing()
        status = ReplayStatus(
            state=self._state(),
            events_written=watermark.events,
            files_written=watermark.files,
            events_per_s=self._events_per_s(watermark),
            write_rate=_write_rate(watermark.recent),
            last_error=self._replaying.report.last_error,
            canonical=self._canonical_status(),
        )
        if start is None:
            return status
        anchor = start.anchor
        begun: dict[str, object] = {
            "began_at": start.began_at,
            "start_day": start.start_day,
            "watermark": anchor.moment_of(watermark.position),
            "windows": [_window(anchor, window) for window in reversed(watermark.recent)],
        }
        return status.model_copy(update=begun | self._moving(anchor, watermark))

    def windows(self) -> list[WindowStatus]:
        """The last windows, newest first."""
        return self.status().windows

    def digest(self) -> Digest:
        """The checksum of what is in the volume."""
        start, watermark = self._replay.standing()
        return Digest(
            digest=watermark.digest,
            events=watermark.events,
            watermark=start.anchor.moment_of(watermark.position) if start else None,
            began_at=start.began_at if start else None,
            start_day=start.start_day if start else None,
            dataset=start.dataset if start else None,
        )

    def _moving(self, anchor: Anchor, watermark: Watermark) -> dict[str, object]:
        """What moves with the virtual clock; nothing before there is one."""
        if not self._replay.begun:
            return {}
        clock, position, scene = self._replay.clock, self._replay.position, self._replay.scene
        length_s = scene.dataset.timeline.length_s
        return {
            "virtual_time": anchor.moment_of(int(position)),
            "until": None if clock.until is None else anchor.moment_of(clock.until),
            "day": int(position % length_s // DAY_S),
            "loop": int(position // length_s),
            "speed": clock.rate,
            "paused": clock.paused,
            "lag_s": round(max(0, int(position) - watermark.position) / clock.rate, 3),
            "dataset": DatasetStatus(
                folder=scene.folder,
                fingerprint=scene.dataset.fingerprint,
                days=scene.dataset.days,
                events=scene.dataset.timeline.rows,
            ),
        }

    def _state(self) -> State:
        orders, observed = self._replaying.orders, self._replaying.report.observed
        if orders is None:
            return "waiting for orders"
        if orders.desired == "stopped" or observed == "stopped":
            return "stopped"
        match observed:
            case "failed" | "backing_off":
                return observed
            case _:
                return self._moving_state()

    def _moving_state(self) -> State:
        if not self._replay.begun:
            return "starting"
        if self._replay.clock.paused:
            return "paused"
        return "catching up" if self._replay.catching_up else "running"

    def _events_per_s(self, watermark: Watermark) -> float:
        since = self._clock.now() - LAST_MINUTE
        events = sum(window.events for window in watermark.recent if window.closed_at > since)
        return round(events / LAST_MINUTE.total_seconds(), 1)

    def _canonical_status(self) -> CanonicalStatus:
        report = self._canonical.report
        shown = {key: report.progress[key] for key in ("state", "path", "events") if key in report.progress}
        return CanonicalStatus(observed=report.observed, last_error=report.last_error, **shown)


def _write_rate(recent: tuple[WrittenWindow, ...]) -> float | None:
    """Events per second while windows are being written."""
    took = sum(window.took_s for window in recent)
    return round(sum(window.events for window in recent) / took) if took else None


def _window(anchor: Anchor, window: WrittenWindow) -> WindowStatus:
    return WindowStatus(
        start=anchor.moment_of(window.start),
        end=anchor.moment_of(window.end),
        events=window.events,
        files=window.files,
        took_s=window.took_s,
        closed_at=window.closed_at,
    )
