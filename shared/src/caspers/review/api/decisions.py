"""Decisions as JSON: what a request, a record and a conflict have in every console, and undoing."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from caspers.review.answers import recorded_answer
from caspers.review.decisions import Recorded
from caspers.review.texts import Note, Text
from caspers.web.identity import Caller
from caspers.web.problems import Problem

Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
#: The same key with the same request is answered with the decision it made the first time.
Key = Annotated[Annotated[Text, Field(min_length=1, max_length=200)] | None, Header(alias="Idempotency-Key")]
Answers = dict[int | str, dict[str, Any]]


class UndoRequest(BaseModel):
    """Why a decision is taken back."""

    note: Note = ""


class Record(BaseModel):
    """A step of a decision as it stands in the record; a console adds the case and the outcome."""

    model_config = ConfigDict(extra="ignore")

    decision_id: UUID
    entry: int = Field(description="its number in the record")
    round: int = Field(description="how often the case's decision was undone before")
    step: Literal["first", "second", "undo"]
    case_version: int
    reason_code: str | None
    note: str | None
    decided_by: str
    decided_at: datetime
    by: Literal["person", "policy"]
    policy_version: int
    refers_to: UUID | None
    agent_usd: float | None
    agent_version: str | None
    agent_origin: str
    run_id: str | None


class Undoes(Protocol):
    """Takes decisions back (see `caspers.review.decisions`)."""

    def undo(self, decision_id: str, person: str, *, note: str = "", key: str | None = None) -> Recorded:
        """Take back a decision that stands and is recent."""
        ...


def answers(record: type[Record], conflict: type[Problem]) -> Answers:
    """What deciding and undoing answer."""
    return {
        200: {"model": record, "description": "The same request made this decision before"},
        201: {"model": record},
        409: {"model": conflict, "description": "Somebody was first, or the case has changed"},
    }


def undo_router(decisions: Undoes, documented: Answers) -> APIRouter:
    """The address that takes a decision back."""
    api = APIRouter()

    @api.post(
        "/decisions/{decision_id}/undo", summary="Undo a decision", status_code=201, responses=documented
    )
    def undo(
        decision_id: UUID, caller: Caller, body: UndoRequest | None = None, key: Key = None
    ) -> JSONResponse:
        """Within ten minutes, by anyone; recorded as a decision of its own. The case is pending again."""
        note = body.note if body else ""
        return recorded_answer(decisions.undo(str(decision_id), caller.label, note=note, key=key))

    return api
