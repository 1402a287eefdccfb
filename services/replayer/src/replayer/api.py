"""The replay's REST API: where it is, and the controls. Every control answers with the status that follows from it."""

from dataclasses import dataclass
from typing import Annotated

from caspers.settings import PositiveFloat
from caspers.web.live import Feed, stream
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from replayer.controls import Controls, StepKind, read_place
from replayer.standing_orders import StandingOrders
from replayer.status import Digest, ReplayStatus, StatusBoard, WindowStatus


class Speed(BaseModel):
    """How fast virtual time goes."""

    multiplier: Annotated[PositiveFloat, Field(description="virtual seconds per real second")]


class StepBy(BaseModel):
    """How far one step goes."""

    kind: StepKind
    minutes: Annotated[float, Field(ge=0, description="virtual minutes, for kind `minutes`")] = 0


class PlaceNamed(BaseModel):
    """Where to go."""

    day: Annotated[float | None, Field(description="a day of the dataset, from 0; fractions allowed")] = None
    time: Annotated[
        str,
        Field(
            description="HH:MM[:SS] of that day, or as soon as the clock shows it; or a moment in ISO 8601"
        ),
    ] = ""


@dataclass(frozen=True)
class Desk:
    """All that people can see and do here."""

    board: StatusBoard
    controls: Controls
    orders: StandingOrders


def router(desk: Desk) -> APIRouter:
    """The addresses below /api."""
    api = APIRouter(prefix="/api", tags=["replay"])
    feed = Feed(desk.board.status)

    @api.get("/status")
    def status() -> ReplayStatus:
        """Where the replay is and how fast it goes."""
        return desk.board.status()

    @api.get("/windows")
    def windows() -> list[WindowStatus]:
        """The windows written last, newest first."""
        return desk.board.windows()

    @api.get("/digest")
    def digest() -> Digest:
        """A checksum of everything emitted."""
        return desk.board.digest()

    @api.get("/live", include_in_schema=False)
    async def live(request: Request) -> StreamingResponse:
        return stream(request, feed)

    @api.post("/start")
    def start() -> ReplayStatus:
        """Let the replay run; it goes on from where it was."""
        desk.orders.start()
        return desk.board.status()

    @api.post("/stop")
    def stop() -> ReplayStatus:
        """Stop the replay and virtual time with it, until it is started again."""
        desk.orders.stop()
        return desk.board.status()

    @api.post("/speed")
    def speed(wanted: Speed) -> ReplayStatus:
        """Change the speed; the position never jumps."""
        desk.orders.set_speed(wanted.multiplier)
        return desk.board.status()

    _add_clock_controls(api, desk)
    return api


def _add_clock_controls(api: APIRouter, desk: Desk) -> None:
    @api.post("/pause")
    def pause() -> ReplayStatus:
        """Hold virtual time where it is."""
        desk.controls.pause()
        return desk.board.status()

    @api.post("/resume")
    def resume() -> ReplayStatus:
        """Let virtual time go on."""
        desk.controls.resume()
        return desk.board.status()

    @api.post("/step")
    def step(by: StepBy) -> ReplayStatus:
        """Pause, and go just past the next event or order (with all of its second), or some minutes on."""
        desk.controls.step(by.kind, by.minutes)
        return desk.board.status()

    @api.post("/seek")
    def seek(to: PlaceNamed) -> ReplayStatus:
        """Jump: forward catches up at once; what lies behind comes again in the next loop."""
        desk.controls.seek(read_place(to.day, to.time))
        return desk.board.status()

    @api.post("/run-until")
    def run_until(to: PlaceNamed) -> ReplayStatus:
        """Run at the present speed up to a moment, and pause there."""
        desk.controls.run_until(read_place(to.day, to.time))
        return desk.board.status()

    @api.post("/tick")
    def tick() -> ReplayStatus:
        """Write what is due now instead of at the next interval."""
        desk.controls.tick()
        return desk.board.status()
