"""The history of runs in the control database; while there is none, what is told here waits in memory.

A run is written as it goes, together with its log and with what it means to its stages. What could not be written
waits, and is written with the next word or before the next look.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock
from typing import Any, LiteralString

from caspers.clients.postgres import Reader, Writer
from caspers.errors import CaspersError
from caspers.review.keyset import Place, cursor, place
from pydantic import TypeAdapter
from structlog import get_logger

from admin.control_tables import ControlTables
from admin.runs.outcome import summary_of
from admin.runs.run import GOING_ON
from admin.shapes import Action, LastRun, LogLine, Page, RunDetail, RunState, RunSummary

SAVE: LiteralString = """
INSERT INTO control.run_history AS kept (run_id, started, action, state, started_by, summary, details,
                                         idempotency_key, request_digest)
VALUES (:run_id, :started, :action, :state, :started_by, CAST(:summary AS jsonb), CAST(:details AS jsonb),
        :idempotency_key, :request_digest)
ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, summary = excluded.summary, details = excluded.details
RETURNING cancelled_by
"""
SAVE_STAGES: LiteralString = """
INSERT INTO control.stage_last_run AS kept (stage, started, last)
SELECT each.key, :started, each.value FROM jsonb_each(CAST(:stages AS jsonb)) AS each ORDER BY each.key
ON CONFLICT (stage) DO UPDATE SET started = excluded.started, last = excluded.last
 WHERE kept.started <= excluded.started
"""
SAVE_LINES: LiteralString = """
INSERT INTO control.run_log (run_id, seq, at, stage, key, level, text)
SELECT :run_id, line.seq, line.at, line.stage, line.key, line.level, line.text
  FROM jsonb_to_recordset(CAST(:lines AS jsonb))
       AS line (seq int, at timestamptz, stage text, key text, level text, text text)
ON CONFLICT DO NOTHING
"""
RUN: LiteralString = (
    "SELECT CAST(summary || details AS text) AS detail FROM control.run_history WHERE run_id = :run_id"
)
PAGE: LiteralString = """
SELECT CAST(summary AS text) AS summary FROM control.run_history
 WHERE (CAST(:action AS text) IS NULL OR action = :action)
   AND (CAST(:state AS text) IS NULL OR state = :state)
   AND (CAST(:by AS text) IS NULL OR started_by = :by)
   AND (CAST(:before AS timestamptz) IS NULL OR (started, run_id) < (:before, :before_id))
 ORDER BY started DESC, run_id DESC LIMIT :limit
"""
LAST_SUCCESS: LiteralString = """
SELECT CAST(summary AS text) AS summary FROM control.run_history WHERE action = 'provision' AND state = 'succeeded'
 ORDER BY started DESC, run_id DESC LIMIT 1
"""
GOING: LiteralString = """
SELECT CAST(summary AS text) AS summary FROM control.run_history WHERE state IN ('running', 'cancelling') ORDER BY started DESC LIMIT 1
"""
BY_KEY: LiteralString = """
SELECT CAST(summary AS text) AS summary, request_digest FROM control.run_history WHERE idempotency_key = :key
"""
REPAIRS_OF: LiteralString = """
SELECT run_id FROM control.run_history WHERE summary ->> 'repairs' = :run_id ORDER BY started DESC
"""
LAST_RUNS: LiteralString = "SELECT stage, CAST(last AS text) AS last FROM control.stage_last_run"
LINES: LiteralString = """
SELECT seq, at, stage, key, level, text FROM control.run_log
 WHERE run_id = :run_id AND seq > :after
   AND (CAST(:stage AS text) IS NULL OR stage = :stage) AND (CAST(:key AS text) IS NULL OR key = :key)
 ORDER BY seq LIMIT :limit
"""
ASK_TO_CANCEL: LiteralString = """
UPDATE control.run_history SET cancelled_by = :by
 WHERE run_id = :run_id AND state IN ('running', 'cancelling') AND cancelled_by IS NULL
"""
WHO_CANCELLED: LiteralString = "SELECT cancelled_by FROM control.run_history WHERE run_id = :run_id"
INTERRUPTED: LiteralString = """
UPDATE control.run_history
   SET state = 'interrupted',
       summary = summary || '{"state": "interrupted", "error": "the admin ended while this went on",
                              "what_now": "Run or repair it: what was made is found, and the rest is done."}'
 WHERE state IN ('running', 'cancelling')
