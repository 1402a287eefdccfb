"""The whole demo as it goes, by server-sent events. Read at most every half second, and only while somebody listens."""

from caspers.web.live import Feed, stream
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from admin.desk import Desk

EVERY_S = 0.5


def router(desk: Desk) -> APIRouter:
    """The stream of the panel."""
    api = APIRouter(tags=["live"])
    feed = Feed(desk.overview.state, every_s=EVERY_S)

    @api.get(
        "/events",
        summary="Follow the demo",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def follow(request: Request) -> StreamingResponse:
        """Events `state`: stages, workers, the run that goes on, the worst health; again whenever it changes."""
        return stream(request, feed, event="state")

    return api
