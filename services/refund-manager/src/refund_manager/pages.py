"""The console's pages: the queue with the case beside it, one case, bulk, history, agreement, policy.

Each page shows what its JSON twin answers, from the same functions; scripts ask for a page's blocks as they need them.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import urlencode

from caspers.clock import Clock
from caspers.review import TEMPLATES
from caspers.review.addresses import Addresses
from caspers.review.decisions import UNDO_WITHIN
from caspers.review.evidence import Evidence
from caspers.review.keyset import CURSOR_MAX_LENGTH
from caspers.review.texts import OrderId
from caspers.web.app import Look
from caspers.web.identity import Caller
from caspers.web.pages import Link, render
from caspers.web.turns import SlowLane
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from refund_manager import bulk, case_queue
from refund_manager.agreement_report import By, agreement_report
from refund_manager.approval_rules import REASONS
from refund_manager.cases import shown_case
from refund_manager.desk import Desk
from refund_manager.history import History, HistoryFilters
from refund_manager.queue_query import CaseFilters, QueueQuery

_HERE = Path(__file__).parent
NAVIGATION = (
    Link("Queue", "/"),
    Link("History", "/history"),
    Link("Agreement", "/agreement"),
    Link("Policy", "/policy"),
)
#: What the app passes to `base_app`.
LOOK = Look(
    _HERE / "templates",
    _HERE / "static",
    NAVIGATION,
    shared_templates=(TEMPLATES,),
)

STATES = (("pending", "Pending"), ("second", "Second person"), ("decided", "Decided"), ("all", "All"))
SORTS = (
    ("newest", "Newest first"),
    ("oldest", "Oldest first"),
    ("amount", "Largest amount"),
    ("longest", "Longest delivery"),
)


class BulkQuery(CaseFilters):
    """What a bulk preview looks through; `order_id`: only these."""

    sort: case_queue.Sort = "newest"
    order_id: list[OrderId] = Field(default_factory=list[OrderId], max_length=bulk.MOST)


class HistoryQuery(HistoryFilters):
    """A page of the history; days are whole days of UTC, as a form gives them."""

    first_day: date | None = None
    last_day: date | None = None
    after: str | None = Field(None, max_length=CURSOR_MAX_LENGTH)

    def filters(self) -> HistoryFilters:
        """The days as moments."""
        since = _midnight(self.first_day) if self.first_day else self.since
        until = _midnight(self.last_day) + timedelta(days=1) if self.last_day else self.until
        return self.model_copy(update={"since": since, "until": until})


class GathersEvidence(Protocol):
    """Who finds the evidence of a case (see `evidence`)."""

    def evidence(self, case_id: str) -> Evidence:
        """All the evidence of one case."""
        ...


def router(desk: Desk, history: History) -> APIRouter:
    """The pages that need Postgres only."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/")
    def show_queue(request: Request, query: Annotated[QueueQuery, Query()]) -> HTMLResponse:
        return render(request, "queue.html", **_queue(desk, request, query))

    @pages.get("/cases/{order_id}")
    def show_case(request: Request, order_id: OrderId, caller: Caller) -> HTMLResponse:
        now = desk.clock.now()
        with desk.database.reading() as reader:
            found = shown_case(reader, order_id, reviewer=caller.label, now=now)
        _mark_undoable(found["decisions"], now)
        return render(request, "case.html", **found, reason_codes=tuple(REASONS.items()))

    @pages.get("/bulk")
    def show_bulk(request: Request, query: Annotated[BulkQuery, Query()], caller: Caller) -> HTMLResponse:
        return render(request, "bulk.html", **_bulk(desk, query, caller.label))

    @pages.get("/history")
    def show_history(request: Request, query: Annotated[HistoryQuery, Query()]) -> HTMLResponse:
        return render(request, "history.html", **_history(history, desk.clock, request, query))

    @pages.get("/agreement")
    def show_agreement(request: Request, by: By = "class") -> HTMLResponse:
        return render(
            request,
            "agreement.html",
            report=agreement_report(desk.database, by),
            classes=("none", "partial", "full"),
            groupings=("class", "location", "version"),
        )

    @pages.get("/policy")
    def show_policy(request: Request) -> HTMLResponse:
        return render(request, "policy.html", versions=desk.policy.versions())

    return pages


def evidence_router(room: GathersEvidence) -> APIRouter:
    """The page that asks the lakehouse; it comes into a case's page after the case."""
    pages = APIRouter(include_in_schema=False)
    lane = SlowLane()

    @pages.get("/cases/{order_id}/evidence")
    async def show_evidence(request: Request, order_id: OrderId) -> HTMLResponse:
        evidence = await lane.run(room.evidence, order_id)
        return render(request, "evidence_page.html", evidence=evidence)

    return pages


def _queue(desk: Desk, request: Request, query: QueueQuery) -> dict[str, Any]:
    now = desk.clock.now()
    filters = query.filters(now)
    with desk.database.reading() as reader:
        page = case_queue.page(reader, filters, query.sort, query.after or None, query.limit)
        counts = case_queue.counts(reader, filters)
        everywhere = case_queue.counts(reader, case_queue.QueueFilters(status=None))
    cases = [_with_living_claim(case, now) for case in page.cases]
    return {
        "cases": cases,
        "next": page.next,
        "searched": page.searched,
        "counts": counts,
        "by_status": counts.by_status | {"all": sum(counts.by_status.values())},
        "locations": everywhere.by_location,
        "filters": query,
        "filtered": bool(set(request.query_params) - {"sort", "status", "after", "limit"}),
        "states": STATES,
        "sorts": SORTS,
        "address": Addresses(request),
    }


def _with_living_claim(case: dict[str, Any], now: datetime) -> dict[str, Any]:
    until = case["claimed_until"]
    living = until is not None and datetime.fromisoformat(until) > now
    return case if living else case | {"claimed_by": None}


def _mark_undoable(decisions: list[dict[str, Any]], now: datetime) -> None:
    """Say of each decision whether it can be undone: the last one, for some minutes."""
    for decision in decisions:
        recent = now - datetime.fromisoformat(decision["decided_at"]) < UNDO_WITHIN
        decision["undoable"] = decision is decisions[-1] and decision["step"] != "undo" and recent


def _bulk(desk: Desk, query: BulkQuery, person: str) -> dict[str, Any]:
    now = desk.clock.now()
    with desk.database.reading() as reader:
        preview = bulk.preview(reader, query.filters(now), person, now, sort=query.sort)
    left_out = preview.left_out
    cases = preview.cases
    if query.order_id:
        cases = [case for case in preview.cases if case["order_id"] in query.order_id]
        missing = len(query.order_id) - len(cases)
        left_out = {"needs to be looked at by itself": missing} if missing else {}
    total = sum((case["refund_usd"] for case in cases), Decimal(0))
    return {"cases": cases, "sum_usd": total, "left_out": left_out, "chosen": bool(query.order_id)}


def _history(history: History, clock: Clock, request: Request, query: HistoryQuery) -> dict[str, Any]:
    filters = query.filters()
    page = history.page(filters, query.after)
    asked = filters.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"first_day", "last_day", "after"}
    )
    return {
        "decisions": page.decisions,
        "next": page.next,
        "filters": query,
        "undoable_since": clock.now() - UNDO_WITHIN,
        "export": urlencode(asked),
        "address": Addresses(request),
        "reasons": {**REASONS},
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
