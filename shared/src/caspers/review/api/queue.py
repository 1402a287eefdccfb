"""The queue as JSON: what a row and counts have in every console, and what happens live."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from caspers.clients.postgres import Postgres, Reader
from caspers.review.case_queue import CaseQueue, QueueFilters
from caspers.review.rules import Origin, Status
from caspers.web.live import Feed, stream


class Row(BaseModel):
    """A case of the list, without what the agent said."""

    version: int = Field(description="send it with a decision: it says what you have seen")
    status: Status
    recommended_at: datetime = Field(description="when the agent said it")
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
    origin: Origin
    agent_version: str | None
    decision_id: str | None
    decided_by: str | None
    decided_at: datetime | None
    final_usd: float | None
    newer_at: datetime | None = Field(description="something the agent said after the decision")
    claimed_by: str | None
    claimed_until: datetime | None = Field(description="a claim of the past is nobody's")


class PageAnswer(BaseModel):
    """Where a page of the queue leads."""

    next: str | None = Field(description="the cursor `after` of the next page; null on the last one")
    searched: int | None = Field(description="how many cases a search for text looked at; `next` goes on")


class OriginCount(BaseModel):
    """Cases of one origin, and the dollars that the agent would pay in them."""

    cases: int
    agent_usd: float


class LocationCount(BaseModel):
    """Cases of one location."""

    location_id: int | None
    location: str | None
    cases: int


class Counts(BaseModel):
    """How many cases pass the filters."""

    cases: int
    exact: bool = Field(description="false: there are at least so many")
    by_status: dict[str, int] = Field(description="whatever the filter `status` says")
    by_origin: dict[str, OriginCount]
    by_location: list[LocationCount]


class Asked(Protocol):
    """A page of the queue as an address asks for it."""

    @property
    def sort(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def limit(self) -> int: ...
    def filters(self, now: datetime) -> QueueFilters:
        """Which cases; ages are counted back from `now`."""
        ...


def page_answer(database: Postgres, queue: CaseQueue[Any], asked: Asked, now: datetime) -> Response:
    """A page as the database wrote it, and where it leads."""
    with database.reading() as reader:
        page = queue.page(reader, asked.filters(now), asked.sort, asked.after or None, asked.limit)
    rest = orjson.dumps({"next": page.next, "searched": page.searched})
    return Response(b'{"cases":' + page.text.encode() + b"," + rest[1:], media_type="application/json")


def live_router(database: Postgres, pulse: Callable[[Reader], dict[str, Any]]) -> APIRouter:
    """The stream that pages follow."""
    api = APIRouter()

    def read() -> dict[str, Any]:
        with database.reading() as reader:
            return pulse(reader)

    feed = Feed(read)

    @api.get("/live", summary="Server-sent events: counts, newest case, policy")
    async def live(request: Request) -> StreamingResponse:
        """An `update` whenever one of them changes; reconnect with `Last-Event-ID`."""
        return stream(request, feed)

    return api
