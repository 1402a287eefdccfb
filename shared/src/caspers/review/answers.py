"""How a console's API answers: decisions as they were recorded, conflicts with the one that stands, downloads."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, StreamingResponse

from caspers.review.decisions import AlreadyDecided, Recorded
from caspers.review.export import MEDIA_TYPES, Format, exported
from caspers.web.problems import MEDIA_TYPE, Problem, status_of


def recorded_answer(recorded: Recorded) -> JSONResponse:
    """The decision; 200 instead of 201 when the same request had made it before."""
    return JSONResponse(recorded.decision, 201 if recorded.new else 200)


def with_winner(request: Request, error: AlreadyDecided) -> JSONResponse:
    """The problem document of a conflict, with the decision that stands as its `winner`."""
    status, title = status_of(error)
    problem = Problem(
        type=f"urn:caspers:problem:{type(error).__name__}",
        title=title,
        status=status,
        detail=error.message,
        what_now=error.what_now,
        instance=request.url.path,
        request_id=request.scope.get("request_id", ""),
    )
    document = jsonable_encoder(problem) | {"winner": error.winner}
    return JSONResponse(document, status, media_type=MEDIA_TYPE)


def download(
    name: str, form: Format, columns: Sequence[str], pieces: Iterable[list[dict[str, Any]]]
) -> StreamingResponse:
    """A file that is made while it is sent; what goes wrong at its beginning is still told as a problem."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
    waiting = iter(pieces)
    first = list(islice(waiting, 1))
    parts = exported(form, columns, chain(first, waiting))
    return StreamingResponse(parts, media_type=MEDIA_TYPES[form], headers=headers)
