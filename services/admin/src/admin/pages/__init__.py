"""The panel: every page shows what its JSON twin answers, from the same calls, and is drawn anew when that changes.

The address is the view. A page's block `live` is what a script asks for again; without scripts the pages work as they are.
"""

from pathlib import Path

from caspers.clock import Clock
from caspers.web.app import Look
from caspers.web.pages import Link
from fastapi import FastAPI
from fastapi.templating import Jinja2Templates

from admin.desk import Desk
from admin.pages import (
    activity,
    looks,
    replay,
    resources,
    roles,
    run,
    runs,
    stages,
    start,
    tables,
    verify,
    workers,
)

_HERE = Path(__file__).parents[1]
NAVIGATION = (
    Link("Stages", "/"),
    Link("Runs", "/runs"),
    Link("Workers", "/workers"),
    Link("Replay", "/replay"),
    Link("Resources", "/resources"),
    Link("Verify", "/verify"),
    Link("Tables", "/tables"),
    Link("Activity", "/activity"),
    Link("Roles", "/roles"),
)
#: What the app passes to `base_app`.
LOOK = Look(_HERE / "templates", _HERE / "static", NAVIGATION)


def install(app: FastAPI, desk: Desk, clock: Clock) -> None:
    """Add the pages to the app."""
    templates: Jinja2Templates = app.state.templates
    templates.env.filters.update(lasted=looks.lasted, iso=looks.iso, time_of_day=looks.time_of_day)
    for page in (stages, start, runs, replay, resources, verify, tables, activity, roles):
        app.include_router(page.router(desk))
    for timed in (run, workers):
        app.include_router(timed.router(desk, clock))
