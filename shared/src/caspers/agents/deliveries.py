"""Delivered orders that a line has not dealt with yet: live ones, and those of the history before the line began.

Where history ends is fixed once, in a file of the checkpoints volume. Which orders are looked at follows from their lots,
so that a share is the same orders every time. The line's table alone says what is done; the cursor over the ingestion
times only narrows the scan, and a new process begins without one.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, Protocol

from pydantic import AwareDatetime, BaseModel, ValidationError

from caspers.agents.lots import LOT_SQL, lots_below
from caspers.agents.statements import with_schemas
from caspers.clients.warehouse import Warehouse
from caspers.errors import Conflict, Invalid
from caspers.model.tables import Table
from caspers.names import Names, quoted

LINE_START = "_line_start"
#: Orders that one look brings, at most; the LIMIT of the statement.
BATCH = 200
#: How far behind the newest event a look goes back, for commits that become visible late.
OVERLAP = timedelta(minutes=10)

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)

_NEWEST = "SELECT max(_ingested_at) AS newest FROM {lakeflow}.all_events WHERE _ingested_at >= :since"

# The latest delivery; while the first events still come in, the moment they began to: virtual time starts there.
_BOUNDARY = """
SELECT greatest(max(CASE WHEN event_type = 'delivered' THEN ts END), min(_ingested_at)) AS boundary
FROM {lakeflow}.all_events
"""

_PENDING = """
FROM {lakeflow}.all_events AS e
LEFT ANTI JOIN {done} AS r ON r.order_id = e.order_id
LEFT ANTI JOIN (SELECT explode(from_json(:skipped, 'array<string>')) AS order_id) AS s ON s.order_id = e.order_id
WHERE e.event_type = 'delivered' AND e.ts > :after AND e.ts <= :until AND e._ingested_at >= :ingested_since
  AND {lot} < :lots_below
""".replace("{lot}", LOT_SQL.replace("{subject}", "e.order_id"))
_SELECT = "SELECT e.order_id, e.ts AS delivered_ts, e._ingested_at AS ingested_at, e.location_id" + _PENDING
_NEWEST_FIRST = _SELECT + "ORDER BY e.ts DESC LIMIT 200"
_COUNT = "SELECT count(*) AS orders" + _PENDING

_NEWEST_ITEM = "SELECT max(order_ts) AS newest FROM {lakeflow}.silver_order_items"


class Files(Protocol):
    """Whole files by name, written at once or not at all; `caspers.clients.volume.Volume` is one."""

    def write(self, name: str, content: bytes, *, overwrite: bool = True) -> None: ...

    def read_if_there(self, name: str) -> bytes | None: ...


@dataclass(frozen=True)
class Delivery:
    """An order that was delivered (virtual time), and when its delivery reached bronze (wall clock)."""

    order_id: str
    delivered_ts: datetime
    ingested_at: datetime
    location_id: int
    live: bool

    @property
    def subject(self) -> str:
        return self.order_id

    @property
    def key(self) -> tuple[str, datetime]:
        """The order and when it was delivered: what its facts are found by."""
        return self.order_id, self.delivered_ts


@dataclass(frozen=True)
class Line:
    """Who deals with delivered orders: the purpose of its lots, and the table with a row for each order it has done."""

    purpose: str
    done: Table


class LineStart(BaseModel):
    """Where history ends: orders delivered after `boundary` are live."""

    boundary: AwareDatetime


class Deliveries:
    """Looks for delivered orders; for one thread."""

    def __init__(self, warehouse: Warehouse, checkpoints: Files, names: Names, line: Line) -> None:
        self._warehouse = warehouse
        self._checkpoints = checkpoints
        self._names = names
        self._line = line
        self._boundary: datetime | None = None
        self._newest = _EVER
        self._cursor = _EVER

    def boundary(self) -> datetime | None:
        """Where history ends; fixed at the first call that finds events, None before. Raises `Invalid` for a spoilt file."""
        if self._boundary is None:
            self._boundary = self._kept_boundary() or self._fix_boundary()
        return self._boundary

    def news(self) -> bool:
        """Whether events came in since the last call; costs little when none did."""
        newest = self._moment(_NEWEST, "newest", since=self._newest) or self._newest
        known, self._newest = self._newest, newest
        return newest > known

    def live(self, share: float, unfinished: Iterable[Delivery], skipped: Collection[str]) -> list[Delivery]:
        """The newest live orders that the line has not done, except those to skip; `unfinished` keep the cursor back."""
        found = self._pending(self._since_the_line(share), skipped, live=True)
        if len(found) < BATCH:
            oldest = min((order.ingested_at for order in (*found, *unfinished)), default=self._newest)
            self._cursor = max(self._cursor, min(oldest, self._newest) - OVERLAP)
        return found

    def history(self, share: float, skipped: Collection[str]) -> list[Delivery]:
        """The newest orders of the history that the line has not done, except those to skip."""
        return self._pending(self._before_the_line(share), skipped, live=False)

    def pending(self, live_share: float, history_share: float) -> tuple[int, int]:
        """How many orders wait: live ones, and of the history."""
        counts = [
            self._pending_query(_COUNT, skipped="[]", **values)[0]["orders"]
            for values in (self._since_the_line(live_share), self._before_the_line(history_share))
        ]
        return counts[0], counts[1]

    def look_at_all(self) -> None:
        """Forget the cursor: the next look goes over everything, as after a change of the shares."""
        self._cursor = _EVER

    def newest_item(self) -> datetime | None:
        """When the latest order was placed whose items are known."""
        return self._moment(_NEWEST_ITEM, "newest")

    def _since_the_line(self, share: float) -> dict[str, Any]:
        return {
            "after": self.boundary() or _NEVER,
            "until": _NEVER,
            "ingested_since": self._cursor,
            "lots_below": lots_below(share),
        }

    def _before_the_line(self, share: float) -> dict[str, Any]:
        until = self.boundary() or _EVER
        return {"after": _EVER, "until": until, "ingested_since": _EVER, "lots_below": lots_below(share)}

    def _pending(self, values: dict[str, Any], skipped: Collection[str], *, live: bool) -> list[Delivery]:
        rows = self._pending_query(_NEWEST_FIRST, skipped=json.dumps(sorted(skipped)), **values)
        # A dataset that delivers an order twice still has one order.
        return list({row["order_id"]: Delivery(**row, live=live) for row in rows}.values())

    def _kept_boundary(self) -> datetime | None:
        content = self._checkpoints.read_if_there(LINE_START)
        try:
            return LineStart.model_validate_json(content).boundary if content else None
        except ValidationError as error:
            raise Invalid(
                f"{LINE_START} in the checkpoints volume does not hold a moment",
                what_now="Delete the file; history then ends at the latest delivery.",
            ) from error

    def _fix_boundary(self) -> datetime | None:
        boundary = self._moment(_BOUNDARY, "boundary")
        if boundary is None:
            return None
        try:
            content = LineStart(boundary=boundary).model_dump_json().encode()
            self._checkpoints.write(LINE_START, content, overwrite=False)
        except Conflict:
            return self._kept_boundary()
        return boundary

    def _moment(self, statement: LiteralString, name: str, **values: Any) -> datetime | None:
        return self._query(statement, **values)[0][name]

    def _pending_query(self, statement: LiteralString, **values: Any) -> list[dict[str, Any]]:
        done = quoted(self._names.table(self._line.done.name))
        return self._query(statement.replace("{done}", done), purpose=self._line.purpose, **values)

    def _query(self, statement: LiteralString, **values: Any) -> list[dict[str, Any]]:
        return self._warehouse.query(with_schemas(statement, self._names), values).to_pylist()
