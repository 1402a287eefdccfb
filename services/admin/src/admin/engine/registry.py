"""The registry: every resource the control plane made, so that teardown misses nothing.

An entry is written as an intent before its resource is created and completed right after, so a crash in
between leaves nothing untracked. The demo's registry is a table (`table_registry.py`).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from admin.declarations import Entry

MOMENTS = ("created_at", "changed_at")


class Registry(Protocol):
    """Where entries are kept; every call is durable when it returns."""

    def entries(self) -> dict[str, Entry]:
        """All entries by key."""
        ...

    def record(self, *entries: Entry) -> None:
        """Write entries, replacing those with the same key."""
        ...

    def forget(self, *keys: str) -> None:
        """Remove entries; unknown keys are fine."""
        ...


class FileRegistry:
    """A registry in one JSON file: the command line's memory of the admin app it deployed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def entries(self) -> dict[str, Entry]:
        if not self._path.exists():
            return {}
        return {row["key"]: entry_from(row) for row in json.loads(self._path.read_text())}

    def record(self, *entries: Entry) -> None:
        with self._lock:
            self._write(self.entries() | {entry.key: entry for entry in entries})

    def forget(self, *keys: str) -> None:
        with self._lock:
            self._write({key: entry for key, entry in self.entries().items() if key not in keys})

    def _write(self, entries: Mapping[str, Entry]) -> None:
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps([plain(entry) for entry in entries.values()], indent=1))
        beside.replace(self._path)


def plain(entry: Entry) -> dict[str, Any]:
    """An entry as plain JSON."""
    row = asdict(entry)
    return row | {name: row[name].isoformat() if row[name] else None for name in MOMENTS}


def entry_from(row: Mapping[str, Any]) -> Entry:
    """An entry from plain JSON; an older registry knew no moments."""
    moments = {name: datetime.fromisoformat(row[name]) if row.get(name) else None for name in MOMENTS}
    fields: dict[str, Any] = {**row, "needs": tuple(row["needs"]), **moments}
    return Entry(**fields)
