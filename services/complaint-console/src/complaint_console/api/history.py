"""The record of reviews as JSON, its export, how far people agree with the agent, and the rated answers."""

from typing import Annotated

from caspers.review.agreement_report import AgreementReport
from caspers.review.answers import download
from caspers.review.export import Format
from caspers.review.history import DecisionPage
from caspers.review.keyset import CURSOR_MAX_LENGTH
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from complaint_console.agreement_report import By, agreement_report
from complaint_console.desk import Desk
from complaint_console.history import History, HistoryEntry, HistoryFilters


class HistoryQuestion(HistoryFilters):
    """A page of the history."""

    after: str | None = Field(None, max_length=CURSOR_MAX_LENGTH, description="`next` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="reviews on a page")


class ExportQuestion(HistoryFilters):
    """The whole of a filtered history, as a file."""

    form: Format = Field(default="csv", alias="format", description="csv or jsonl")


def router(desk: Desk, past: History) -> APIRouter:
    """The addresses below /api."""
    api = APIRouter(prefix="/api", tags=["history"])

    @api.get("/history")
    def history(question: Annotated[HistoryQuestion, Query()]) -> DecisionPage[HistoryEntry]:
        """Reviews, newest first, each beside what the agent had said."""
        return past.page(question, question.after, question.limit)

    @api.get("/history/export", response_class=Response)
    def export_history(question: Annotated[ExportQuestion, Query()]) -> StreamingResponse:
        """All reviews of the same filters as CSV or JSON Lines.

        In CSV, texts that a spreadsheet would run as a formula have an apostrophe in front; JSON Lines are unaltered.
        """
        return download("reviews", question.form, past.columns, past.pieces(question))

    @api.get("/agreement")
    def agreement(by: By = "category") -> AgreementReport:
        """How far people's standing reviews agree with the agent: matrix, Cohen's kappa, dollars over and under."""
        return agreement_report(desk.database, by)

    @api.get("/ratings/export", response_class=Response)
    def export_ratings() -> StreamingResponse:
        """Rated answers as JSON Lines for an evaluation set: facts, answer, a person's review, rating."""
        return download("ratings", "jsonl", (), desk.ratings.pieces())

    return api
