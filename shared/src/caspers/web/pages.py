"""Pages: the shared layout and components, a service's own templates beside them, one way to render either.

`/patterns` shows every component in every state, `/docs` the API.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from caspers.settings import Settings
from caspers.web.identity import identity_of

_TEMPLATES = Path(__file__).parent / "templates"

built_in = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Link:
    """An entry of the navigation."""

    title: str
    href: str


@dataclass(frozen=True)
class Operation:
    """A line of the page that describes the API."""

    method: str
    path: str
    takes: str
    summary: str


def templates(
    title: str, settings: Settings, folders: Sequence[Path], navigation: tuple[Link, ...]
) -> Jinja2Templates:
    """The template environment of an app: its `folders` in their order, ours behind them."""
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in (*folders, _TEMPLATES)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=_moment, count=_count, money=_money)

    def everywhere(request: Request) -> dict[str, Any]:
        return {
            "app_title": title,
            "catalog": settings.catalog,
            "navigation": navigation,
            "identity": identity_of(request),
            "root": request.scope.get("root_path", ""),
        }

    return Jinja2Templates(env=environment, context_processors=[everywhere])


def render(request: Request, name: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page, or that one of its blocks which the request names in the header `HX-Target`."""
    rendering: Jinja2Templates = request.app.state.templates
    target = request.headers.get("hx-target", "")
    block = _block(rendering, request, name, context, target) if target else None
    if block is None:
        return rendering.TemplateResponse(request, name, context, status)
    # A browser that goes back must not find the block in its cache where it once had the page.
    return HTMLResponse(block, status, {"Cache-Control": "no-store"})


def _block(
    rendering: Jinja2Templates, request: Request, name: str, context: dict[str, Any], target: str
) -> str | None:
    """A block of the page, its own or one of those that it extends; None when there is none of this name."""
    values: dict[str, Any] = {"request": request}
    for everywhere in rendering.context_processors:
        values |= everywhere(request)
    template = rendering.get_template(name)
    known = template.new_context(values | context)
    # Before its first piece comes, a page has met all those that it extends, and `known` has their blocks.
    next(template.root_render_func(known), None)
    found = known.blocks.get(target)
    return "".join(found[0](known)) if found else None


@built_in.get("/patterns")
def show_patterns(request: Request) -> HTMLResponse:
    return render(request, "patterns.html")


@built_in.get("/docs")
def show_api(request: Request) -> HTMLResponse:
    """The operations of this app; FastAPI's own page would load its parts from the internet."""
    return render(request, "docs.html", operations=_operations(request.app.openapi()))


def _operations(openapi: dict[str, Any]) -> list[Operation]:
    return [
        Operation(method.upper(), path, _takes(details), details.get("summary", ""))
        for path, methods in openapi["paths"].items()
        for method, details in methods.items()
    ]


def _takes(details: dict[str, Any]) -> str:
    names = [parameter["name"] for parameter in details.get("parameters", [])]
    return ", ".join([*names, "a JSON body"] if "requestBody" in details else names)


def _moment(value: datetime | str | None) -> str:
    """A moment for people: UTC, to the second. A text is a moment as JSON has it."""
    known = datetime.fromisoformat(value) if isinstance(value, str) else value
    return "–" if known is None else known.strftime("%Y-%m-%d %H:%M:%S")


def _count(value: float | None) -> str:
    """A number for people: groups of three, no needless decimals."""
    return "–" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _money(value: Decimal | float | None) -> str:
    """Dollars for people."""
    return "–" if value is None else f"-${-value:,.2f}" if value < 0 else f"${value:,.2f}"
