"""The console's pages: the queue with the case beside it, one case, history, agreement, policy.

Each page shows what its JSON twin answers, from the same functions; scripts ask for a page's blocks as they need them.
"""

from pathlib import Path
from typing import Annotated, get_args

from caspers.review import TEMPLATES
from caspers.review.console_pages import (
    NAVIGATION,
    HistoryPageFilters,
    case_context,
    history_context,
    queue_context,
)
from caspers.review.texts import OrderId
from caspers.web.app import Look
from caspers.web.identity import Caller
from caspers.web.pages import render
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from complaint_console.agreement_report import CLASSES, By, agreement_report
from complaint_console.case_queue import QUEUE
from complaint_console.cases import SHOWING
from complaint_console.desk import Desk
from complaint_console.history import History, HistoryFilters
from complaint_console.queue_query import QueueQuery
from complaint_console.review_rules import REASONS, Category

_HERE = Path(__file__).parent
#: What the app passes to `base_app`.
LOOK = Look(_HERE / "templates", _HERE / "static", NAVIGATION, shared_templates=(TEMPLATES,))

SORTS = (
    ("urgent", "Urgent first"),
    ("newest", "Newest first"),
    ("oldest", "Oldest first"),
    ("amount", "Largest credit"),
)
CATEGORIES = get_args(Category)


class HistoryQuery(HistoryFilters, HistoryPageFilters):
    """A page of the history as its form asks for it."""


def router(desk: Desk, past: History) -> APIRouter:
    """The pages that need Postgres only."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/")
    def show_queue(request: Request, query: Annotated[QueueQuery, Query()]) -> HTMLResponse:
        shown = queue_context(request, desk.database, QUEUE, query, desk.clock.now())
        return render(request, "queue.html", **shown, sorts=SORTS, categories=CATEGORIES)

    @pages.get("/cases/{complaint_id}")
    def show_case(request: Request, complaint_id: OrderId, caller: Caller) -> HTMLResponse:
        shown = case_context(desk.database, SHOWING, complaint_id, caller.label, desk.clock.now())
        codes = tuple(REASONS.items())
        return render(request, "case.html", **shown, reason_codes=codes, categories=CATEGORIES)

    @pages.get("/history")
    def show_history(request: Request, query: Annotated[HistoryQuery, Query()]) -> HTMLResponse:
        shown = history_context(request, past, query, desk.clock.now())
        return render(request, "history.html", **shown, reasons={**REASONS}, categories=CATEGORIES)

    @pages.get("/agreement")
    def show_agreement(request: Request, by: By = "category") -> HTMLResponse:
        report = agreement_report(desk.database, by)
        groupings = ("category", "location", "version")
        return render(request, "agreement.html", report=report, classes=CLASSES, groupings=groupings)

    @pages.get("/policy")
    def show_policy(request: Request) -> HTMLResponse:
        return render(request, "policy.html", versions=desk.policy.versions())

    return pages
