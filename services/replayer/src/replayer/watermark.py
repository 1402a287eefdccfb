"""The replay's memory: three small files beside the events volume that make every event come out exactly once.

`_sim_start` is written once and never again. `_watermark` holds how far the replay is *and* the window in flight: a
window is recorded before its first file, and since its files follow from it alone, a crash is repaired by writing the
same files again. `_clock` keeps what people did to the clock.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, Self, TypeVar

from caspers.errors import Conflict, Invalid
from pydantic import BaseModel, ConfigDict, ValidationError

from replayer.event_lines import DIGEST_BYTES, add_digests
from replayer.virtual_time import Anchor
from replayer.windows import Window

SIM_START, WATERMARK, CLOCK = "_sim_start", "_watermark", "_clock"
#: How many of the last windows are remembered, for people to look at.
RECENT_WINDOWS = 20


class Files(Protocol):
    """Whole files by name, written at once or not at all; `caspers.clients.volume.Volume` is one."""

    def write(self, name: str, content: bytes, *, overwrite: bool = True) -> None: ...

    def read_if_there(self, name: str) -> bytes | None: ...


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SimStart(_Record):
    """How this replay began: when, at which virtual day, over which dataset (its fingerprint)."""

    began_at: datetime
    start_day: int
    dataset: str

    @property
    def anchor(self) -> Anchor:
        return Anchor(self.began_at, self.start_day)


class InFlight(_Record):
    """A window whose files are being written, with all that decides their names and bytes."""

    start: int
    end: int
    events_per_file: int

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)


class WrittenWindow(_Record):
    """A window that is in the volume."""

    start: int
    end: int
    events: int
    files: int
    took_s: float
    closed_at: datetime


class Watermark(_Record):
    """Every event before `position` is in the volume. The digest covers all lines written so far."""

    position: int = 0
    in_flight: InFlight | None = None
    events: int = 0
    files: int = 0
    digest: str = "0" * (2 * DIGEST_BYTES)
    recent: tuple[WrittenWindow, ...] = ()

    def recording(self, window: Window, events_per_file: int) -> Self:
        """With `window` in flight."""
        in_flight = InFlight(start=window.start, end=window.end, events_per_file=events_per_file)
        return self.model_copy(update={"in_flight": in_flight})

    def past(self, written: WrittenWindow, digest: int) -> Self:
        """Behind a window whose files are all there; `digest` is that of its lines."""
        total = add_digests(int(self.digest, 16), digest)
        changes = {
            "position": written.end,
            "in_flight": None,
            "events": self.events + written.events,
            "files": self.files + written.files,
            "digest": f"{total:0{2 * DIGEST_BYTES}x}",
            "recent": (*self.recent, written)[-RECENT_WINDOWS:],
        }
        return self.model_copy(update=changes)

    def past_nothing(self, window: Window) -> Self:
        """Behind a window without events."""
        return self.model_copy(update={"position": window.end})


class ClockSetting(_Record):
    """Where people put the clock; it is never behind the watermark."""

    position: float
    paused: bool = False
    until: float | None = None


class InvalidState(Invalid):
    """A state file does not hold what it should."""


_R = TypeVar("_R", bound=_Record)


class ReplayMemory:
    """Reads and writes the three files."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def sim_start(self) -> SimStart | None:
        return self._read(SIM_START, SimStart.model_validate_json)

    def begin(self, start: SimStart) -> SimStart:
        """Fix how the replay begins; the answer is what was fixed first, whoever did it."""
        try:
            self._files.write(SIM_START, start.model_dump_json().encode(), overwrite=False)
        except Conflict:
            return self.sim_start() or start
        return start

    def watermark(self) -> Watermark:
        return self._read(WATERMARK, Watermark.model_validate_json) or Watermark()

    def clock(self) -> ClockSetting | None:
        return self._read(CLOCK, ClockSetting.model_validate_json)

    def keep_watermark(self, watermark: Watermark) -> None:
        self._files.write(WATERMARK, watermark.model_dump_json().encode())

    def keep_clock(self, setting: ClockSetting) -> None:
        self._files.write(CLOCK, setting.model_dump_json().encode())

    def _read(self, name: str, parse: Callable[[bytes], _R]) -> _R | None:
        content = self._files.read_if_there(name)
        if content is None:
            return None
        try:
            return parse(content)
        except ValidationError as error:
            raise InvalidState(
                f"the replay's state file {name} does not hold what it should: {error.errors()[0]['msg']}",
                what_now="Restore the file, or tear the catalog down and begin a new replay.",
            ) from error
