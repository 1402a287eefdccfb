"""The console's pages: the queue with the case beside it, one case, bulk, history, agreement, policy.

Each page shows what its JSON twin answers, from the same functions; scripts ask for a page's blocks as they need them.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

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
from pydantic import Field

from refund_manager import bulk
from refund_manager.agreement_report import By, agreement_report
from refund_manager.approval_rules import REASONS
from refund_manager.case_queue import QUEUE, Sort
from refund_manager.cases import SHOWING
from refund_manager.desk import Desk
from refund_manager.history import History, HistoryFilters
from refund_manager.queue_query import CaseFilters, QueueQuery

_HERE = Path(__file__).parent
#: What the app passes to `base_app`.
LOOK = Look(_HERE / "templates", _HERE / "static", NAVIGATION, shared_templates=(TEMPLATES,))

SORTS = (
    ("newest", "Newest first"),
    ("oldest", "Oldest first"),
    ("amount", "Largest amount"),
    ("longest", "Longest delivery"),
)


class BulkQuery(CaseFilters):
    """What a bulk preview looks through; `order_id`: only these."""

    sort: Sort = "newest"
    order_id: list[OrderId] = Field(default_factory=list[OrderId], max_length=bulk.MOST)


class HistoryQuery(HistoryFilters, HistoryPageFilters):
    """A page of the history as its form asks for it."""


def router(desk: Desk, past: History) -> APIRouter:
    """The pages that need Postgres only."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/")
    def show_queue(request: Request, query: Annotated[QueueQuery, Query()]) -> HTMLResponse:
        shown = queue_context(request, desk.database, QUEUE, query, desk.clock.now())
        return render(request, "queue.html", **shown, sorts=SORTS)

    @pages.get("/cases/{order_id}")
    def show_case(request: Request, order_id: OrderId, caller: Caller) -> HTMLResponse:
        shown = case_context(desk.database, SHOWING, order_id, caller.label, desk.clock.now())
        return render(request, "case.html", **shown, reason_codes=tuple(REASONS.items()))

    @pages.get("/bulk")
    def show_bulk(request: Request, query: Annotated[BulkQuery, Query()], caller: Caller) -> HTMLResponse:
        return render(request, "bulk.html", **_bulk(desk, query, caller.label))

    @pages.get("/history")
    def show_history(request: Request, query: Annotated[HistoryQuery, Query()]) -> HTMLResponse:
        shown = history_context(request, past, query, desk.clock.now())
        return render(request, "history.html", **shown, reasons={**REASONS})

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
