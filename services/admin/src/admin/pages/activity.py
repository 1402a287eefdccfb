"""The page that says who did what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from caspers.review.addresses import Addresses
from caspers.review.texts import ShortText
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from admin.activity import ActivityFilters
from admin.desk import Desk
from admin.pages.frame import Looking, Twin, show
from admin.roles import NEEDED
from admin.shapes import ActivityEntry

ON_A_PAGE = 50
EVERY_MS = 3_000
RUN_ID_SHOWN = 8


class ActivityQuery(BaseModel):
    """What the address asks for."""

    model_config = ConfigDict(extra="ignore")

    who: ShortText = ""
    action: ShortText = ""
    after: str = Field("", max_length=600)


@dataclass(frozen=True)
class Row:
    """An entry, and where its object is."""

    entry: ActivityEntry
    href: str
    what: str
    detail: str


def router(desk: Desk) -> APIRouter:
    """The page at `/activity`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/activity")
    def show_activity(
        request: Request, _actor: Looking, query: Annotated[ActivityQuery, Query()]
    ) -> HTMLResponse:
        address = Addresses(request)
        filters = ActivityFilters(query.who or None, query.action or None)
        page = desk.activity.page(filters, query.after or None, ON_A_PAGE)
        return show(
            request,
            "activity.html",
            Twin(address("/api/v1/activity"), every_ms=EVERY_MS),
            entries=[Row(entry, _href(entry), _what(entry), _detail(entry.detail)) for entry in page.entries],
            next=page.next,
            who=query.who,
            action=query.action,
            after=query.after,
            actions=[*NEEDED, "run.end"],
            address=address,
        )

    return pages


def _href(entry: ActivityEntry) -> str:
    kind = entry.action.partition(".")[0]
    if kind == "run" and entry.outcome == "done":
        return f"/runs/{entry.object}"
    return {"worker": f"/workers#{entry.object}", "replay": "/replay", "role": "/roles"}.get(kind, "")


def _what(entry: ActivityEntry) -> str:
    """Its object; of a run's id the beginning says enough."""
    return entry.object[:RUN_ID_SHOWN] if _href(entry).startswith("/runs/") else entry.object


def _detail(detail: Mapping[str, Any]) -> str:
    """The details in a line; what is empty says nothing."""
    parts = [
        f"{name.replace('_', ' ')} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in sorted(detail.items(), key=lambda item: item[0] != "state")
        if value not in (None, "", [], {})
    ]
    return " · ".join(parts)
