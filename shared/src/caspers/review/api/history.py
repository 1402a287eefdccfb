"""The record as JSON and as files: how it is asked for in every console, and the export of rated answers."""

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from caspers.review.answers import download
from caspers.review.export import Format
from caspers.review.keyset import CURSOR_MAX_LENGTH
from caspers.review.ratings import Ratings


class OnePage(BaseModel):
    """A page of the history."""

    after: str | None = Field(None, max_length=CURSOR_MAX_LENGTH, description="`next` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="decisions on a page")


class AsFile(BaseModel):
    """The whole of a filtered history, as a file."""

    form: Format = Field(default="csv", alias="format", description="csv or jsonl")


def ratings_router(ratings: Ratings) -> APIRouter:
    """The address of the evaluation set."""
    api = APIRouter()

    @api.get("/ratings/export", response_class=Response)
    def export_ratings() -> StreamingResponse:
        """Rated answers as JSON Lines for an evaluation set: facts, answer, a person's decision, rating."""
        return download("ratings", "jsonl", (), ratings.pieces())

    return api
