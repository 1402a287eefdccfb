"""What a worker says about itself: the observed state with a heartbeat, one row per worker in the control database."""

import json
from typing import Any, LiteralString

from sqlalchemy import Row

from caspers.clients.postgres import Reader, Writer
from caspers.worker.states import WorkerReport

_READ: LiteralString = """
SELECT worker, generation, observed, heartbeat_at, started_at, since, progress, last_error
FROM control.worker_reports WHERE worker = :worker
"""

_READ_ALL: LiteralString = """
SELECT worker, generation, observed, heartbeat_at, started_at, since, progress, last_error
FROM control.worker_reports ORDER BY worker
"""

_WRITE: LiteralString = """
INSERT INTO control.worker_reports
       (worker, generation, observed, heartbeat_at, progress, last_error, started_at, since)
VALUES (:worker, :generation, :observed, :heartbeat_at, CAST(:progress AS jsonb), :last_error, :started_at, :since)
ON CONFLICT (worker) DO UPDATE
   SET generation = excluded.generation, observed = excluded.observed, heartbeat_at = excluded.heartbeat_at,
       progress = excluded.progress, last_error = excluded.last_error, started_at = excluded.started_at,
       since = excluded.since
"""


def read_report(reader: Reader, worker: str) -> WorkerReport | None:
    """The worker's last report, or None when it never reported."""
    row = reader.row(_READ, worker=worker)
    return None if row is None else _report(row)


def read_all_reports(reader: Reader) -> list[WorkerReport]:
    return [_report(row) for row in reader.rows(_READ_ALL)]


def write_report(writer: Writer, report: WorkerReport) -> None:
    """Put the report in place of the last one."""
    writer.execute(_WRITE, **{**vars(report), "progress": json.dumps(report.progress, default=str)})


def _report(row: Row[Any]) -> WorkerReport:
    return WorkerReport(*row)
