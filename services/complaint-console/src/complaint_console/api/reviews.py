"""Reviews as JSON: decide a complaint, undo, and the limits that are kept to."""

from datetime import datetime
from typing import Annotated

from caspers.review.answers import recorded_answer, with_winner
from caspers.review.api import decisions as shared
from caspers.review.api.decisions import Key, Version
from caspers.review.decisions import AlreadyDecided, Ballot
from caspers.review.money import Dollars
from caspers.review.queue_query import Usd
from caspers.review.texts import Note, OrderId
from caspers.web.identity import Caller
from caspers.web.problems import Problem
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from complaint_console.desk import Desk
from complaint_console.review_rules import REASONS, Action, Asked, Category, Priority, ReasonCode


class ReviewRequest(BaseModel):
    """What to decide. Who decides is the identity of the request, never a field of it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"complaint_id": "C-a1b2", "version": 1, "action": "approve"},
                {"complaint_id": "C-a1b2", "version": 1, "action": "escalate", "priority": "urgent"},
                {
                    "complaint_id": "C-a1b2",
                    "version": 1,
                    "action": "change",
                    "credit_usd": 5.5,
                    "reply": "We are sorry about the cold soup: $5.50 are on their way to you.",
                    "reason_code": "goodwill",
                },
            ]
        },
    )

    complaint_id: OrderId
    version: Version = Field(description="the version of the case that you have seen")
    action: Action
    credit_usd: Usd | None = Field(None, description="needed for a change")
    category: Category | None = Field(None, description="another category than the agent's")
    priority: Priority | None = Field(None, description="needed to escalate")
    reply: Note = Field("", description="what the customer is told; to approve, the agent's draft by default")
    reason_code: ReasonCode | None = Field(None, description="needed where you differ from the agent")
    note: Note = ""


class ReviewRecord(shared.Record):
    """A step of a review as it stands in the record."""

    complaint_id: str
    action: str
    credit_usd: float
    complaint_category: str | None
    outcome: str
    priority: str | None
    reply: str | None
    agent_decision: str
    agent_category: str | None


class WithWinner(Problem):
    """A conflict with the review that stands."""

    winner: ReviewRecord


class NewPolicy(BaseModel):
    """The limits to put in force, and why."""

    model_config = ConfigDict(extra="forbid")

    second_person_above_usd: Usd = Field(description="larger credits need a second person")
    explanation: Annotated[Note, Field(min_length=5)] = Field(description="why; people read it later")


class PolicyAnswer(BaseModel):
    """A version of the policy."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    valid_from: datetime
    created_by: str
    explanation: str
    second_person_above_usd: Dollars


class PoliciesAnswer(BaseModel):
    """The policy in force, the versions before it (newest first), and the list of reason codes."""

    current: PolicyAnswer
    versions: list[PolicyAnswer]
    reasons: dict[str, str]


def router(desk: Desk) -> APIRouter:
    """The addresses of reviewing."""
    api = APIRouter(prefix="/api", tags=["reviews"])
    answers = shared.answers(ReviewRecord, WithWinner)

    @api.post("/decisions", summary="Review a complaint", status_code=201, responses=answers)
    def decide(body: ReviewRequest, request: Request, caller: Caller, key: Key = None) -> JSONResponse:
        """Approve, change or decline the credit, escalate, ask the customer, close, or confirm another's credit."""
        asked = Asked(**body.model_dump(exclude={"complaint_id", "version"}))
        try:
            recorded = desk.reviews.decide(Ballot(body.complaint_id, body.version, caller.label, key), asked)
        except AlreadyDecided as error:
            return with_winner(request, error)
        return recorded_answer(recorded)

    @api.get("/policy", summary="The policy in force, and its history")
    def policy() -> PoliciesAnswer:
        """Newest version first."""
        versions = [PolicyAnswer.model_validate(version) for version in desk.policy.versions()]
        return PoliciesAnswer(current=versions[0], versions=versions, reasons={**REASONS})

    @api.post("/policy", summary="Put a new version in force", status_code=201)
    def follow_with(body: NewPolicy, caller: Caller) -> PolicyAnswer:
        """Older versions stay in the record; reviews name the version they were made under."""
        made = desk.policy.follow_with(body.second_person_above_usd, body.explanation, caller.label)
        return PolicyAnswer.model_validate(made)

    api.include_router(shared.undo_router(desk.reviews, answers))
    return api
