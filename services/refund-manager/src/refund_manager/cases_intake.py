"""The step of the worker `refund_cases`: recommendations that reached the synced table become cases of the queue.

The tail is asked for four times a second, a little behind the newest moment seen, because rows do not always arrive
in the order of their moments. A patrol walks the whole table beside it, a batch at a time and for ever, so that
nothing is missed whatever the tail overlooked. A pending case follows a changed recommendation with a new version; a
case that people have begun to decide keeps what they saw, and notes that there is something newer.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, Protocol

from caspers.clients.postgres import Postgres, Writer
from caspers.errors import NotFound, Unavailable
from caspers.worker.step import StepContext, StepOutcome

#: Announces on Postgres that cases have come or changed; live pages and workers may listen.
CHANNEL = "refund_cases"
#: Seconds between two looks at the tail.
EVERY_S = 0.25
#: Rows that one statement looks at.
BATCH = 5_000
#: How far behind the newest moment the tail is read again.
OVERLAP = timedelta(seconds=5)
#: Seconds between two batches of the patrol, which also folds the journal of counts.
PATROL_EVERY_S = 5.0

_THE_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

#: How a statement finds the rows to look at: after the tail's last moment, or after the patrol's last order.
_TAIL: LiteralString = """
WITH looked AS (
    SELECT * FROM recommender.pg_recommendations
     WHERE (ts, order_id) > (:moment, :order_id) ORDER BY ts, order_id LIMIT :most
)"""
_PATROL: LiteralString = """
WITH looked AS (
    SELECT * FROM recommender.pg_recommendations WHERE order_id > :order_id ORDER BY order_id LIMIT :most
)"""

#: What an agent said is acted on only where it fits the columns it claims to fill; anything else is an error.
_TAKE_IN: LiteralString = """, checked AS (
    SELECT looked.*, coalesce(ts, now()) AS recommended_at,
           coalesce(origin IN ('model', 'rules') AND refund_class IN ('none', 'partial', 'full')
                    AND refund_usd >= 0 AND (refund_usd = 0) = (refund_class = 'none'), false) AS usable
      FROM looked
), arrived AS (
    INSERT INTO refunds.cases AS mine (
        order_id, recommended_at, order_ts, delivered_ts, location_id, location, brands, customer_addr, order_total,
        delivery_minutes, p50_minutes, p75_minutes, p99_minutes, refund_usd, refund_class, reason, origin,
        agent_version, run_id)
    SELECT order_id, checked.recommended_at, checked.order_ts, checked.delivered_ts, checked.location_id,
           checked.location, string_to_array(coalesce(checked.brands, ''), ', '), checked.customer_addr,
           checked.order_total, checked.delivery_minutes, checked.p50_minutes, checked.p75_minutes,
           checked.p99_minutes, CASE WHEN usable THEN checked.refund_usd END,
           CASE WHEN usable THEN checked.refund_class END, checked.reason,
           CASE WHEN usable THEN checked.origin ELSE 'error' END, checked.agent_version, checked.run_id
      FROM checked LEFT JOIN refunds.cases AS known USING (order_id)
     WHERE known.order_id IS NULL OR known.status = 'pending' AND checked.ts > known.recommended_at
     ORDER BY order_id
    ON CONFLICT (order_id) DO UPDATE SET
        version = mine.version + 1, newer_at = NULL, recommended_at = excluded.recommended_at,
        order_ts = excluded.order_ts, delivered_ts = excluded.delivered_ts, location_id = excluded.location_id,
        location = excluded.location, brands = excluded.brands, customer_addr = excluded.customer_addr,
        order_total = excluded.order_total, delivery_minutes = excluded.delivery_minutes,
        p50_minutes = excluded.p50_minutes, p75_minutes = excluded.p75_minutes, p99_minutes = excluded.p99_minutes,
        refund_usd = excluded.refund_usd, refund_class = excluded.refund_class, reason = excluded.reason,
        origin = excluded.origin, agent_version = excluded.agent_version, run_id = excluded.run_id
     WHERE mine.status = 'pending'
    RETURNING 1
), noted AS (
    UPDATE refunds.cases AS known SET newer_at = looked.ts FROM looked
     WHERE known.order_id = looked.order_id AND known.status <> 'pending'
       AND looked.ts > greatest(known.recommended_at, known.newer_at)
    RETURNING 1
)
SELECT (SELECT count(*) FROM looked) AS looked, (SELECT count(*) FROM arrived) AS arrived,
       (SELECT count(*) FROM noted) AS noted, (SELECT max(ts) FROM looked) AS newest,
       (SELECT order_id FROM looked ORDER BY ts DESC, order_id DESC LIMIT 1) AS last_by_moment,
       (SELECT max(order_id) FROM looked) AS last_by_order
