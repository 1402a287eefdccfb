"""One case as JSON: what is known of it, who works on it, what a reviewer has begun to write, whether the triage helped."""

from datetime import datetime
from typing import Annotated

from caspers.review.ratings import Rating
from caspers.review.texts import Note, OrderId
from caspers.web.identity import Caller
from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from complaint_console import cases
from complaint_console.desk import Desk
from complaint_console.queue_query import Usd
from complaint_console.review_rules import Action, Category, Priority, ReasonCode

CasePath = Annotated[OrderId, Path()]


class ClaimWish(BaseModel):
    """How a case is claimed."""

    take_over: bool = Field(False, description="take it from whoever has it; that leaves a trace")


class ClaimAnswer(BaseModel):
    """A claim, until when it lasts unless renewed, and whom it was taken from."""

    complaint_id: str
    reviewer: str
    until: datetime
    taken_from: str | None


class Draft(BaseModel):
    """What a reviewer has begun to decide; kept as it is, checked only when it is sent as a review."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=2**31 - 1, description="the version of the case it was begun on")
    action: Action | None = None
    credit_usd: Usd | None = None
    category: Category | None = None
    priority: Priority | None = None
    reply: Note = ""
    reason_code: ReasonCode | None = None
    note: Note = ""


class DraftAnswer(BaseModel):
    """The draft is kept; `stale` when the case has changed since it was begun."""

    version: int = Field(description="the case's version now")
    stale: bool


class RatingGiven(BaseModel):
    """What a person thinks of the agent's answer."""

    helpful: bool
    reason: Note = Field("", description="why; needed when it does not help")


def router(desk: Desk) -> APIRouter:
    """The addresses of one case."""
    api = APIRouter(prefix="/api/cases", tags=["cases"])

    @api.get("/{complaint_id}", summary="A case")
    def case(complaint_id: CasePath, caller: Caller) -> Response:
        """The case, who has claimed it, your draft, its reviews, the policy, and which case comes next."""
        with desk.database.reading() as reader:
            document = cases.shown(reader, complaint_id, reviewer=caller.label, now=desk.clock.now())
        return Response(document, media_type="application/json")

    @api.post("/{complaint_id}/claim", summary="Claim a case, or renew the claim")
    def claim(complaint_id: CasePath, caller: Caller, wish: ClaimWish | None = None) -> ClaimAnswer:
        """For three minutes; 409 names who has it. Renew while the case is open."""
        over = wish is not None and wish.take_over
        with desk.database.transaction() as writer:
            taken = desk.claims.take(writer, complaint_id, caller.label, desk.clock.now(), take_over=over)
        return ClaimAnswer(
            complaint_id=complaint_id, reviewer=taken.reviewer, until=taken.until, taken_from=taken.taken_from
        )

    @api.delete("/{complaint_id}/claim", summary="Give a case back", status_code=204)
    def release(complaint_id: CasePath, caller: Caller) -> None:
        """Nothing happens when it is not yours."""
        with desk.database.transaction() as writer:
            desk.claims.release(writer, complaint_id, caller.label, desk.clock.now())

    @api.put("/{complaint_id}/draft", summary="Keep a draft")
    def keep(complaint_id: CasePath, draft: Draft, caller: Caller) -> DraftAnswer:
        """Yours alone; other people's changes of the case do not touch it."""
        fields = draft.model_dump(exclude={"version"}, mode="json")
        now, seen = desk.clock.now(), draft.version
        with desk.database.transaction() as writer:
            version = desk.drafts.keep(writer, complaint_id, caller.label, fields, version=seen, now=now)
        return DraftAnswer(version=version, stale=version != seen)

    @api.delete("/{complaint_id}/draft", summary="Throw the draft away", status_code=204)
    def drop(complaint_id: CasePath, caller: Caller) -> None:
        """Nothing happens when there is none."""
        with desk.database.transaction() as writer:
            desk.drafts.drop(writer, complaint_id, caller.label)

    @api.post("/{complaint_id}/rating", summary="Rate the agent's answer", status_code=201)
    def rate(complaint_id: CasePath, rating: RatingGiven, caller: Caller) -> Rating:
        """Say whether the agent's answer helps; the latest word of a person counts."""
        return desk.ratings.rate(complaint_id, caller.label, helpful=rating.helpful, reason=rating.reason)

    return api
