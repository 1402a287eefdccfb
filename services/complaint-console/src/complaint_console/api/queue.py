"""The queue as JSON: a page of cases, how many there are, and what happens live."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import orjson
from caspers.web.live import Feed, stream
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from complaint_console import case_queue
from complaint_console.desk import Desk
from complaint_console.queue_query import CaseFilters, QueueQuery
from complaint_console.review_rules import AgentDecision, Origin, Priority, Status


class CaseRow(BaseModel):
    """A case of the list. A suggestion has a credit and a confidence, an escalation a priority."""

    complaint_id: str
    order_id: str | None
    version: int = Field(description="send it with a review: it says what you have seen")
    status: Status
    recommended_at: datetime = Field(description="when it was triaged")
    complained_at: datetime | None
    order_ts: datetime | None
    delivered_ts: datetime | None
    location_id: int | None
    location: str | None
    brands: list[str]
    customer_addr: str | None
    order_total: float | None
    delivery_minutes: float | None
    p50_minutes: float | None
    p75_minutes: float | None
    p99_minutes: float | None
    complaint_text: str = Field(description="its beginning; a customer's text, never markup")
    complaint_category: str | None
    decision: AgentDecision
    credit_usd: float | None
    confidence: str | None
    priority: Priority | None
    rationale: str | None = Field(description="its beginning; text, never markup")
    origin: Origin
    agent_version: str | None
    place_in_line: float = Field(description="the key of the sort `urgent`")
    decision_id: str | None
    decided_by: str | None
    decided_at: datetime | None
    final_usd: float | None
    final_category: str | None
    final_outcome: str | None
    newer_at: datetime | None = Field(description="an answer of the agent that came after the review")
    claimed_by: str | None
    claimed_until: datetime | None = Field(description="a claim of the past is nobody's")


class QueueAnswer(BaseModel):
    """A page of the queue."""

    cases: list[CaseRow]
    next: str | None = Field(description="the cursor `after` of the next page; null on the last one")
    searched: int | None = Field(description="how many cases a search for text looked at; `next` goes on")


class OriginCount(BaseModel):
    """Cases of one origin, and the dollars that were suggested in them."""

    cases: int
    agent_usd: float


class LocationCount(BaseModel):
    """Cases of one location."""

    location_id: int | None
    location: str | None
    cases: int


class CountsAnswer(BaseModel):
    """How many cases pass the filters."""

    cases: int
    exact: bool = Field(description="false: there are at least so many")
    urgent: int
    by_status: dict[str, int] = Field(description="whatever the filter `status` says")
    by_decision: dict[str, int]
    by_category: dict[str, int]
    by_origin: dict[str, OriginCount]
    by_location: list[LocationCount]


def router(desk: Desk) -> APIRouter:
    """The addresses of the queue."""
    api = APIRouter(prefix="/api", tags=["queue"])
    feed = Feed(lambda: _pulse(desk))

    @api.get("/queue", summary="A page of cases", responses={200: {"model": QueueAnswer}})
    def queue(query: Annotated[QueueQuery, Query()]) -> Response:
        """Pending cases, urgent ones first unless asked otherwise; follow `next` to the last one of a million."""
        filters = query.filters(desk.clock.now())
        with desk.database.reading() as reader:
            page = case_queue.page(reader, filters, query.sort, query.after or None, query.limit)
        rest = orjson.dumps({"next": page.next, "searched": page.searched})
        return Response(b'{"cases":' + page.text.encode() + b"," + rest[1:], media_type="application/json")

    @api.get("/queue/counts", summary="How many cases there are")
    def counts(query: Annotated[CaseFilters, Query()]) -> CountsAnswer:
        """Exact while only what cases are counted by is filtered; else up to a cap."""
        with desk.database.reading() as reader:
            found = case_queue.counts(reader, query.filters(desk.clock.now()))
        return CountsAnswer.model_validate(asdict(found))

    @api.get("/live", summary="Server-sent events: counts, urgent cases, newest case, policy")
    async def live(request: Request) -> StreamingResponse:
        """An `update` whenever one of them changes; reconnect with `Last-Event-ID`."""
        return stream(request, feed)

    return api


def _pulse(desk: Desk) -> dict[str, Any]:
    with desk.database.reading() as reader:
        return case_queue.pulse(reader)