"""

_TAKE_TAIL: LiteralString = _TAIL + _TAKE_IN
_TAKE_PATROL: LiteralString = _PATROL + _TAKE_IN

_ANNOUNCE: LiteralString = "SELECT pg_notify(:channel, :changed)"

#: Two copies may fold at once: each row is taken out by one of them, and its difference put back by the same.
_FOLD: LiteralString = """
WITH folded AS (DELETE FROM refunds.case_counts RETURNING *)
INSERT INTO refunds.case_counts
SELECT status, refund_class, final_class, origin, location_id, location, sum(cases), sum(agent_usd), sum(final_usd)
  FROM folded GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(cases) <> 0
"""


class Approving(Protocol):
    """What may decide cases as soon as they are there (see `approval_policy`)."""

    def approve_pending(self) -> int:
        """Decide what may be decided without a person; the number of cases."""
        ...


@dataclass(frozen=True)
class _Position:
    """The last row of the synced table that a walk has looked at."""

    moment: datetime = _THE_BEGINNING
    order_id: str = ""


class CaseIntake:
    """Keeps `refunds.cases` up to date; forgetting where it was costs time, never a case."""

    def __init__(self, database: Postgres, approving: Approving | None = None) -> None:
        self._database = database
        self._approving = approving
        self._tail = _Position()
        self._patrol = _Position()
        self._patrol_due_s = 0.0
        self._taken = 0

    def step(self, _parameters: dict[str, Any], context: StepContext) -> StepOutcome:
        """Take in what has arrived since the last step."""
        try:
            more = self._follow_tail()
            if context.clock.monotonic() >= self._patrol_due_s:
                self._walk_patrol()
                self._patrol_due_s = context.clock.monotonic() + PATROL_EVERY_S
        except NotFound as error:
            raise Unavailable(
                "recommender.pg_recommendations is not there yet",
                what_now="The stage Lakebase_Reverse_ETL makes it.",
            ) from error
        approved = self._approving.approve_pending() if self._approving else 0
        progress = {"taken_in": self._taken, "newest": self._tail.moment.isoformat(), "approved": approved}
        return StepOutcome(progress, again=more, next_in_s=EVERY_S)

    def _follow_tail(self) -> bool:
        """Whether the batch was full, so that there is more."""
        with self._database.transaction() as writer:
            moment, order_id = self._tail.moment, self._tail.order_id
            row = writer.row(_TAKE_TAIL, moment=moment, order_id=order_id, most=BATCH)
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
            row = writer.row(_TAKE_PATROL, order_id=self._patrol.order_id, most=BATCH)
            assert row is not None
            self._note(writer, row)
            writer.execute(_FOLD)
        self._patrol = _Position(order_id=row.last_by_order) if row.looked == BATCH else _Position()

    def _note(self, writer: Writer, row: Any) -> None:
        self._taken += row.arrived
        if row.arrived or row.noted:
            writer.row(_ANNOUNCE, channel=CHANNEL, changed=str(row.arrived + row.noted))