RETURNING run_id
"""

SUMMARY = TypeAdapter(RunSummary)
DETAIL = TypeAdapter(RunDetail)
LAST_RUN = TypeAdapter(LastRun)

log = get_logger(__name__)


@dataclass(frozen=True)
class RunRecord:
    """A run as it is kept."""

    detail: RunDetail
    last_runs: Mapping[str, LastRun]
    key: str | None = None
    """The idempotency key of the request that started it."""
    request_digest: str = ""


@dataclass(frozen=True)
class RunFilters:
    """Which runs to list; None does not restrict."""

    action: Action | None = None
    state: RunState | None = None
    by: str | None = None

    def fit(self, run: RunDetail) -> bool:
        """Whether a run is one of them."""
        return (
            self.action in {None, run.action}
            and self.state in {None, run.state}
            and self.by in {None, run.by}
        )


@dataclass(frozen=True)
class LogFilters:
    """Which lines of a log to read: those behind line `after`, of a stage or of one resource."""

    stage: str | None = None
    key: str | None = None
    after: int = 0

    def fit(self, line: LogLine) -> bool:
        """Whether a line is one of them."""
        return self.stage in {None, line.stage} and self.key in {None, line.key} and line.seq > self.after


class RunStore:
    """Keeps runs and their logs. Safe between threads."""

    def __init__(self, tables: ControlTables) -> None:
        self._tables = tables
        self._lock = Lock()
        self._writing = Lock()
        self._waiting: dict[str, RunRecord] = {}
        self._waiting_lines: dict[str, list[LogLine]] = {}

    def save(self, record: RunRecord, lines: Sequence[LogLine]) -> str | None:
        """Keep the run as it is now, and further lines of its log; who asked to cancel it, if anybody did."""
        run_id = record.detail.run_id
        with self._lock:
            self._waiting[run_id] = record
            self._waiting_lines.setdefault(run_id, []).extend(lines)
        try:
            return self._flush().get(run_id)
        except CaspersError as error:
            log.warning("run not saved yet", run_id=run_id, error=str(error))
            return None

    def run(self, run_id: str) -> RunDetail | None:
        """A run with its steps."""
        if (waiting := self._remembered(run_id)) is not None:
            return waiting.detail
        row = self._tables.read(lambda reader: reader.row(RUN, run_id=run_id), without=None)
        return None if row is None else DETAIL.validate_json(row.detail)

    def page(self, filters: RunFilters, after: str | None, limit: int) -> Page[RunSummary]:
        """Runs that pass the filters, newest first. Raises `Invalid` for a cursor that is none of ours."""
        begin = None if after is None else place("runs", after, datetime)
        self._try_to_flush()
        read = self._tables.read(lambda reader: _page(reader, filters, begin, limit + 1), without=None)
        found = self._page_in_memory(filters, begin) if read is None else read
        if len(found) <= limit:
            return Page(tuple(found), None)
        last = found[limit - 1]
        return Page(tuple(found[:limit]), cursor("runs", last.started, last.run_id))

    def last_success(self) -> RunSummary | None:
        """The newest run that brought something about."""
        return self._newest(LAST_SUCCESS, lambda run: (run.action, run.state) == ("provision", "succeeded"))

    def going_on(self) -> RunSummary | None:
        """The run that goes on, here or in another process."""
        return self._newest(GOING, lambda run: run.state in GOING_ON)

    def by_key(self, key: str) -> tuple[RunSummary, str] | None:
        """The run that a request with this idempotency key started, and the digest of that request."""
        for record in self._all_remembered():
            if record.key == key:
                return summary_of(record.detail), record.request_digest
        row = self._tables.read(lambda reader: reader.row(BY_KEY, key=key), without=None)
        return None if row is None else (SUMMARY.validate_json(row.summary), row.request_digest)

    def repairs_of(self, run_id: str) -> list[str]:
        """The runs that repair this one, newest first."""
        rows = self._tables.read(lambda reader: reader.rows(REPAIRS_OF, run_id=run_id), without=[])
        waiting = (record.detail for record in reversed(self._all_remembered()))
        found = [run.run_id for run in waiting if run.repairs == run_id]
        return [*found, *(row.run_id for row in rows if row.run_id not in found)]

    def last_runs(self) -> dict[str, LastRun]:
        """How the newest run that touched a stage ended for it, by stage."""
        rows = self._tables.read(lambda reader: reader.rows(LAST_RUNS), without=[])
        found = {row.stage: LAST_RUN.validate_json(row.last) for row in rows}
        for record in self._all_remembered():
            found |= record.last_runs
        return found

    def lines(self, run_id: str, filters: LogFilters, limit: int) -> list[LogLine]:
        """Lines of a run's log, oldest first."""
        self._try_to_flush()
        with self._lock:
            waiting = [line for line in self._waiting_lines.get(run_id, []) if filters.fit(line)]
        rows = self._tables.read(
            lambda reader: reader.rows(LINES, run_id=run_id, limit=limit, **asdict(filters)), without=[]
        )
        return [*(LogLine(*row) for row in rows), *waiting][:limit]

    def ask_to_cancel(self, run_id: str, by: str) -> None:
        """Leave word for the process that does the run."""
        self._tables.write(lambda writer: writer.execute(ASK_TO_CANCEL, run_id=run_id, by=by), without=0)

    def cancelled_by(self, run_id: str) -> str | None:
        """Who asked to cancel a run, if anybody did and it can be told."""
        try:
            row = self._tables.read(lambda reader: reader.row(WHO_CANCELLED, run_id=run_id), without=None)
        except CaspersError as error:
            log.warning("not told whether the run is to be cancelled", run_id=run_id, error=str(error))
            return None
        return None if row is None else row.cancelled_by

    def note_interrupted(self) -> list[str]:
        """Mark what goes on according to the record as interrupted; only call it while nothing does."""
        rows = self._tables.write(lambda writer: writer.rows(INTERRUPTED), without=[])
        return [row.run_id for row in rows]

    def _flush(self) -> dict[str, str | None]:
        """Write all that waits; who asked to cancel each of those runs. Nothing is lost when it fails."""
        with self._writing:
            return self._write_waiting()

    def _write_waiting(self) -> dict[str, str | None]:
        with self._lock:
            records, lines = (
                dict(self._waiting),
                {key: list(kept) for key, kept in self._waiting_lines.items()},
            )
        if not records:
            return {}
        said = self._tables.write(lambda writer: _write(writer, records, lines), without=None)
        if said is None:
            return {}
        with self._lock:
            for run_id, record in records.items():
                self._waiting_lines[run_id] = self._waiting_lines.get(run_id, [])[len(lines[run_id]) :]
                if self._waiting.get(run_id) is record and not self._waiting_lines[run_id]:
                    del self._waiting[run_id], self._waiting_lines[run_id]
        return said

    def _try_to_flush(self) -> None:
        try:
            self._flush()
        except CaspersError as error:
            log.warning("runs not saved yet", error=str(error))

    def _remembered(self, run_id: str) -> RunRecord | None:
        with self._lock:
            return self._waiting.get(run_id)

    def _all_remembered(self) -> list[RunRecord]:
        """Oldest first."""
        with self._lock:
            return sorted(self._waiting.values(), key=lambda record: record.detail.started)

    def _page_in_memory(self, filters: RunFilters, begin: Place | None) -> list[RunSummary]:
        runs = [record.detail for record in reversed(self._all_remembered())]
        return [
            summary_of(run)
            for run in runs
            if filters.fit(run) and (begin is None or (run.started, run.run_id) < (begin.key, begin.row_id))
        ]

    def _newest(self, statement: LiteralString, fits: Callable[[RunDetail], bool]) -> RunSummary | None:
        waiting = next((r.detail for r in reversed(self._all_remembered()) if fits(r.detail)), None)
        if waiting is not None:
            return summary_of(waiting)
        row = self._tables.read(lambda reader: reader.row(statement), without=None)
        return None if row is None else SUMMARY.validate_json(row.summary)


