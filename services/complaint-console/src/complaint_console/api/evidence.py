"""The evidence of a case as JSON: everything the case's page shows beside the complaint."""

from caspers.review.evidence import Evidence, EvidenceRoom
from caspers.review.texts import OrderId
from caspers.web.turns import SlowLane
from fastapi import APIRouter


def router(room: EvidenceRoom) -> APIRouter:
    """The address below /api."""
    api = APIRouter(prefix="/api", tags=["evidence"])
    lane = SlowLane()

    @api.get("/cases/{complaint_id}/evidence", summary="The evidence of a case")
    async def evidence(complaint_id: OrderId) -> Evidence:
        """Items, events, timeline, percentiles, route, the customer's earlier orders and complaints, the agent's steps.

        It is read from the lakehouse and may take a second: ask for the case itself first.
        """
        return await lane.run(room.evidence, complaint_id)

    return api
