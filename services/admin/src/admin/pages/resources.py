"""The page of the resources: all that was made, how it was when last asked, and where it is in the workspace."""

from dataclasses import dataclass
from typing import Annotated

from caspers.review.addresses import Addresses
from caspers.review.texts import ShortText
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict

from admin.desk import Desk
from admin.pages import looks
from admin.pages.frame import STATE_EVENTS, Looking, Twin, show, strip, titles
from admin.roles import Actor
from admin.shapes import ResourceView

EVERY_MS = 5_000


class ResourcesQuery(BaseModel):
    """What the address asks for."""

    model_config = ConfigDict(extra="ignore")

    stage: ShortText = ""
    kind: ShortText = ""
    text: ShortText = ""
    check: bool = False

    def fits(self, view: ResourceView) -> bool:
        """Whether a resource is one of them."""
        return self.text.casefold() in f"{view.name} {view.key}".casefold()


@dataclass(frozen=True)
class Row:
    """A resource in the table."""

    view: ResourceView
    look: looks.Look
    stage_title: str


def router(desk: Desk) -> APIRouter:
    """The page at `/resources`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/resources")
    async def show_resources(
        request: Request, actor: Looking, query: Annotated[ResourcesQuery, Query()]
    ) -> HTMLResponse:
        return await desk.slow.run(_page, desk, request, actor, query)

    return pages


def _page(desk: Desk, request: Request, actor: Actor, query: ResourcesQuery) -> HTMLResponse:
    everything = desk.overview.resources()
    stage, kind = query.stage or None, query.kind or None
    found = desk.overview.resources(stage=stage, kind=kind, check=query.check)
    state = desk.overview.state()
    names = titles(state)
    return show(
        request,
        "resources.html",
        Twin(
            Addresses(request)("/api/v1/resources", text=None),
            follow="" if query.check else STATE_EVENTS,
            every_ms=EVERY_MS,
        ),
        strip=strip(desk, actor, state),
        resources=[
            Row(view, looks.of_resource(view), names.get(view.stage, view.stage))
            for view in found
            if query.fits(view)
        ],
        total=len(everything),
        kinds=sorted({view.kind for view in everything}),
        stages=state.stages,
        stage=query.stage,
        kind=query.kind,
        text=query.text,
        check=query.check,
    )
