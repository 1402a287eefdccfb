"""The record of reviews as JSON, its export, how far people agree with the agent, and the rated answers."""

from typing import Annotated

from caspers.review.agreement_report import AgreementReport
from caspers.review.answers import download
from caspers.review.api import history as shared
from caspers.review.history import DecisionPage
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from complaint_console.agreement_report import By, agreement_report
from complaint_console.desk import Desk
from complaint_console.history import History, HistoryEntry, HistoryFilters


class HistoryQuestion(HistoryFilters, shared.OnePage):
    """A page of the history."""


class ExportQuestion(HistoryFilters, shared.AsFile):
    """The whole of a filtered history, as a file."""


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

    api.include_router(shared.ratings_router(desk.ratings))
    return api
