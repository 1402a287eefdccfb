"""A replay on a stage of plain folders and a clock that moves when told to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caspers.clock import ManualClock
from caspers.worker.step import StepContext
from replayer.controls import Controls
from replayer.dataset import open_dataset
from replayer.replay import Replay
from replayer.watermark import Files, ReplayMemory

from tests.support.datasets import FolderFiles

BEGAN = datetime(2026, 11, 21, 10, tzinfo=UTC)


def unharmed(files: Files) -> Files:
    """The files as they are."""
    return files


@dataclass
class Stage:
    """`root` holds the two volumes; another `Stage` over the same root is a restart of the replayer."""

    root: Path
    dataset: Path
    start_day: int = 1
    speed: float = 60.0
    events_per_file: int | None = None
    wrap: Callable[[Files], Files] = unharmed
    clock: ManualClock = field(default_factory=lambda: ManualClock(BEGAN))

    def __post_init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.events = FolderFiles(self.root / "events")
        self.misc = FolderFiles(self.root / "misc")
        memory = ReplayMemory(self.wrap(self.misc))
        self.replay = Replay(self.wrap(self.events), memory, self._open, self.clock)
        self.controls = Controls(self.replay, wake=lambda: None)

    def run(self, *, seconds: float = 0) -> None:
        """Let real time go on, then step until the volume is up to the clock."""
        self.clock.advance(seconds)
        while self.step():
            pass

    def step(self) -> bool:
        """One step; whether there is more to do at once."""
        orders: dict[str, Any] = {
            "dataset": str(self.dataset),
            "start_day": self.start_day,
            "speed_multiplier": self.speed,
            "schedule_minutes": 60,
            "events_per_file": self.events_per_file,
        }
        return self.replay.step(orders, StepContext(1, self.clock, self.told.append)).again

    def _open(self, folder: str) -> Any:
        return open_dataset(Path(folder) / "events.parquet", self.root / "work")
