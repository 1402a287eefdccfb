"""The evidence of a case, as JSON and as the page that comes into a case's page after the case."""

from collections.abc import Sequence
from typing import Protocol

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from caspers.review.evidence import Evidence
from caspers.review.texts import OrderId
from caspers.web.pages import render
from caspers.web.turns import SlowLane


class GathersEvidence(Protocol):
    """Who finds the evidence of a case (see `caspers.review.evidence`)."""

    def evidence(self, case_id: str) -> Evidence:
        """All the evidence of one case."""
        ...


def routers(room: GathersEvidence, key: str) -> Sequence[APIRouter]:
    """Both addresses; `key` is what a path calls the id of a case. They ask the lakehouse, so they have a lane of their own."""
    api = APIRouter(prefix="/api", tags=["evidence"])
    pages = APIRouter(include_in_schema=False)
    lane = SlowLane()
    of_case = f"/cases/{{{key}}}/evidence"

    @api.get(of_case, summary="The evidence of a case")
    async def evidence(case_id: OrderId = Path(alias=key)) -> Evidence:
        """Items, events, timeline, percentiles, route, the customer's earlier orders and cases, the agent's steps.

        It is read from the lakehouse and may take a second: ask for the case itself first.
        """
        return await lane.run(room.evidence, case_id)

    @pages.get(of_case)
    async def show_evidence(request: Request, case_id: OrderId = Path(alias=key)) -> HTMLResponse:
        found = await lane.run(room.evidence, case_id)
        return render(request, "evidence_page.html", evidence=found)

    return api, pages
