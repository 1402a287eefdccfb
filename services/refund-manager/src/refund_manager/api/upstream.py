"""The addresses of the original refund manager, kept for the scripts that people have: same paths, fields and types.

Who decided is the identity of the request here as everywhere; a `decided_by` in the body is read and ignored.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from caspers.review.decisions import Ballot
from caspers.review.queue_query import Usd
from caspers.review.shared_read import SharedRead
from caspers.review.tables import NoSuchCase
from caspers.review.texts import Note, OrderId
from caspers.web.identity import Caller
from caspers.web.turns import SlowLane
from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from refund_manager import cases, upstream
from refund_manager.approval_rules import Asked, Case, RefundClass
from refund_manager.desk import Desk

#: All events of an order as rows with the columns of lakeflow.all_events; raises `NotFound`.
OrderEvents = Callable[[str], list[dict[str, Any]]]

Offset = Annotated[int, Query(ge=0, le=10_000_000)]
Limit = Annotated[int, Query(ge=1, le=1_000)]


class Summary(BaseModel):
    """Totals. Without `include_zero`, suggestions of nothing and unusable ones are not among the first."""

    recommendations_count: int
    total_recommendations: int
    suggestions_by_class: dict[str, int]
    suggested_total_usd: float
    decisions_count: int
    decisions_by_class: dict[str, int]
    decided_total_usd: float
    pending_count: int


class Suggestion(BaseModel):
    """What the agent said."""

    refund_usd: float
    refund_class: Literal["none", "partial", "full", "error"]
    reason: str


class Applied(BaseModel):
    """The decision that stands."""

    order_id: str
    id: int
    decided_ts: datetime
    amount_usd: float
    refund_class: RefundClass
    reason: str
    decided_by: str | None


class Recommendation(BaseModel):
    """A recommendation and what became of it."""

    order_id: str
    ts: datetime
    order_ts: datetime | None
    suggestion: Suggestion
    decision: Applied | None
    status: Literal["applied", "pending"]


class Recommendations(BaseModel):
    """A page of recommendations."""

    items: list[Recommendation]
    limit: int
    offset: int
    total: int
    has_more: bool


class RefundRequest(BaseModel):
    """A refund to apply."""

    order_id: OrderId
    amount_usd: Usd
    refund_class: RefundClass
    reason: Note
    decided_by: str | None = Field(None, max_length=2_000, description="ignored: the request says who asks")


def router(desk: Desk, events: OrderEvents) -> APIRouter:
    """The four addresses."""
    api = APIRouter(prefix="/api", tags=["addresses of the original"])
    lane = SlowLane()

    kinds: SharedRead[upstream.Kinds] = SharedRead(lambda: _kinds(desk))

    @api.get("/summary", summary="Totals", responses={200: {"model": Summary}})
    async def summary(include_zero: bool = False) -> JSONResponse:  # noqa: FBT001, FBT002  a query parameter
        """Over all recommendations and decisions."""
        return JSONResponse(upstream.summary(await kinds.get(), include_zero=include_zero))

    @api.get("/recommendations", summary="Recommendations, the newest order first")
    def recommendations(
        limit: Limit = 50,
        offset: Offset = 0,
        include_zero: bool = False,  # noqa: FBT001, FBT002  a query parameter
    ) -> Recommendations:
        """For long walks through many of them, /api/queue pages by key."""
        with desk.database.reading() as reader:
            found = upstream.recommendations(reader, limit=limit, offset=offset, include_zero=include_zero)
        return Recommendations.model_validate(found)

    @api.post("/refunds", summary="Apply a refund", status_code=201)
    def apply(body: RefundRequest, caller: Caller) -> Applied:
        """A decision like any other: 409 when the order has one already."""
        with desk.database.reading() as reader:
            found = cases.by_ids(reader, [body.order_id])
        if not found:
            raise NoSuchCase(body.order_id)
        ballot = Ballot(body.order_id, found[0].version, caller.label)
        decision = desk.decisions.decide(ballot, _asked(found[0], body)).decision
        return Applied(
            order_id=body.order_id,
            id=decision["entry"],
            decided_ts=decision["decided_at"],
            amount_usd=decision["refund_usd"],
            refund_class=decision["refund_class"],
            reason=body.reason,
            decided_by=decision["decided_by"],
        )

    @api.get("/orders/{order_id}/events", summary="What happened to an order")
    async def order_events(order_id: Annotated[OrderId, Path()]) -> dict[str, Any]:
        """In their order; the driver's pings are left out."""
        return {
            "order_id": order_id,
            "events": [e for e in await lane.run(events, order_id) if e["event_type"] != "driver_ping"],
        }

    return api


def _kinds(desk: Desk) -> upstream.Kinds:
    with desk.database.reading() as reader:
        return upstream.kinds(reader)


def _asked(case: Case, body: RefundRequest) -> Asked:
    """The decision that such a refund is: the agent's, none at all, or another one, for the reason given."""
    amount = Decimal(body.amount_usd)
    if (amount, body.refund_class) == (case.refund_usd, case.refund_class):
        return Asked("accept", note=body.reason)
    if amount == 0 and body.refund_class == "none":
        return Asked("refuse", reason_code="other", note=body.reason)
    return Asked("change", amount, body.refund_class, "other", body.reason)