def _page(reader: Reader, filters: RunFilters, begin: Place | None, limit: int) -> list[RunSummary]:
    before, before_id = (begin.key, begin.row_id) if begin else (None, None)
    rows = reader.rows(PAGE, **asdict(filters), before=before, before_id=before_id, limit=limit)
    return [SUMMARY.validate_json(row.summary) for row in rows]


def _write(
    writer: Writer, records: Mapping[str, RunRecord], lines: Mapping[str, Sequence[LogLine]]
) -> dict[str, str | None]:
    said: dict[str, str | None] = {}
    for run_id, record in records.items():
        row = writer.row(SAVE, **_columns(record))
        said[run_id] = row.cancelled_by if row is not None else None
        stages = {stage: LAST_RUN.dump_python(last, mode="json") for stage, last in record.last_runs.items()}
        writer.execute(SAVE_STAGES, started=record.detail.started, stages=json.dumps(stages))
        if lines[run_id]:
            rows = json.dumps([asdict(line) for line in lines[run_id]], default=str)
            writer.execute(SAVE_LINES, run_id=run_id, lines=rows)
    return said


def _columns(record: RunRecord) -> dict[str, Any]:
    document = DETAIL.dump_python(record.detail, mode="json")
    details = {name: document.pop(name) for name in ("steps", "critical_path")}
    return {
        "run_id": record.detail.run_id,
        "started": record.detail.started,
        "action": record.detail.action,
        "state": record.detail.state,
        "started_by": record.detail.by,
        "summary": json.dumps(document),
        "details": json.dumps(details),
        "idempotency_key": record.key,
        "request_digest": record.request_digest,
    }
