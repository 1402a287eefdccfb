"""The home: the one directory where everything local lives, and what the command line remembers in it.

A home carries a marker file from its first moment; a directory without it is never adopted when it holds
anything, and never purged.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from caspers.errors import Conflict, Invalid, NotFound, Refused

MARKER = ".caspers-home"
SMALLEST_FREE_BYTES = 1_000_000_000
"""The workspace, a full dataset and its tables need about this much."""


LOCAL_PARAMETERS: dict[str, Any] = {"schedule_minutes": 5 / 60, "pipeline_schedule_minutes": 0.0}
"""What differs from a target's defaults on a laptop, where waiting costs more than running all the time."""


@dataclass(frozen=True)
class RememberedDemo:
    """A demo as it was last brought up: the target and the parameters that were chosen for it."""

    catalog: str
    target: str
    parameters: dict[str, Any]

    @property
    def values(self) -> dict[str, Any]:
        """What was chosen, on top of what a laptop chooses by itself."""
        return LOCAL_PARAMETERS | self.parameters


class Home:
    """A directory that is ours."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def workspace(self) -> Path:
        """The local workspace's own home."""
        return self.path / "workspace"

    @property
    def log(self) -> Path:
        """What the local workspace printed."""
        return self.path / "workspace.log"

    def bootstrap_registry(self, catalog: str) -> Path:
        """What we deployed of the admin app of one catalog."""
        return self.path / f"admin-of-{catalog}.json"

    @property
    def is_ours(self) -> bool:
        return (self.path / MARKER).is_file()

    def prepare(self) -> None:
        """Make the directory if needed and see that it can be used.

        Raises:
            Refused: it holds something that is not ours, cannot be written, or the disk is nearly full.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not self.is_ours and any(self.path.iterdir()):
                raise Refused(
                    f"{self.path} holds files that are not ours",
                    what_now="Choose an empty directory with --home.",
                )
            (self.path / MARKER).write_text(
                "State of a local Casper's Kitchens. `caspers down --purge` removes it.\n"
            )
        except OSError as error:
            raise Refused(
                f"the home {self.path} cannot be written: {error.strerror}",
                what_now="Choose another directory with --home.",
            ) from error
        free = shutil.disk_usage(self.path).free
        if free < SMALLEST_FREE_BYTES:
            raise Refused(
                f"only {free // 1_000_000} MB are free on the disk of {self.path}, and the demo needs about 1 GB",
                what_now="Free some space, or choose a directory on another disk with --home.",
            )

    @contextmanager
    def lock(self) -> Generator[None]:
        """Hold the right to change what runs here. The lock ends with its process, so none is ever stale.

        Raises:
            Conflict: another `caspers up` is at work here.
        """
        with (self.path / "up.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise Conflict(
                    f"another `caspers up` (process {file.read().strip() or 'unknown'}) is at work on {self.path}",
                    what_now="Wait for it, or watch it with `caspers status`.",
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def demos(self) -> dict[str, RememberedDemo]:
        """The demos that were brought up here by catalog, the latest last."""
        file = self.path / "demos.json"
        if not file.exists():
            return {}
        return {row["catalog"]: RememberedDemo(**row) for row in json.loads(file.read_text())}

    def remember(self, demo: RememberedDemo) -> None:
        demos = self.demos()
        demos.pop(demo.catalog, None)
        demos[demo.catalog] = demo
        beside = self.path / "demos.new"
        beside.write_text(json.dumps([asdict(each) for each in demos.values()], indent=1))
        beside.replace(self.path / "demos.json")

    def catalog(self, asked: str | None) -> str:
        """The catalog that a command is about: the one asked for, else the one brought up last."""
        return asked or next(reversed(self.demos()), "caspersdev")

    def purge(self) -> None:
        """Delete the directory with all it holds.

        Raises:
            NotFound: there is none.
            Invalid: it does not carry our marker.
        """
        if not self.path.exists():
            raise NotFound(f"there is no {self.path}")
        if not self.is_ours:
            raise Invalid(f"{self.path} carries no {MARKER} file, so it is not ours to delete")
        shutil.rmtree(self.path)
