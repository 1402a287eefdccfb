"""The base of every app: health, metrics, problem documents, identity, request ids, logs, the shared look.

A service adds its own routes to what `base_app` returns and runs it with `serve`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response
from starlette.types import Lifespan

from caspers.clock import Clock, SystemClock
from caspers.ids import IdSource, new_id
from caspers.settings import Settings
from caspers.web import health, logs, pages, problems
from caspers.web.identity import same_site
from caspers.web.middleware import AroundRequests

#: Seconds open connections get to end at shutdown, before workers get their share of the platform's 15.
CONNECTION_GRACE_S = 3

_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Look:
    """A service's own templates and static files, and what its pages link to at the top.

    `shared_templates` are those of a room of ours that not every app uses.
    """

    templates: Path | None = None
    static: Path | None = None
    navigation: tuple[pages.Link, ...] = ()
    shared_templates: tuple[Path, ...] = ()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where templates are looked for, the service's own first."""
        return (self.templates, *self.shared_templates) if self.templates else self.shared_templates


def base_app(
    title: str,
    settings: Settings,
    *,
    lifespan: Lifespan[FastAPI] | None = None,
    checks: Mapping[str, health.Check] | None = None,
    look: Look | None = None,
    clock: Clock | None = None,
    ids: IdSource = new_id,
) -> FastAPI:
    """An app without routes of its own. `checks` decide `/readyz`; `lifespan` opens and closes what it needs.

    `app.state.templates` renders pages, `app.state.shutting_down` (an `asyncio.Event`) ends live streams.
    """
    look = look or Look()
    logs.configure(settings.app_name or title, settings.log_level)
    app = FastAPI(
        title=title,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=problems.PROBLEMS,
        dependencies=[Depends(same_site)],
    )
    app.state.settings = settings
    app.state.shutting_down = asyncio.Event()
    app.state.templates = pages.templates(title, settings, look.folders, look.navigation)
    app.add_middleware(AroundRequests, clock=clock or SystemClock(), ids=ids)
    problems.install(app)
    app.include_router(health.router(checks or {}))
    app.include_router(pages.built_in)
    app.add_api_route("/metrics", _metrics, include_in_schema=False)
    app.mount("/static/caspers", StaticFiles(directory=_STATIC), name="caspers-static")
    if look.static is not None:
        app.mount("/static/app", StaticFiles(directory=look.static), name="app-static")
    return app


def serve(app: FastAPI, settings: Settings) -> None:
    """Run `app` on the platform's port until SIGTERM or SIGINT."""
    server(app, settings).run()


def server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """The server that `serve` runs."""
    config = uvicorn.Config(
        app,
        host="0.0.0.0",  # noqa: S104  the platform's proxy reaches the app from outside its container
        port=settings.app_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=CONNECTION_GRACE_S,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    """uvicorn, which also tells the app's live streams when it is time to end."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        app: Any = self.config.app
        app.state.shutting_down.set()
        super().handle_exit(sig, frame)


def _metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
