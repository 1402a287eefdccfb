"""A real, small kind of resource for the engine's tests: a directory with a settings file in it."""

import json
import shutil
from pathlib import Path

from admin.resources.kind import Declared, Found
from databricks.sdk.errors import NotFound

US = "us"


class Directory:
    """Named by its path below the root; its specification is kept in a file and may drift."""

    patience_s = 5.0
    parents = ()
    stop_patience_s = 5.0

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: list[str] = []
        self.fails: set[str] = set()
        self.makers: dict[str, str] = {}
        """Who made what we did not make."""
        self.deletes_in_vain = 0
        """How many deletions answer that something is not there, although it stays."""
        self.settles_after = 0
        """How many reads a new directory needs until it is ready."""

    def read(self, wanted: Declared) -> Found | None:
        settings = self.root / wanted.name / "settings.json"
        if not settings.exists():
            return None
        found = json.loads(settings.read_text())
        maker = self.makers.get(wanted.name, US)
        if (settings.parent / "stopped").exists():
            return Found(wanted.name, "stopped", settings=found, maker=maker)
        if self.settles_after > 0:
            self.settles_after -= 1
            return Found(wanted.name, "working", settings=found, maker=maker, message="settling")
        return Found(wanted.name, outputs={"path": str(settings.parent)}, settings=found, maker=maker)

    def create(self, wanted: Declared) -> str:
        self.calls.append(f"create {wanted.name}")
        if wanted.name in self.fails:
            raise OSError(f"no room for {wanted.name}")
        (self.root / wanted.name).mkdir()
        self._write(wanted)
        return wanted.name

    def update(self, wanted: Declared) -> None:
        self.calls.append(f"update {wanted.name}")
        self._write(wanted)

    def stop(self, wanted: Declared) -> None:
        self.calls.append(f"stop {wanted.name}")
        (self.root / wanted.name / "stopped").touch()

    def delete(self, wanted: Declared) -> None:
        self.calls.append(f"delete {wanted.name}")
        if self.deletes_in_vain > 0:
            self.deletes_in_vain -= 1
            raise NotFound("one of its parts went at the same moment")
        shutil.rmtree(self.root / wanted.name)

    def _write(self, wanted: Declared) -> None:
        (self.root / wanted.name / "stopped").unlink(missing_ok=True)
        (self.root / wanted.name / "settings.json").write_text(json.dumps(dict(wanted.spec)))
