"""Errors as RFC 9457 problem documents: the five kinds, requests that do not validate, and the unexpected."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from caspers.errors import CaspersError, Conflict, Invalid, NotFound, Refused, Unavailable
from caspers.web import pages

MEDIA_TYPE = "application/problem+json"
#: Seconds after which a client may try again when something is away.
RETRY_AFTER_S = 5

_STATUS: dict[type[CaspersError], tuple[int, str]] = {
    Invalid: (422, "The request makes no sense as it stands"),
    NotFound: (404, "Not found"),
    Conflict: (409, "It contradicts what is already there"),
    Refused: (403, "Not allowed"),
    Unavailable: (503, "Something we depend on does not answer"),
}

_log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """The body of every answer that is not a success."""

    type: str = Field(description="what kind of problem: the name of the error, in a URN")
    title: str = Field(description="the kind in a few words, the same every time")
    status: int
    detail: str = Field(description="what happened, to what")
    what_now: str = Field(default="", description="what the reader can do about it")
    instance: str = Field(description="the path that was asked for")
    request_id: str = Field(default="", description="find the request in the logs by this")
    errors: list[dict[str, Any]] = Field(
        default_factory=list, description="each field that was refused, with its reason"
    )


#: `responses=PROBLEMS` on a router names the problem documents in its OpenAPI description.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": title, "content": {MEDIA_TYPE: {}}}
    for status, title in (*_STATUS.values(), (400, "The request cannot be read"))
}


def install(app: FastAPI) -> None:
    """Make `app` answer errors with problem documents; `web.middleware` asks for that of a `surprise`."""
    app.add_exception_handler(CaspersError, _on_our_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)


def status_of(error: CaspersError) -> tuple[int, str]:
    """HTTP status and title of an error, by its kind."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), (500, "Error"))


def surprise(request: Request, error: Exception) -> Response:
    """The answer to an error that nobody foresaw; it goes to the log in full, and to the client as an id."""
    _log.error("request failed unexpectedly", path=request.url.path, exc_info=error)
    said = "This is a mistake of ours; the log has the details under the request id."
    return _answer(request, _problem(request, "Unexpected", "Unexpected error", 500, said))


async def _on_our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CaspersError)
    status, title = status_of(error)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
    problem = _problem(request, type(error).__name__, title, status, error.message)
    return _answer(request, problem.model_copy(update={"what_now": error.what_now}), headers)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = [_field(detail) for detail in error.errors()]
    said = "; ".join(f"{field['field']}: {field['reason']}" for field in fields)
    problem = _problem(request, "Invalid", _STATUS[Invalid][1], 422, said)
    return _answer(request, problem.model_copy(update={"errors": fields}))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = _problem(request, "Http", str(error.detail), error.status_code, str(error.detail))
    return _answer(request, problem, error.headers)


def _problem(request: Request, name: str, title: str, status: int, detail: str) -> Problem:
    return Problem(
        type=f"urn:caspers:problem:{name}",
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        request_id=request.scope.get("request_id", ""),
    )


def _answer(request: Request, problem: Problem, headers: Any = None) -> Response:
    """The document, or the same as a page when a person's browser asks for a page."""
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/"):
        page = pages.render(request, "problem.html", status=problem.status, problem=problem)
        page.headers.update(headers or {})
        return page
    body = problem.model_dump(exclude_defaults=True)
    return JSONResponse(body, problem.status, headers=headers, media_type=MEDIA_TYPE)


def _field(detail: Any) -> dict[str, Any]:
    return {"field": _place(detail["loc"]), "reason": str(detail["msg"]).removeprefix("Value error, ")}


def _place(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location)
