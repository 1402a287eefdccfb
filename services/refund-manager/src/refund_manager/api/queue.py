"""The queue as JSON: a page of cases, how many there are, and what happens live."""

from dataclasses import asdict
from typing import Annotated

from caspers.review.api import queue as shared
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from refund_manager.approval_rules import RefundClass
from refund_manager.case_queue import QUEUE, pulse
from refund_manager.desk import Desk
from refund_manager.queue_query import CaseFilters, QueueQuery


class CaseRow(shared.Row):
    """A case of the list. The agent's numbers are null where its origin is "error"."""

    order_id: str
    refund_usd: float | None
    refund_class: RefundClass | None
    reason: str | None = Field(description="the beginning of the agent's reason; text, never markup")
    final_class: RefundClass | None


class QueueAnswer(shared.PageAnswer):
    """A page of the queue."""

    cases: list[CaseRow]


class CountsAnswer(shared.Counts):
    """How many cases pass the filters."""

    by_class: dict[str, int]


def router(desk: Desk) -> APIRouter:
    """The addresses of the queue."""
    api = APIRouter(prefix="/api", tags=["queue"])

    @api.get("/queue", summary="A page of cases", responses={200: {"model": QueueAnswer}})
    def queue(query: Annotated[QueueQuery, Query()]) -> Response:
        """Pending cases first unless asked otherwise; follow `next` to the last one of a million."""
        return shared.page_answer(desk.database, QUEUE, query, desk.clock.now())

    @api.get("/queue/counts", summary="How many cases there are")
    def counts(query: Annotated[CaseFilters, Query()]) -> CountsAnswer:
        """Exact while only status, class, origin and location are filtered; else up to a cap."""
        with desk.database.reading() as reader:
            return CountsAnswer(**asdict(QUEUE.counts(reader, query.filters(desk.clock.now()))))

    api.include_router(shared.live_router(desk.database, pulse))
    return api
