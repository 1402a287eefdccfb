"""The page of the replay's clock: virtual time ticking, and its controls."""

from typing import Any

from caspers.errors import CaspersError
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from admin.desk import Desk
from admin.pages.command_lines import requested
from admin.pages.frame import Looking, Twin, base_url, show, strip
from admin.pages.verbs import may_not

EVERY_MS = 1_000


def router(desk: Desk) -> APIRouter:
    """The page at `/replay`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/replay")
    async def show_replay(request: Request, actor: Looking) -> HTMLResponse:
        replay, trouble = await desk.slow.run(_status, desk)
        return show(
            request,
            "replay.html",
            Twin("/api/v1/replay", every_ms=EVERY_MS),
            strip=strip(desk, actor),
            replay=replay,
            trouble=trouble,
            why_not=may_not(actor, "replay.pause"),
            lines=requested(["replay", "pause"], "POST", f"{base_url(request)}/api/v1/replay/pause"),
        )

    return pages


def _status(desk: Desk) -> tuple[dict[str, Any] | None, CaspersError | None]:
    try:
        return desk.replay.status(), None
    except CaspersError as error:
        return None, error
