"""What the pages of every reviewers' console show: a queue, a case, a history; a console adds its own columns and words."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from pydantic import Field

from caspers.clients.postgres import Postgres
from caspers.review.addresses import Addresses
from caspers.review.case_queue import CaseQueue, QueueFilters
from caspers.review.decisions import UNDO_WITHIN
from caspers.review.history import DecisionFilters, DecisionHistory
from caspers.review.keyset import CURSOR_MAX_LENGTH
from caspers.review.shown_case import Showing
from caspers.web.pages import Link

NAVIGATION = (
    Link("Queue", "/"),
    Link("History", "/history"),
    Link("Agreement", "/agreement"),
    Link("Policy", "/policy"),
)
STATES = (("pending", "Pending"), ("second", "Second person"), ("decided", "Decided"), ("all", "All"))


class HistoryPageFilters(DecisionFilters):
    """A page of the history; days are whole days of UTC, as a form gives them."""

    first_day: date | None = None
    last_day: date | None = None
    after: str | None = Field(None, max_length=CURSOR_MAX_LENGTH)

    def as_moments(self) -> "HistoryPageFilters":
        """The days as moments."""
        since = _midnight(self.first_day) if self.first_day else self.since
        until = _midnight(self.last_day) + timedelta(days=1) if self.last_day else self.until
        return self.model_copy(update={"since": since, "until": until})


def queue_context(
    request: Request, database: Postgres, queue: CaseQueue[Any], query: Any, now: datetime
) -> dict[str, Any]:
    """A page of the queue as its address `query` asks for it, and the figures above it."""
    filters: QueueFilters = query.filters(now)
    with database.reading() as reader:
        page = queue.page(reader, filters, query.sort, query.after or None, query.limit)
        counts = queue.counts(reader, filters)
        everywhere = queue.counts(reader, type(filters)(status=None))
    return {
        "cases": [_with_living_claim(case, now) for case in page.cases],
        "next": page.next,
        "searched": page.searched,
        "counts": counts,
        "by_status": counts.by_status | {"all": sum(counts.by_status.values())},
        "locations": everywhere.by_location,
        "filters": query,
        "filtered": bool(set(request.query_params) - {"sort", "status", "after", "limit"}),
        "states": STATES,
        "address": Addresses(request),
    }


def case_context(
    database: Postgres, showing: Showing, case_id: str, reviewer: str, now: datetime
) -> dict[str, Any]:
    """A case for its page; of each decision it says whether it can be undone: the last one, for some minutes."""
    with database.reading() as reader:
        found = showing.case(reader, case_id, reviewer=reviewer, now=now)
    decisions = found["decisions"]
    for decision in decisions:
        recent = now - datetime.fromisoformat(decision["decided_at"]) < UNDO_WITHIN
        decision["undoable"] = decision is decisions[-1] and decision["step"] != "undo" and recent
    return {**found, "case_id": case_id}


def history_context(
    request: Request, past: DecisionHistory[Any], query: HistoryPageFilters, now: datetime
) -> dict[str, Any]:
    """A page of the record as its address asks for it."""
    filters = query.as_moments()
    page = past.page(filters, query.after)
    own = {"first_day", "last_day", "after"}
    asked = filters.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=own)
    return {
        "decisions": page.decisions,
        "next": page.next,
        "filters": query,
        "key": past.key,
        "undoable_since": now - UNDO_WITHIN,
        "export": urlencode(asked),
        "address": Addresses(request),
    }


def _with_living_claim(case: dict[str, Any], now: datetime) -> dict[str, Any]:
    until = case["claimed_until"]
    living = until is not None and datetime.fromisoformat(until) > now
    return case if living else case | {"claimed_by": None}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
