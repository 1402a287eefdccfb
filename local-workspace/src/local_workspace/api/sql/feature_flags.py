"""What the SQL connector asks when it connects: which of its features the workspace turns on. None."""

from typing import Any

from fastapi import APIRouter

from local_workspace.identity import Caller

ASK_AGAIN_AFTER_S = 3600


def router() -> APIRouter:
    """The route of the connector's feature flags."""
    api = APIRouter(prefix="/api/2.0/connector-service")

    @api.get("/feature-flags/{client}/{version}")
    async def flags(_caller: Caller, client: str, version: str) -> dict[str, Any]:  # noqa: ARG001  part of the address
        return {"flags": [], "ttl_seconds": ASK_AGAIN_AFTER_S}

    return api
