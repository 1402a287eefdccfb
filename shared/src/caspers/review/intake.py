"""The step of a worker that turns rows of a synced table into cases of a queue.

The tail is asked for four times a second, a little behind the newest moment seen, because rows do not always arrive
in the order of their moments. A patrol walks the whole table beside it, a batch at a time and for ever, so that
nothing is missed whatever the tail overlooked. What a row becomes is the console's own statement: a pending case follows
a changed row with a new version; a case that people have begun to decide keeps what they saw, and notes the newer one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from caspers.clients.postgres import Postgres, Writer
from caspers.errors import NotFound, Unavailable
from caspers.review.counts import fold_statement
from caspers.review.tables import ReviewTables
from caspers.worker.step import StepContext, StepOutcome

#: Seconds between two looks at the tail.
EVERY_S = 0.25
#: Rows that one statement looks at.
BATCH = 5_000
#: How far behind the newest moment the tail is read again.
OVERLAP = timedelta(seconds=5)
#: Seconds between two batches of the patrol, which also folds the journal of counts.
PATROL_EVERY_S = 5.0

_THE_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

#: How a statement finds the rows to look at: after the tail's last moment, or after the patrol's last case.
_TAIL: LiteralString = """
WITH looked AS (
    SELECT * FROM {source} WHERE (ts, {key}) > (:moment, :case_id) ORDER BY ts, {key} LIMIT :most
)"""
_PATROL: LiteralString = """
WITH looked AS (
    SELECT * FROM {source} WHERE {key} > :case_id ORDER BY {key} LIMIT :most
)"""

#: What the rows become. A case that people have begun to decide keeps what they saw.
_TAKE_IN: LiteralString = """, {judged}, arrived AS (
    INSERT INTO {cases} AS mine ({key}, {columns})
    SELECT {key}, {values}
      FROM judged LEFT JOIN {cases} AS known USING ({key})
     WHERE known.{key} IS NULL OR known.status = 'pending' AND judged.ts > known.recommended_at
     ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET version = mine.version + 1, newer_at = NULL, {followed}
     WHERE mine.status = 'pending'
    RETURNING 1
), noted AS (
    UPDATE {cases} AS known SET newer_at = looked.ts FROM looked
     WHERE known.{key} = looked.{key} AND known.status <> 'pending'
       AND looked.ts > greatest(known.recommended_at, known.newer_at)
    RETURNING 1
)"""
#: What every console keeps of a row; one whose answer is not `usable` is an error.
_KEPT: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("recommended_at", "coalesce(judged.ts, now())"),
    ("order_ts", "judged.order_ts"),
    ("delivered_ts", "judged.delivered_ts"),
    ("location_id", "judged.location_id"),
    ("location", "judged.location"),
    ("brands", "string_to_array(coalesce(judged.brands, ''), ', ')"),
    ("customer_addr", "judged.customer_addr"),
    ("order_total", "judged.order_total"),
    ("delivery_minutes", "judged.delivery_minutes"),
    ("p50_minutes", "judged.p50_minutes"),
    ("p75_minutes", "judged.p75_minutes"),
    ("p99_minutes", "judged.p99_minutes"),
    ("origin", "CASE WHEN usable THEN judged.origin ELSE 'error' END"),
    ("agent_version", "judged.agent_version"),
    ("run_id", "judged.run_id"),
)

_WHAT_CAME: LiteralString = """
SELECT (SELECT count(*) FROM looked) AS looked, (SELECT count(*) FROM arrived) AS arrived,
       (SELECT count(*) FROM noted) AS noted, (SELECT max(ts) FROM looked) AS newest,
       (SELECT {key} FROM looked ORDER BY ts DESC, {key} DESC LIMIT 1) AS last_by_moment,
       (SELECT max({key}) FROM looked) AS last_by_id
