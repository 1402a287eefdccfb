"""What was made, whether it is as it should be, and the figures of every part."""

from typing import Annotated, Any

from caspers.review.texts import ShortText
from fastapi import APIRouter, Query

from admin.api import examples
from admin.desk import Desk
from admin.shapes import ResourceView, Verification

Filter = Annotated[ShortText | None, Query()]


def router(desk: Desk) -> APIRouter:
    """The addresses of resources and their health."""
    api = APIRouter(tags=["health of the demo"])

    @api.get("/status", summary="Every part with its figures", responses=examples.STATUS)
    async def get_status(*, versions: bool = True) -> dict[str, Any]:
        """Quicker without the tables' versions: a long history takes long to read."""
        return await desk.slow.run(desk.status.read, versions=versions)

    @api.get("/resources", summary="Everything that was made", responses=examples.RESOURCES)
    async def get_resources(
        stage: Filter = None,
        kind: Filter = None,
        *,
        check: Annotated[bool, Query(description="ask the platform about each of them now")] = False,
    ) -> list[ResourceView]:
        """What a teardown would remove, each with its owner stage, its age and its page in the workspace."""
        return await desk.slow.run(desk.overview.resources, stage=stage, kind=kind, check=check)

    @api.get("/verify", summary="What should be against what is", responses=examples.VERIFICATION)
    async def verify(
        *, gone: Annotated[bool, Query(description="verify that nothing is left after a teardown")] = False
    ) -> Verification:
        """Every resource asked from the platform, data flowing, lags, rows, permissions; in words."""
        return await desk.slow.run(desk.overview.verify, gone=gone)

    return api
