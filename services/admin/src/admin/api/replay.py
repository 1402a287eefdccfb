"""The replay's clock: where it is, and its controls. The replayer app answers; its status is passed on as it is."""

from typing import Annotated, Any

from caspers.settings import PositiveFloat
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from admin.api import examples
from admin.api.access import Asking
from admin.desk import Desk
from admin.replay_clock import Control


class Speed(BaseModel):
    """How fast virtual time goes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"multiplier": 120}]})

    multiplier: Annotated[PositiveFloat, Field(description="virtual seconds per real second")]


class StepBy(BaseModel):
    """How far one step goes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "order"}]})

    kind: Annotated[str, Field(max_length=40, description="event, order or minutes")]
    minutes: Annotated[float, Field(ge=0, le=1e6, description="virtual minutes, for kind `minutes`")] = 0


class Place(BaseModel):
    """Where to go."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"day": 71, "time": "18:30"}, {"time": "12:00"}]}
    )

    day: Annotated[
        float | None, Field(ge=0, le=1e6, description="a day of the dataset, from 0; fractions allowed")
    ] = None
    time: Annotated[str, Field(max_length=60, description="HH:MM[:SS], or a moment in ISO 8601")] = ""


def router(desk: Desk) -> APIRouter:
    """The addresses of the replay."""
    api = APIRouter(prefix="/replay", tags=["replay"])

    async def control(name: Control, actor: Asking, body: BaseModel | None = None) -> dict[str, Any]:
        said = body.model_dump() if body else {}
        return await desk.slow.run(desk.replay.control, name, said, actor)

    @api.get("", summary="The replay's clock", responses=examples.REPLAY)
    async def get_replay() -> dict[str, Any]:
        """Virtual time, speed, watermark, and what was written."""
        return await desk.slow.run(desk.replay.status)

    @api.post("/pause", summary="Hold virtual time", responses=examples.REPLAY)
    async def pause(actor: Asking) -> dict[str, Any]:
        """Until it is resumed."""
        return await control("pause", actor)

    @api.post("/resume", summary="Let virtual time go on", responses=examples.REPLAY)
    async def resume(actor: Asking) -> dict[str, Any]:
        """From where it was held."""
        return await control("resume", actor)

    @api.post("/speed", summary="Change the speed", responses=examples.REPLAY)
    async def speed(wanted: Speed, actor: Asking) -> dict[str, Any]:
        """The position never jumps."""
        return await control("speed", actor, wanted)

    @api.post("/seek", summary="Jump to a moment", responses=examples.REPLAY)
    async def seek(to: Place, actor: Asking) -> dict[str, Any]:
        """Forward catches up at once; what lies behind comes again in the next loop."""
        return await control("seek", actor, to)

    @api.post("/step", summary="Go one step on", responses=examples.REPLAY)
    async def step(by: StepBy, actor: Asking) -> dict[str, Any]:
        """Pause, and go just past the next event or order, or some minutes on."""
        return await control("step", actor, by)

    @api.post("/run-until", summary="Run up to a moment", responses=examples.REPLAY)
    async def run_until(to: Place, actor: Asking) -> dict[str, Any]:
        """At the present speed, and pause there."""
        return await control("run-until", actor, to)

    @api.post("/tick", summary="Write what is due now", responses=examples.REPLAY)
    async def tick(actor: Asking) -> dict[str, Any]:
        """Instead of at the next interval."""
        return await control("tick", actor)

    return api
