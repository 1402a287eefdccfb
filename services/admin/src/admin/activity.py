"""The record of who did what, and of what was refused. Before there is a control database it waits in memory."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Literal, LiteralString

from caspers.clients.postgres import Reader, Writer
from caspers.clock import Clock
from caspers.errors import CaspersError
from caspers.review.keyset import cursor, place
from structlog import get_logger

from admin.control_tables import ControlTables
from admin.roles import NEEDED, Actor, MayNot
from admin.shapes import ActivityEntry, Page

MOST_WAITING = 10_000
"""Entries that wait in memory; beyond that the oldest are lost."""

WRITE: LiteralString = """
INSERT INTO control.activity (at, who, role, action, object, outcome, detail)
SELECT each.at, each.who, each.role, each.action, each.object, each.outcome, each.detail
  FROM jsonb_to_recordset(CAST(:entries AS jsonb))
       AS each (at timestamptz, who text, role text, action text, object text, outcome text, detail jsonb)
"""
PAGE: LiteralString = """
SELECT seq, at, who, role, action, object, outcome, detail FROM control.activity
 WHERE (CAST(:who AS text) IS NULL OR who = :who) AND (CAST(:action AS text) IS NULL OR action = :action)
   AND (CAST(:before AS bigint) IS NULL OR seq < :before)
 ORDER BY seq DESC LIMIT :limit
"""

log = get_logger(__name__)


@dataclass(frozen=True)
class ActivityFilters:
    """Which entries to list; None does not restrict."""

    who: str | None = None
    action: str | None = None


class Activity:
    """The record. Safe between threads."""

    def __init__(self, tables: ControlTables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock
        self._lock = Lock()
        self._writing = Lock()
        self._waiting: deque[ActivityEntry] = deque(maxlen=MOST_WAITING)
        self._told = 0

    def demand(self, actor: Actor, action: str, what: str) -> None:
        """Raises `MayNot`, and puts the attempt on record, unless the actor's role is enough."""
        if actor.may(action):
            return
        self.record(actor, action, what, outcome="refused")
        raise MayNot(
            f"{actor.who} is {_with_article(actor.role)} here, and this takes {_with_article(NEEDED[action])}",
            what_now="Ask an owner of the demo for the role: PUT /api/v1/roles/{principal}.",
        )

    def record(
        self,
        actor: Actor,
        action: str,
        what: str,
        detail: Mapping[str, Any] | None = None,
        *,
        outcome: Literal["done", "refused"] = "done",
    ) -> None:
        """Put something on record."""
        with self._lock:
            self._told += 1
            self._waiting.append(
                ActivityEntry(
                    self._told, self._clock.now(), actor.who, actor.role, action, what, outcome, detail or {}
                )
            )
        self._try_to_write()

    def page(self, filters: ActivityFilters, after: str | None, limit: int) -> Page[ActivityEntry]:
        """Entries, newest first. Raises `Invalid` for a cursor that is none of ours."""
        before = None if after is None else place("activity", after, int).key
        self._try_to_write()
        read = self._tables.read(lambda reader: _page(reader, filters, before, limit + 1), without=None)
        found = self._in_memory(filters, before) if read is None else read
        following = cursor("activity", found[limit - 1].seq, "") if len(found) > limit else None
        return Page(tuple(found[:limit]), following)

    def _try_to_write(self) -> None:
        try:
            with self._writing:
                self._write()
        except CaspersError as error:
            log.warning("activity not written yet", error=str(error))

    def _write(self) -> None:
        with self._lock:
            entries = list(self._waiting)
        if not entries:
            return
        written = self._tables.write(lambda writer: _insert(writer, entries), without=None)
        if written is None:
            return
        with self._lock:
            last = entries[-1].seq
            while self._waiting and self._waiting[0].seq <= last:
                self._waiting.popleft()

    def _in_memory(self, filters: ActivityFilters, before: int | None) -> list[ActivityEntry]:
        with self._lock:
            waiting = list(self._waiting)
        return [
            entry
            for entry in reversed(waiting)
            if filters.who in {None, entry.who}
            and filters.action in {None, entry.action}
            and (before is None or entry.seq < before)
        ]


def _page(reader: Reader, filters: ActivityFilters, before: int | None, limit: int) -> list[ActivityEntry]:
    rows = reader.rows(PAGE, **asdict(filters), before=before, limit=limit)
    return [ActivityEntry(*row) for row in rows]


def _insert(writer: Writer, entries: Sequence[ActivityEntry]) -> int:
    return writer.execute(WRITE, entries=json.dumps([asdict(entry) for entry in entries], default=str))


def _with_article(role: str) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"
