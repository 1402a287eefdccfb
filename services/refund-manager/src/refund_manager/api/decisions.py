"""Decisions as JSON: decide, undo, and accept many at once."""

from typing import Literal

from caspers.errors import CaspersError
from caspers.review.answers import recorded_answer, with_winner
from caspers.review.api import decisions as shared
from caspers.review.api.decisions import Key, Version
from caspers.review.decisions import AlreadyDecided, Ballot
from caspers.review.queue_query import Usd
from caspers.review.texts import Note, OrderId
from caspers.web.identity import Caller
from caspers.web.problems import Problem
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from refund_manager import bulk
from refund_manager.approval_rules import Action, Asked, ReasonCode, RefundClass
from refund_manager.bulk import MOST
from refund_manager.case_queue import Sort
from refund_manager.desk import Desk
from refund_manager.queue_query import CaseFilters


class DecisionRequest(BaseModel):
    """What to decide. Who decides is the identity of the request, never a field of it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"order_id": "a1b2", "version": 1, "action": "accept"},
                {
                    "order_id": "a1b2",
                    "version": 1,
                    "action": "change",
                    "refund_usd": 5.5,
                    "reason_code": "goodwill",
                    "note": "A guest of many years",
                },
            ]
        },
    )

    order_id: OrderId
    version: Version = Field(description="the version of the case that you have seen")
    action: Action
    refund_usd: Usd | None = Field(None, description="needed for a change")
    refund_class: RefundClass | None = Field(None, description="follows from the amount when left out")
    reason_code: ReasonCode | None = Field(None, description="needed where you differ from the agent")
    note: Note = ""


class DecisionRecord(shared.Record):
    """A step of a decision as it stands in the record."""

    order_id: str
    action: Literal["accept", "change", "refuse", "confirm", "undo"]
    refund_usd: float
    refund_class: RefundClass
    agent_class: str | None


class WithWinner(Problem):
    """A conflict with the decision that stands."""

    winner: DecisionRecord


class BulkWish(BaseModel):
    """Which cases to look through, in which order; the first ones are taken."""

    filters: CaseFilters = CaseFilters.model_validate({})
    sort: Sort = "newest"


class CaseVersion(BaseModel):
    """A case as it was seen."""

    order_id: OrderId
    version: Version


class PricedCase(CaseVersion):
    """A case and what accepting it pays."""

    refund_usd: float


class LeftOut(BaseModel):
    """How many cases cannot be accepted together with others, and why."""

    why: str
    count: int


class BulkPreview(BaseModel):
    """What accepting these cases would cost."""

    cases: list[PricedCase]
    count: int
    sum_usd: float
    left_out: list[LeftOut]


class BulkAccept(BaseModel):
    """The cases of a preview that are to be accepted."""

    cases: list[CaseVersion] = Field(min_length=1, max_length=MOST)


class BulkConflict(BaseModel):
    """A case that was not accepted; `winner` is the decision that stands, if one does."""

    order_id: str
    detail: str
    winner: DecisionRecord | None


class BulkAnswer(BaseModel):
    """What was accepted and what was not."""

    accepted: list[DecisionRecord]
    conflicts: list[BulkConflict]


def router(desk: Desk) -> APIRouter:
    """The addresses of deciding."""
    api = APIRouter(prefix="/api", tags=["decisions"])
    answers = shared.answers(DecisionRecord, WithWinner)

    @api.post("/decisions", summary="Decide a case", status_code=201, responses=answers)
    def decide(body: DecisionRequest, request: Request, caller: Caller, key: Key = None) -> JSONResponse:
        """Accept, change or refuse what the agent recommends, or confirm what another person decided."""
        asked = Asked(body.action, body.refund_usd, body.refund_class, body.reason_code, body.note)
        try:
            recorded = desk.decisions.decide(Ballot(body.order_id, body.version, caller.label, key), asked)
        except AlreadyDecided as error:
            return with_winner(request, error)
        return recorded_answer(recorded)

    @api.post("/bulk/preview", summary="What accepting many cases would cost")
    def preview(wish: BulkWish, caller: Caller) -> BulkPreview:
        """The first 500 cases that pass the filters, without those that need a person's eye."""
        now = desk.clock.now()
        with desk.database.reading() as reader:
            found = bulk.preview(reader, wish.filters.filters(now), caller.label, now, sort=wish.sort)
        return BulkPreview(
            cases=[PricedCase.model_validate(case) for case in found.cases],
            count=len(found.cases),
            sum_usd=float(found.sum_usd),
            left_out=[LeftOut(why=why, count=count) for why, count in found.left_out.items()],
        )

    @api.post("/bulk/accept", summary="Accept many cases")
    def accept(body: BulkAccept, caller: Caller) -> BulkAnswer:
        """Each on its own: those that changed meanwhile are reported, the others are accepted."""
        wanted = [(case.order_id, case.version) for case in body.cases]
        done = bulk.accept(desk.decisions, wanted, caller.label)
        return BulkAnswer(
            accepted=[DecisionRecord.model_validate(decision) for decision in done.decisions],
            conflicts=[_conflict(order_id, error) for order_id, error in done.conflicts],
        )

    api.include_router(shared.undo_router(desk.decisions, answers))
    return api


def _conflict(order_id: str, error: CaspersError) -> BulkConflict:
    winner = DecisionRecord.model_validate(error.winner) if isinstance(error, AlreadyDecided) else None
    return BulkConflict(order_id=order_id, detail=error.message, winner=winner)
