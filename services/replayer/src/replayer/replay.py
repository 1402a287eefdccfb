"""The replay: virtual time goes on, and every window of it becomes files in the events volume, exactly once.

A step repairs what a crash left behind, then plans the next window, records it, writes its files and moves the
watermark past it. The controls (pause, jump, run until) move the clock and nothing else; the next step does the rest.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from caspers.clock import Clock
from caspers.errors import Conflict, Invalid
from caspers.settings import NotNegativeInt, PositiveFloat, PositiveInt
from caspers.worker.step import StepContext, StepOutcome
from prometheus_client import Counter
from pydantic import BaseModel, ValidationError

from replayer.dataset import Dataset
from replayer.memory import give_back
from replayer.virtual_time import DAY_S, VirtualClock
from replayer.watermark import ClockSetting, Files, ReplayMemory, SimStart, Watermark, WrittenWindow
from replayer.window_files import Scene, write_window
from replayer.windows import Window

#: Events of a file and of a window, at most: some 15 MB, and a second or two of work that a stop waits for.
FILE_EVENTS = 49_152
WINDOW_EVENTS = 4 * FILE_EVENTS
WINDOW_FILES = 1_000
#: The clock runs on this much longer than the time to the next step.
SLACK_S = 30.0


EVENTS_WRITTEN = Counter("caspers_replay_events", "Events written to the volume by this process")
FILES_WRITTEN = Counter("caspers_replay_files", "Files written to the volume by this process")


class ReplayOrders(BaseModel):
    """The parameters of worker `replay`; `dataset` is the folder of a canonical dataset in a volume."""

    dataset: str
    start_day: NotNegativeInt = 70
    speed_multiplier: PositiveFloat = 60.0
    schedule_minutes: PositiveFloat = 3.0
    events_per_file: PositiveInt | None = None


class InvalidOrders(Invalid):
    """The parameters of the orders make no replay."""

    def __init__(self, error: ValidationError) -> None:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        super().__init__(f"the orders make no replay: {faults}", what_now="Correct the worker's parameters.")


class NotBegun(Conflict):
    """The replay has no clock yet, because it was never started."""

    def __init__(self) -> None:
        super().__init__(
            "the replay has not begun", what_now="Start it, and wait for its dataset to be there."
        )


class Replay:
    """One replay into one volume. `step` belongs to the worker's thread; everything else may be called from any."""

    def __init__(
        self, events: Files, memory: ReplayMemory, open_folder: Callable[[str], Dataset], clock: Clock
    ) -> None:
        self._events = events
        self._memory = memory
        self._open_folder = open_folder
        self._real = clock
        self._turn = threading.Lock()  # guards the virtual clock
        self._clock: VirtualClock | None = None
        self._scene: Scene | None = None
        self._watermark = Watermark()
        self._catching_up = False

    def step(self, parameters: Mapping[str, Any], context: StepContext) -> StepOutcome:
        """Repair, then replay the next window up to the virtual clock. Raises `Invalid`, `Conflict`, `Unavailable`."""
        orders = _orders(parameters)
        scene = self._scene_of(orders)
        self._watermark = self._memory.watermark()
        self._finish(scene)
        every_s = orders.schedule_minutes * 60
        target = self._wind(orders, scene, every_s + SLACK_S).position
        file_events = min(orders.events_per_file or FILE_EVENTS, FILE_EVENTS)
        most_events = min(WINDOW_EVENTS, WINDOW_FILES * file_events)
        window = scene.dataset.timeline.next_window(self._watermark.position, target, most_events)
        if window:
            self._replay(scene, window, file_events)
        self._catching_up = self._watermark.position < int(target)
        if window and not self._catching_up:
            give_back()
        again = self._catching_up and not context.interrupted
        return StepOutcome(self.progress(), again=again, next_in_s=every_s)

    def change_clock(self, change: Callable[[VirtualClock, float], VirtualClock]) -> VirtualClock:
        """Let `change` make another clock of this one (at the real time it is given), and keep it."""
        with self._turn:
            before = self.clock
            now = self._real.monotonic()
            self._clock = change(before, now)
            self._keep_clock(self._clock, now)
            return self._clock

    @property
    def clock(self) -> VirtualClock:
        """The virtual clock. Raises `NotBegun`."""
        if self._clock is None:
            raise NotBegun
        return self._clock

    @property
    def scene(self) -> Scene:
        """Anchor and dataset. Raises `NotBegun`."""
        if self._scene is None:
            raise NotBegun
        return self._scene

    @property
    def begun(self) -> bool:
        """Whether there are a scene and a clock."""
        return self._scene is not None and self._clock is not None

    @property
    def watermark(self) -> Watermark:
        """How far the volume is, as of the last step."""
        return self._watermark

    @property
    def catching_up(self) -> bool:
        """Whether the last step left something to write."""
        return self._catching_up

    def standing(self) -> tuple[SimStart | None, Watermark]:
        """How the replay began and how far the volume is; read from the volume before the first step."""
        if self._scene is None:
            return self._memory.sim_start(), self._memory.watermark()
        return self._scene.start, self._watermark

    @property
    def position(self) -> float:
        """Where virtual time is now. Raises `NotBegun`."""
        return self.clock.at(self._real.monotonic())

    def progress(self) -> dict[str, Any]:
        """The figures that travel with the worker's report; empty before the replay has begun."""
        if self._scene is None or self._clock is None:
            return {}
        position = self.position
        recent = self._watermark.recent
        return {
            "virtual_time": self._scene.anchor.moment_of(int(position)).isoformat(),
            "watermark": self._scene.anchor.moment_of(self._watermark.position).isoformat(),
            "events_written": self._watermark.events,
            "files_written": self._watermark.files,
            "speed": self._clock.rate,
            "paused": self._clock.paused,
            "loop": int(position // self._scene.dataset.timeline.length_s),
            "day": int(position % self._scene.dataset.timeline.length_s // DAY_S),
            "lag_s": round(max(0, int(position) - self._watermark.position) / self._clock.rate, 3),
            "windows": [window.model_dump(mode="json") for window in recent[-3:]],
        }

    def _scene_of(self, orders: ReplayOrders) -> Scene:
        """The scene these orders ask for; the first ever fixes when and where virtual time begins."""
        if self._scene and self._scene.folder == orders.dataset:
            return self._scene
        dataset = self._open_folder(orders.dataset)
        begins = SimStart(began_at=self._real.now(), start_day=orders.start_day, dataset=dataset.fingerprint)
        start = self._memory.sim_start() or self._memory.begin(begins)
        if start.dataset != dataset.fingerprint:
            raise Conflict(
                f"this replay began with another dataset than {orders.dataset} ({start.dataset}, not {dataset.fingerprint})",
                what_now="Order the replay of that dataset, or tear the catalog down and begin a new replay.",
            )
        self._scene = Scene(start, dataset, orders.dataset)
        return self._scene

    def _wind(self, orders: ReplayOrders, scene: Scene, wound_s: float) -> VirtualClock:
        with self._turn:
            now = self._real.monotonic()
            before = self._clock or self._restored_clock(scene, now, orders.speed_multiplier)
            self._clock = before.wind(now, wound_s, orders.speed_multiplier)
            if self._clock.paused != before.paused:
                self._keep_clock(self._clock, now)
            return self._clock

    def _restored_clock(self, scene: Scene, now: float, rate: float) -> VirtualClock:
        """The clock where it was kept, or where the volume is if that is later: downtime is no virtual time."""
        kept = self._memory.clock() or ClockSetting(position=scene.anchor.first_position)
        position = max(kept.position, self._watermark.position)
        return VirtualClock(position, now, rate, wound_s=0.0, paused=kept.paused, until=kept.until)

    def _keep_clock(self, clock: VirtualClock, now: float) -> None:
        self._memory.keep_clock(ClockSetting(position=clock.at(now), paused=clock.paused, until=clock.until))

    def _replay(self, scene: Scene, window: Window, file_events: int) -> None:
        if scene.dataset.timeline.count(window):
            self._keep(self._watermark.recording(window, file_events))
            self._finish(scene)
        else:
            self._keep(self._watermark.past_nothing(window))

    def _finish(self, scene: Scene) -> None:
        """Write the files of the window in flight, for the first time or again, and move past it."""
        in_flight = self._watermark.in_flight
        if in_flight is None:
            return
        began = self._real.monotonic()
        files, digest = write_window(self._events, scene, in_flight)
        written = WrittenWindow(
            start=in_flight.start,
            end=in_flight.end,
            events=scene.dataset.timeline.count(in_flight.window),
            files=files,
            took_s=round(self._real.monotonic() - began, 3),
            closed_at=self._real.now(),
        )
        self._keep(self._watermark.past(written, digest))
        EVENTS_WRITTEN.inc(written.events)
        FILES_WRITTEN.inc(written.files)

    def _keep(self, watermark: Watermark) -> None:
        self._memory.keep_watermark(watermark)
        self._watermark = watermark


def _orders(parameters: Mapping[str, Any]) -> ReplayOrders:
    try:
        return ReplayOrders.model_validate(dict(parameters))
    except ValidationError as error:
        raise InvalidOrders(error) from error
