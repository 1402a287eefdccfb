"""The queue as JSON: a page of cases, how many there are, and what happens live."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from caspers.review.api import queue as shared
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from complaint_console.case_queue import QUEUE, pulse
from complaint_console.desk import Desk
from complaint_console.queue_query import CaseFilters, QueueQuery
from complaint_console.review_rules import AgentDecision, Priority


class CaseRow(shared.Row):
    """A case of the list. A suggestion has a credit and a confidence, an escalation a priority."""

    complaint_id: str
    order_id: str | None
    complained_at: datetime | None
    complaint_text: str = Field(description="its beginning; a customer's text, never markup")
    complaint_category: str | None
    decision: AgentDecision
    credit_usd: float | None
    confidence: str | None
    priority: Priority | None
    rationale: str | None = Field(description="its beginning; text, never markup")
    place_in_line: float = Field(description="the key of the sort `urgent`")
    final_category: str | None
    final_outcome: str | None


class QueueAnswer(shared.PageAnswer):
    """A page of the queue."""

    cases: list[CaseRow]


class CountsAnswer(shared.Counts):
    """How many cases pass the filters."""

    urgent: int
    by_decision: dict[str, int]
    by_category: dict[str, int]


def router(desk: Desk) -> APIRouter:
    """The addresses of the queue."""
    api = APIRouter(prefix="/api", tags=["queue"])

    @api.get("/queue", summary="A page of cases", responses={200: {"model": QueueAnswer}})
    def queue(query: Annotated[QueueQuery, Query()]) -> Response:
        """Pending cases, urgent ones first unless asked otherwise; follow `next` to the last one of a million."""
        return shared.page_answer(desk.database, QUEUE, query, desk.clock.now())

    @api.get("/queue/counts", summary="How many cases there are")
    def counts(query: Annotated[CaseFilters, Query()]) -> CountsAnswer:
        """Exact while only what cases are counted by is filtered; else up to a cap."""
        with desk.database.reading() as reader:
            return CountsAnswer(**asdict(QUEUE.counts(reader, query.filters(desk.clock.now()))))

    api.include_router(shared.live_router(desk.database, pulse))
    return api
