"""The queue as JSON: a page of cases, how many there are, and what happens live."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import orjson
from caspers.web.live import Feed, stream
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from refund_manager import case_queue
from refund_manager.approval_rules import Origin, RefundClass, Status
from refund_manager.desk import Desk
from refund_manager.queue_query import CaseFilters, QueueQuery


class CaseRow(BaseModel):
    """A case of the list. The agent's numbers are null where its origin is "error"."""

    order_id: str
    version: int = Field(description="send it with a decision: it says what you have seen")
    status: Status
    recommended_at: datetime
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
    refund_usd: float | None
    refund_class: RefundClass | None
    reason: str | None = Field(description="the beginning of the agent's reason; text, never markup")
    origin: Origin
    agent_version: str | None
    decision_id: str | None
    decided_by: str | None
    decided_at: datetime | None
    final_usd: float | None
    final_class: RefundClass | None
    newer_at: datetime | None = Field(description="a recommendation that came after the decision")
    claimed_by: str | None
    claimed_until: datetime | None = Field(description="a claim of the past is nobody's")


class QueueAnswer(BaseModel):
    """A page of the queue."""

    cases: list[CaseRow]
    next: str | None = Field(description="the cursor `after` of the next page; null on the last one")
    searched: int | None = Field(description="how many cases a search for text looked at; `next` goes on")


class OriginCount(BaseModel):
    """Cases of one origin, and the dollars that were recommended in them."""

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
    by_status: dict[str, int] = Field(description="whatever the filter `status` says")
    by_class: dict[str, int]
    by_origin: dict[str, OriginCount]
    by_location: list[LocationCount]


def router(desk: Desk) -> APIRouter:
    """The addresses of the queue."""
    api = APIRouter(prefix="/api", tags=["queue"])
    feed = Feed(lambda: _pulse(desk))

    @api.get("/queue", summary="A page of cases", responses={200: {"model": QueueAnswer}})
    def queue(query: Annotated[QueueQuery, Query()]) -> Response:
        """Pending cases first unless asked otherwise; follow `next` to the last one of a million."""
        filters = query.filters(desk.clock.now())
        with desk.database.reading() as reader:
            page = case_queue.page(reader, filters, query.sort, query.after or None, query.limit)
        rest = orjson.dumps({"next": page.next, "searched": page.searched})
        return Response(b'{"cases":' + page.text.encode() + b"," + rest[1:], media_type="application/json")

    @api.get("/queue/counts", summary="How many cases there are")
    def counts(query: Annotated[CaseFilters, Query()]) -> CountsAnswer:
        """Exact while only status, class, origin and location are filtered; else up to a cap."""
        with desk.database.reading() as reader:
            found = case_queue.counts(reader, query.filters(desk.clock.now()))
        return CountsAnswer.model_validate(asdict(found))

    @api.get("/live", summary="Server-sent events: counts, newest recommendation, policy")
    async def live(request: Request) -> StreamingResponse:
        """An `update` whenever one of them changes; reconnect with `Last-Event-ID`."""
        return stream(request, feed)

    return api


def _pulse(desk: Desk) -> dict[str, Any]:
    with desk.database.reading() as reader:
        return case_queue.pulse(reader)
