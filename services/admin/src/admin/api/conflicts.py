"""Conflicts that tell more than a sentence: which run goes on, or what the plan has become."""

from typing import Any

from caspers.errors import CaspersError
from caspers.web.problems import MEDIA_TYPE, Problem, status_of
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from admin.control_plane import PlanChanged
from admin.runs.running import AlreadyRunning


class RunConflict(Problem):
    """Why no run was started."""

    run_id: str = Field("", description="the run that goes on")
    href: str = Field("", description="where to look at it")
    digest: str = Field("", description="of the plan as it is now")


#: `responses=CONFLICT` on a route that starts a run.
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {
        "model": RunConflict,
        "description": "Another run goes on, the plan has changed, or the word was not given",
        "content": {
            MEDIA_TYPE: {
                "example": {
                    "type": "urn:caspers:problem:AlreadyRunning",
                    "title": "It contradicts what is already there",
                    "status": 409,
                    "detail": "a run goes on already (provision, since 09:41:07 UTC, by ada@example.com)",
                    "what_now": "Watch it, wait for its end, or cancel it; then ask again.",
                    "instance": "/api/v1/runs",
                    "run_id": "0b5e8c2e-6f0f-4f0e-9d5c-0a9f1f2f7f10",
                    "href": "/api/v1/runs/0b5e8c2e-6f0f-4f0e-9d5c-0a9f1f2f7f10",
                }
            }
        },
    }
}


def install(app: FastAPI) -> None:
    """Answer these conflicts with all they tell."""
    for error in (AlreadyRunning, PlanChanged):
        app.add_exception_handler(error, _on_conflict)


async def _on_conflict(request: Request, error: Exception) -> Response:
    assert isinstance(error, CaspersError)
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
    members: dict[str, Any] = getattr(error, "members", {})
    return JSONResponse(
        jsonable_encoder(problem, exclude_defaults=True) | members, status, media_type=MEDIA_TYPE
    )
