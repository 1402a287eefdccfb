"""The page of the roles."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from admin.desk import Desk
from admin.pages.frame import Looking, Twin, show
from admin.pages.verbs import may_not

EVERY_MS = 5_000


def router(desk: Desk) -> APIRouter:
    """The page at `/roles`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/roles")
    def show_roles(request: Request, actor: Looking) -> HTMLResponse:
        return show(
            request,
            "roles.html",
            Twin("/api/v1/roles", every_ms=EVERY_MS),
            me=actor,
            grants=desk.roles.grants(),
            why_not=may_not(actor, "role.grant"),
        )

    return pages
