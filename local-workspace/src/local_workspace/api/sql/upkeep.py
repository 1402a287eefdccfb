"""OPTIMIZE and VACUUM, done by the Delta library beside the engine."""

import json
from collections.abc import Iterator

import pyarrow as pa

from local_workspace.api.sql import answers
from local_workspace.api.sql.call import Call
from local_workspace.api.sql.changes import RowChanges, TableLocks
from local_workspace.api.sql.failures import SqlFailure
from local_workspace.api.sql.syntax.commands import Optimize, Vacuum
from local_workspace.engines import delta

SHORTEST_RETENTION_HOURS = 168
"""Below a week, readers and time travel may lose files; the platform refuses it, too."""


class Upkeep:
    """Carries out OPTIMIZE and VACUUM."""

    def __init__(self, changes: RowChanges, locks: TableLocks) -> None:
        self._changes = changes
        self._locks = locks

    def optimize(self, call: Call, statement: Optimize) -> Iterator[bytes]:
        """Rewrite small files into large ones."""
        table = self._changes.writable(call, statement.name)
        assert table.location is not None
        with self._locks.of(table):
            metrics = delta.compact(table.location, statement.zorder_by)
        return answers.answer(
            answers.texts("path", "metrics"), [(str(table.location), json.dumps(metrics, default=str))]
        )

    def vacuum(self, call: Call, statement: Vacuum) -> Iterator[bytes]:
        """Delete files that are no longer needed."""
        table = self._changes.writable(call, statement.name)
        assert table.location is not None
        hours = statement.retain_hours
        checked = table.properties.get("delta.retentionDurationCheck.enabled", "true") != "false"
        if hours is not None and hours < SHORTEST_RETENTION_HOURS and checked:
            raise SqlFailure(
                "INVALID_PARAMETER_VALUE",
                f"VACUUM … RETAIN {hours:g} HOURS is shorter than {SHORTEST_RETENTION_HOURS} hours: running readers may"
                " lose their files. Set the table property 'delta.retentionDurationCheck.enabled' = 'false' to allow it.",
            )
        with self._locks.of(table):
            files = delta.vacuum(table.location, hours, dry_run=statement.dry_run)
        paths = files if statement.dry_run else [str(table.location)]
        return answers.answer({"path": pa.string()}, [(path,) for path in paths])
