"""Whether an app lives (`/healthz`) and whether it can do its work (`/readyz`)."""

import asyncio
from collections.abc import Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse

#: Seconds a check may take before it counts as failed.
CHECK_TIMEOUT_S = 5.0

#: Returns when all is well, raises when not; the error's text is shown.
Check = Callable[[], object]


def router(checks: Mapping[str, Check]) -> APIRouter:
    """The two addresses; `checks` names what the app needs to do its work."""
    health = APIRouter(tags=["health"])

    @health.get("/healthz")
    async def healthz() -> dict[str, str | bool]:
        """The process answers."""
        return {"status": "alive", "ok": True}

    @health.get("/readyz")
    async def readyz() -> JSONResponse:
        """Everything the app needs answers, each within a few seconds; 503 names what does not."""
        results = await asyncio.gather(*(_result(check) for check in checks.values()))
        report = dict(zip(checks, results, strict=True))
        ready = all(result == "ok" for result in results)
        return JSONResponse(
            {"status": "ready" if ready else "not ready", "checks": report}, 200 if ready else 503
        )

    return health


async def _result(check: Check) -> str:
    try:
        await asyncio.wait_for(asyncio.to_thread(check), CHECK_TIMEOUT_S)
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S:g} s"
    except Exception as error:  # noqa: BLE001  a check may raise anything, and that is its answer
        return str(error) or type(error).__name__
    return "ok"
