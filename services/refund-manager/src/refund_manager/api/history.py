"""The record of decisions as JSON, its export, how far people agree with the agent, and ratings of its answers."""

from dataclasses import dataclass
from typing import Annotated

from caspers.clients.postgres import Postgres
from caspers.review.agreement_report import AgreementReport
from caspers.review.answers import download
from caspers.review.export import Format
from caspers.review.history import DecisionPage
from caspers.review.keyset import CURSOR_MAX_LENGTH
from caspers.review.ratings import Rating
from caspers.review.texts import Note, OrderId
from caspers.web.identity import Caller
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from refund_manager.agreement_report import By, agreement_report
from refund_manager.history import History, HistoryEntry, HistoryFilters
from refund_manager.ratings import Ratings


class HistoryQuestion(HistoryFilters):
    """A page of the history."""

    after: str | None = Field(None, max_length=CURSOR_MAX_LENGTH, description="`next` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="decisions on a page")


class ExportQuestion(HistoryFilters):
    """The whole of a filtered history, as a file."""

    form: Format = Field(default="csv", alias="format", description="csv or jsonl")


class RatingGiven(BaseModel):
    """What a person thinks of the agent's answer."""

    helpful: bool
    reason: Note = Field("", description="why; needed when it does not help")


@dataclass(frozen=True)
class HistoryDesk:
    """All that the addresses below need."""

    history: History
    ratings: Ratings
    database: Postgres


def router(desk: HistoryDesk) -> APIRouter:
    """The addresses below /api."""
    api = APIRouter(prefix="/api", tags=["history"])

    @api.get("/history")
    def history(question: Annotated[HistoryQuestion, Query()]) -> DecisionPage[HistoryEntry]:
        """Decisions, newest first, each beside what the agent had said."""
        return desk.history.page(question, question.after, question.limit)

    @api.get("/history/export", response_class=Response)
    def export_history(question: Annotated[ExportQuestion, Query()]) -> StreamingResponse:
        """All decisions of the same filters as CSV or JSON Lines.

        In CSV, texts that a spreadsheet would run as a formula have an apostrophe in front; JSON Lines are unaltered.
        """
        return download("decisions", question.form, desk.history.columns, desk.history.pieces(question))

    @api.get("/agreement")
    def agreement(by: By = "class") -> AgreementReport:
        """How far people's standing decisions agree with the agent: matrix, Cohen's kappa, dollars over and under."""
        return agreement_report(desk.database, by)

    @api.post("/cases/{order_id}/rating", status_code=201)
    def rate(order_id: OrderId, rating: RatingGiven, caller: Caller) -> Rating:
        """Say whether the agent's answer helps; the latest word of a person counts."""
        return desk.ratings.rate(order_id, caller.label, helpful=rating.helpful, reason=rating.reason)

    @api.get("/ratings/export", response_class=Response)
    def export_ratings() -> StreamingResponse:
        """Rated answers as JSON Lines for an evaluation set: facts, answer, a person's decision, rating."""
        return download("ratings", "jsonl", (), desk.ratings.pieces())

    return api
