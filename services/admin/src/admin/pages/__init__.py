"""The status page: stages, workers and tables at a glance. The same figures as JSON are at /api/status."""

from typing import Any

from caspers.web.pages import render
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from admin.control_plane import ControlPlane
from admin.status import StatusReader
from admin.verify import troubles
from admin.workers import Workers


def router(plane: ControlPlane, workers: Workers, status: StatusReader) -> APIRouter:
    """The pages of the panel."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/")
    def show_status(request: Request) -> HTMLResponse:
        now, names = status.read(versions=False), plane.names
        return render(
            request,
            "status.html",
            demo=now,
            lines=[
                ("Refund line", "recommendations", now["refunds"], now["apps"].get(names.refund_app)),
                ("Complaint line", "responses", now["complaints"], now["apps"].get(names.complaint_app)),
            ],
            troubles=troubles(now),
            stages=plane.stages(),
            workers=workers.all(),
            runs=_latest(plane.runs.all()),
        )

    return pages


def _latest(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return runs[:5]
