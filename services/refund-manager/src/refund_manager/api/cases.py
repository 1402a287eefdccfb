"""One case as JSON: what is known of it, who works on it, what a reviewer has begun to write."""

from datetime import datetime
from typing import Annotated

from caspers.review.texts import Note, OrderId
from caspers.web.identity import Caller
from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from refund_manager import cases
from refund_manager.approval_rules import Action, ReasonCode, RefundClass
from refund_manager.desk import Desk
from refund_manager.queue_query import Usd

OrderPath = Annotated[OrderId, Path()]


class ClaimWish(BaseModel):
    """How a case is claimed."""

    take_over: bool = Field(False, description="take it from whoever has it; that leaves a trace")


class ClaimAnswer(BaseModel):
    """A claim, until when it lasts unless renewed, and whom it was taken from."""

    order_id: str
    reviewer: str
    until: datetime
    taken_from: str | None


class Draft(BaseModel):
    """What a reviewer has begun to decide; kept as it is, checked only when it is sent as a decision."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=2**31 - 1, description="the version of the case it was begun on")
    action: Action | None = None
    refund_usd: Usd | None = None
    refund_class: RefundClass | None = None
    reason_code: ReasonCode | None = None
    note: Note = ""


class DraftAnswer(BaseModel):
    """The draft is kept; `stale` when the case has changed since it was begun."""

    version: int = Field(description="the case's version now")
    stale: bool


def router(desk: Desk) -> APIRouter:
    """The addresses of one case."""
    api = APIRouter(prefix="/api/cases", tags=["cases"])

    @api.get("/{order_id}", summary="A case")
    def case(order_id: OrderPath, caller: Caller) -> Response:
        """The case, who has claimed it, your draft, its decisions, the policy, and which case comes next."""
        with desk.database.reading() as reader:
            document = cases.shown(reader, order_id, reviewer=caller.label, now=desk.clock.now())
        return Response(document, media_type="application/json")

    @api.post("/{order_id}/claim", summary="Claim a case, or renew the claim")
    def claim(order_id: OrderPath, caller: Caller, wish: ClaimWish | None = None) -> ClaimAnswer:
        """For three minutes; 409 names who has it. Renew while the case is open."""
        take_over = wish is not None and wish.take_over
        with desk.database.transaction() as writer:
            taken = desk.claims.take(writer, order_id, caller.label, desk.clock.now(), take_over=take_over)
        return ClaimAnswer(
            order_id=order_id, reviewer=taken.reviewer, until=taken.until, taken_from=taken.taken_from
        )

    @api.delete("/{order_id}/claim", summary="Give a case back", status_code=204)
    def release(order_id: OrderPath, caller: Caller) -> None:
        """Nothing happens when it is not yours."""
        with desk.database.transaction() as writer:
            desk.claims.release(writer, order_id, caller.label, desk.clock.now())

    @api.put("/{order_id}/draft", summary="Keep a draft")
    def keep(order_id: OrderPath, draft: Draft, caller: Caller) -> DraftAnswer:
        """Yours alone; other people's changes of the case do not touch it."""
        fields = draft.model_dump(exclude={"version"}, mode="json")
        with desk.database.transaction() as writer:
            now = desk.drafts.keep(
                writer, order_id, caller.label, fields, version=draft.version, now=desk.clock.now()
            )
        return DraftAnswer(version=now, stale=now != draft.version)

    @api.delete("/{order_id}/draft", summary="Throw the draft away", status_code=204)
    def drop(order_id: OrderPath, caller: Caller) -> None:
        """Nothing happens when there is none."""
        with desk.database.transaction() as writer:
            desk.drafts.drop(writer, order_id, caller.label)

    return api
