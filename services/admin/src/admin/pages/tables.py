"""The page of the tables: rows of each, the agents' lines in figures, apps and pipelines."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from admin.desk import Desk
from admin.pages.frame import Looking, Twin, show, strip
from admin.roles import Actor

EVERY_MS = 5_000


def router(desk: Desk) -> APIRouter:
    """The page at `/tables`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/tables")
    async def show_tables(request: Request, actor: Looking) -> HTMLResponse:
        return await desk.slow.run(_page, desk, request, actor)

    return pages


def _page(desk: Desk, request: Request, actor: Actor) -> HTMLResponse:
    now, names = desk.status.read(versions=False), desk.plane.names
    apps = now["apps"]
    return show(
        request,
        "tables.html",
        Twin("/api/v1/status?versions=false", every_ms=EVERY_MS),
        strip=strip(desk, actor),
        demo=now,
        lines=[
            ("Refund line", "recommendations", now["refunds"], apps.get(names.refund_app)),
            ("Complaint line", "responses", now["complaints"], apps.get(names.complaint_app)),
        ],
    )
