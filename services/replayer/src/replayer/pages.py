"""The replay's page: the same status as the API, with the controls, kept up to date by the live stream."""

from caspers.web.pages import render
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from replayer.status import StatusBoard


def router(board: StatusBoard) -> APIRouter:
    """The page at `/`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/")
    def show_replay(request: Request) -> HTMLResponse:
        return render(request, "replay.html", status=200, replay=board.status())

    return pages
