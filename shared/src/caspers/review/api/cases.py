"""One case as JSON: what is known of it, who works on it, what a reviewer has begun to write, whether the agent helped."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from caspers.review.desk import ReviewDesk
from caspers.review.ratings import Rating
from caspers.review.shown_case import Showing
from caspers.review.texts import Note, OrderId
from caspers.web.identity import Caller


class ClaimWish(BaseModel):
    """How a case is claimed."""

    take_over: bool = Field(False, description="take it from whoever has it; that leaves a trace")


class ClaimAnswer(BaseModel):
    """A claim, until when it lasts unless renewed, and whom it was taken from; a console adds what names the case."""

    reviewer: str
    until: datetime
    taken_from: str | None


class Draft(BaseModel):
    """What a reviewer has begun to decide; kept as it is, checked only when it is sent as a decision."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=2**31 - 1, description="the version of the case it was begun on")
    note: Note = ""


class DraftAnswer(BaseModel):
    """The draft is kept; `stale` when the case has changed since it was begun."""

    version: int = Field(description="the case's version now")
    stale: bool


class RatingGiven(BaseModel):
    """What a person thinks of the agent's answer."""

    helpful: bool
    reason: Note = Field("", description="why; needed when it does not help")


def router(desk: ReviewDesk, showing: Showing, claimed: type[ClaimAnswer]) -> APIRouter:
    """The addresses of one case, but for keeping a draft; `claimed` has a field of the name that the path has."""
    api = APIRouter(prefix="/api/cases", tags=["cases"])
    key = showing.tables.key
    of_case = f"/{{{key}}}"

    @api.get(of_case, summary="A case")
    def case(caller: Caller, case_id: OrderId = Path(alias=key)) -> Response:
        """The case, who has claimed it, your draft, its decisions, the policy, and which case comes next."""
        with desk.database.reading() as reader:
            document = showing.document(reader, case_id, reviewer=caller.label, now=desk.clock.now())
        return Response(document, media_type="application/json")

    @api.post(f"{of_case}/claim", summary="Claim a case, or renew the claim", response_model=claimed)
    def claim(caller: Caller, case_id: OrderId = Path(alias=key), wish: ClaimWish | None = None) -> Any:
        """For three minutes; 409 names who has it. Renew while the case is open."""
        over = wish is not None and wish.take_over
        with desk.database.transaction() as writer:
            taken = desk.claims.take(writer, case_id, caller.label, desk.clock.now(), take_over=over)
        return {key: case_id, **vars(taken)}

    @api.delete(f"{of_case}/claim", summary="Give a case back", status_code=204)
    def release(caller: Caller, case_id: OrderId = Path(alias=key)) -> None:
        """Nothing happens when it is not yours."""
        with desk.database.transaction() as writer:
            desk.claims.release(writer, case_id, caller.label, desk.clock.now())

    @api.delete(f"{of_case}/draft", summary="Throw the draft away", status_code=204)
    def drop(caller: Caller, case_id: OrderId = Path(alias=key)) -> None:
        """Nothing happens when there is none."""
        with desk.database.transaction() as writer:
            desk.drafts.drop(writer, case_id, caller.label)

    @api.post(f"{of_case}/rating", summary="Rate the agent's answer", status_code=201)
    def rate(rating: RatingGiven, caller: Caller, case_id: OrderId = Path(alias=key)) -> Rating:
        """Say whether the agent's answer helps; the latest word of a person counts."""
        return desk.ratings.rate(case_id, caller.label, helpful=rating.helpful, reason=rating.reason)

    return api


def kept(desk: ReviewDesk, case_id: str, reviewer: str, draft: Draft) -> DraftAnswer:
    """Keep a draft; other people's changes of the case do not touch it."""
    fields = draft.model_dump(exclude={"version"}, mode="json")
    now, seen = desk.clock.now(), draft.version
    with desk.database.transaction() as writer:
        version = desk.drafts.keep(writer, case_id, reviewer, fields, version=seen, now=now)
    return DraftAnswer(version=version, stale=version != seen)
