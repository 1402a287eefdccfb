"""The console's pages: the queue with the case beside it, one case, its evidence, history, agreement, policy.

Each page shows what its JSON twin answers, from the same functions; scripts ask for a page's blocks as they need them.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from caspers.review import TEMPLATES
from caspers.review.addresses import Addresses
from caspers.review.decisions import UNDO_WITHIN
from caspers.review.evidence import EvidenceRoom
from caspers.review.keyset import CURSOR_MAX_LENGTH
from caspers.review.texts import OrderId
from caspers.web.app import Look
from caspers.web.identity import Caller
from caspers.web.pages import Link, render
from caspers.web.turns import SlowLane
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from complaint_console import case_queue
from complaint_console.agreement_report import CLASSES, By, agreement_report
from complaint_console.cases import shown_case
from complaint_console.desk import Desk
from complaint_console.history import History, HistoryFilters
from complaint_console.queue_query import QueueQuery
from complaint_console.review_rules import REASONS

_HERE = Path(__file__).parent
NAVIGATION = (
    Link("Queue", "/"),
    Link("History", "/history"),
    Link("Agreement", "/agreement"),
    Link("Policy", "/policy"),
)
#: What the app passes to `base_app`.
LOOK = Look(_HERE / "templates", _HERE / "static", NAVIGATION, shared_templates=(TEMPLATES,))

STATES = (("pending", "Pending"), ("second", "Second person"), ("decided", "Decided"), ("all", "All"))
SORTS = (
    ("urgent", "Urgent first"),
    ("newest", "Newest first"),
    ("oldest", "Oldest first"),
    ("amount", "Largest credit"),
)
CATEGORIES = ("delivery_delay", "missing_items", "food_quality", "service_issue", "other")


class HistoryQuery(HistoryFilters):
    """A page of the history."""

    after: str | None = Field(None, max_length=CURSOR_MAX_LENGTH)


def router(desk: Desk, past: History) -> APIRouter:
    """The pages that need Postgres only."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/")
    def show_queue(request: Request, query: Annotated[QueueQuery, Query()]) -> HTMLResponse:
        return render(request, "queue.html", **_queue(desk, request, query))

    @pages.get("/cases/{complaint_id}")
    def show_case(request: Request, complaint_id: OrderId, caller: Caller) -> HTMLResponse:
        now = desk.clock.now()
        with desk.database.reading() as reader:
            found = shown_case(reader, complaint_id, reviewer=caller.label, now=now)
        _mark_undoable(found["decisions"], now)
        reasons = tuple(REASONS.items())
        return render(request, "case.html", **found, reason_codes=reasons, categories=CATEGORIES)

    @pages.get("/history")
    def show_history(request: Request, query: Annotated[HistoryQuery, Query()]) -> HTMLResponse:
        return render(request, "history.html", **_history(past, request, query))

    @pages.get("/agreement")
    def show_agreement(request: Request, by: By = "category") -> HTMLResponse:
        report = agreement_report(desk.database, by)
        groupings = ("category", "location", "version")
        return render(request, "agreement.html", report=report, classes=CLASSES, groupings=groupings)

    @pages.get("/policy")
    def show_policy(request: Request) -> HTMLResponse:
        return render(request, "policy.html", versions=desk.policy.versions())

    return pages


def evidence_router(room: EvidenceRoom) -> APIRouter:
    """The page that asks the lakehouse; it comes into a case's page after the case."""
    pages = APIRouter(include_in_schema=False)
    lane = SlowLane()

    @pages.get("/cases/{complaint_id}/evidence")
    async def show_evidence(request: Request, complaint_id: OrderId) -> HTMLResponse:
        evidence = await lane.run(room.evidence, complaint_id)
        return render(request, "evidence_page.html", evidence=evidence)

    return pages


def _queue(desk: Desk, request: Request, query: QueueQuery) -> dict[str, Any]:
    now = desk.clock.now()
    filters = query.filters(now)
    with desk.database.reading() as reader:
        page = case_queue.page(reader, filters, query.sort, query.after or None, query.limit)
        counts = case_queue.counts(reader, filters)
        everywhere = case_queue.counts(reader, case_queue.QueueFilters(status=None))
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
        "sorts": SORTS,
        "categories": CATEGORIES,
        "address": Addresses(request),
    }


def _with_living_claim(case: dict[str, Any], now: datetime) -> dict[str, Any]:
    until = case["claimed_until"]
    living = until is not None and datetime.fromisoformat(until) > now
    return case if living else case | {"claimed_by": None}


def _mark_undoable(decisions: list[dict[str, Any]], now: datetime) -> None:
    """Say of each review whether it can be undone: the last one, for some minutes."""
    for decision in decisions:
        recent = now - datetime.fromisoformat(decision["decided_at"]) < UNDO_WITHIN
        decision["undoable"] = decision is decisions[-1] and decision["step"] != "undo" and recent


def _history(past: History, request: Request, query: HistoryQuery) -> dict[str, Any]:
    page = past.page(query, query.after)
    asked = query.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"after"})
    return {
        "decisions": page.decisions,
        "next": page.next,
        "filters": query,
        "export": urlencode(asked),
        "address": Addresses(request),
        "reasons": {**REASONS},
        "categories": CATEGORIES,
    }