"""

_TOTAL: LiteralString = "SELECT coalesce(sum(cases), 0)::bigint AS cases FROM {counts}"
_ANNOUNCE: LiteralString = "SELECT pg_notify(:channel, :changed)"


@dataclass(frozen=True)
class Arrivals:
    """Where a console's cases come from: the synced table (with `ts`), the stage that makes it, and what a row becomes.

    `judged` is a CTE of that name over the CTE `looked`, with a column `usable`: whether the agent's answer can be acted
    on. `columns` are the console's own columns of a case, each with its value as an expression over `judged`.
    """

    tables: ReviewTables
    source: LiteralString
    made_by: str
    judged: LiteralString
    columns: tuple[tuple[LiteralString, LiteralString], ...]
    kinds: LiteralString

    def statement(self, looked: LiteralString) -> LiteralString:
        """The statement that takes in the rows which `looked` finds."""
        columns = (*_KEPT, *self.columns)
        parts: tuple[tuple[LiteralString, LiteralString], ...] = (
            ("{judged}", self.judged),
            ("{columns}", ", ".join([name for name, _ in columns])),
            ("{values}", ", ".join([value for _, value in columns])),
            ("{followed}", ", ".join([name + " = excluded." + name for name, _ in columns])),
            ("{source}", self.source),
        )
        whole: LiteralString = looked + _TAKE_IN + _WHAT_CAME
        for place, text in parts:
            whole = whole.replace(place, text)
        return self.tables.statement(whole)


@dataclass(frozen=True)
class _Position:
    """The last row of the synced table that a walk has looked at."""

    moment: datetime = _THE_BEGINNING
    case_id: str = ""


class Intake:
    """Keeps a console's cases up to date; forgetting where it was costs time, never a case.

    `decide_pending` may decide, without a person, what has come; it returns the number of cases.
    """

    def __init__(
        self, database: Postgres, arrivals: Arrivals, decide_pending: Callable[[], int] | None = None
    ) -> None:
        self._database = database
        self._arrivals = arrivals
        self._decide_pending = decide_pending
        self._take_tail: LiteralString = arrivals.statement(_TAIL)
        self._take_patrol: LiteralString = arrivals.statement(_PATROL)
        self._fold: LiteralString = arrivals.tables.statement(fold_statement(arrivals.kinds))
        self._tail = _Position()
        self._patrol = _Position()
        self._patrol_due_s = 0.0
        self._total: LiteralString = arrivals.tables.statement(_TOTAL)
        self._cases: int | None = None

    def step(self, _parameters: dict[str, Any], context: StepContext) -> StepOutcome:
        """Take in what has arrived since the last step."""
        try:
            more = self._follow_tail()
            if context.clock.monotonic() >= self._patrol_due_s:
                self._walk_patrol()
                self._patrol_due_s = context.clock.monotonic() + PATROL_EVERY_S
        except NotFound as error:
            raise Unavailable(
                f"{self._arrivals.source} is not there yet",
                what_now=f"The stage {self._arrivals.made_by} makes it.",
            ) from error
        approved = self._decide_pending() if self._decide_pending else 0
        progress = {"cases": self._cases, "newest": self._tail.moment.isoformat(), "approved": approved}
        return StepOutcome(progress, again=more, next_in_s=EVERY_S)

    def _follow_tail(self) -> bool:
        """Whether the batch was full, so that there is more."""
        with self._database.transaction() as writer:
            moment, case_id = self._tail.moment, self._tail.case_id
            row = writer.row(self._take_tail, moment=moment, case_id=case_id, most=BATCH)
            assert row is not None
            self._note(writer, row)
        if row.looked == BATCH:
            self._tail = _Position(row.newest, row.last_by_moment)
            return True
        if row.newest is not None:
            self._tail = _Position(max(row.newest - OVERLAP, moment))
        return False

    def _walk_patrol(self) -> None:
        with self._database.transaction() as writer:
            row = writer.row(self._take_patrol, case_id=self._patrol.case_id, most=BATCH)
            assert row is not None
            self._note(writer, row)
            writer.execute(self._fold)
        self._patrol = _Position(case_id=row.last_by_id) if row.looked == BATCH else _Position()

    def _note(self, writer: Writer, row: Any) -> None:
        if row.arrived or self._cases is None:
            counted = writer.row(self._total)
            assert counted is not None
            self._cases = counted.cases
        if row.arrived or row.noted:
            changed = str(row.arrived + row.noted)
            writer.row(_ANNOUNCE, channel=self._arrivals.tables.channel, changed=changed)
