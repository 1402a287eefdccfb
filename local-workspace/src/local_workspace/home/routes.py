"""The workspace's own page: what is there and how it is, for a browser on this machine."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader

from local_workspace.api.apps.admission import is_loopback
from local_workspace.coverage.calls import exercised, tally
from local_workspace.coverage.declared import CALLS, FAMILIES
from local_workspace.coverage.report import shown_by
from local_workspace.errors import PermissionDenied
from local_workspace.home.overview import Overview

SECTIONS = {
    "/apps/": "apps",
    "/pipelines/": "pipelines",
    "/jobs/": "pipelines",
    "/sql/warehouses/": "warehouses",
    "/lakebase/projects/": "lakebase",
    "/ml/endpoints/": "serving-endpoints",
    "/explore/data/": "tables",
}
"""The section that shows a thing, by where Databricks shows it; jobs run pipelines here, and stand with them."""

NAMES_OF_A_TABLE = 3

TEMPLATES = Path(__file__).parent / "templates"


def router(overview: Overview, home: Path) -> APIRouter:
    """The page, its live part, and the same as JSON; what the workspace can do."""
    api = APIRouter(include_in_schema=False)
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )

    @api.get("/")
    def page(request: Request) -> HTMLResponse:
        _refuse_other_names(request)
        text = templates.get_template("home.html").render(sections=overview.sections(), home=home)
        return HTMLResponse(text)

    @api.get("/overview")
    def live_part(request: Request) -> HTMLResponse:
        _refuse_other_names(request)
        return HTMLResponse(templates.get_template("sections.html").render(sections=overview.sections()))

    @api.get("/overview.json")
    def as_json(request: Request) -> dict[str, Any]:
        _refuse_other_names(request)
        return {"sections": [asdict(section) for section in overview.sections()]}

    def place_on_the_page(request: Request, name: str) -> RedirectResponse:
        """Where Databricks has a page for each thing, ours has a row."""
        return RedirectResponse(f"/#{_row(request.url.path, name)}")

    for start in SECTIONS:
        api.add_api_route(f"{start}{{name:path}}", place_on_the_page)

    @api.get("/coverage")
    def what_it_can_do(request: Request) -> HTMLResponse:
        _refuse_other_names(request)
        shown = exercised()
        rows = [(family, tally(family.calls, shown)) for family in FAMILIES]
        page = templates.get_template("coverage.html")
        return HTMLResponse(
            page.render(families=rows, total=tally(CALLS, shown), shown_by=partial(shown_by, shown=shown))
        )

    @api.get("/coverage.json")
    def what_it_can_do_as_json(request: Request) -> dict[str, Any]:
        _refuse_other_names(request)
        shown = exercised()
        families = [
            {
                "name": family.name,
                "calls": [asdict(call) | {"test": shown.get(str(call))} for call in family.calls],
            }
            for family in FAMILIES
        ]
        return {"families": families}

    return api


def _row(path: str, name: str) -> str:
    """The place on the page for an address of Databricks' pages; the section, where a thing has no row."""
    section = next(section for start, section in SECTIONS.items() if path.startswith(start))
    if section == "tables":
        has_row = len(name.split("/")) == NAMES_OF_A_TABLE
        name = name.replace("/", ".")
    else:
        has_row = not path.startswith("/jobs/")
    return f"{section}/{quote(name)}" if has_row else section


def _refuse_other_names(request: Request) -> None:
    """The page needs no token, so a page from elsewhere must not reach it under a name of its own."""
    host = request.headers.get("host", "")
    if not is_loopback(host):
        raise PermissionDenied(f"This page answers to names of this machine only, not to {host!r}.")
