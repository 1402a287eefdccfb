"""What every page of the panel shares: who looks, how the demo is, what goes on, and where the same is as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from caspers.web.identity import Caller
from caspers.web.pages import render
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from admin.desk import Desk
from admin.pages.looks import Look, run_words, sentence
from admin.pages.verbs import may_not
from admin.roles import Actor, Roles
from admin.runs.store import RunFilters
from admin.shapes import RunSummary, StateNow

STATE_EVENTS = "/api/v1/events"
NOTHING_ASKED = RunFilters()


@dataclass(frozen=True)
class Strip:
    """The line above every page: how the demo is, and the run that goes on or the last one."""

    look: Look
    sentence: str
    active: RunSummary | None
    active_words: str
    done: int
    total: int
    doing: str
    why_not_cancel: str
    last: RunSummary | None
    last_words: str


@dataclass(frozen=True)
class Twin:
    """Where the same figures are as JSON, and the stream that says when they change."""

    address: str
    follow: str = STATE_EVENTS
    events: str = "state"
    every_ms: int = 400
    """The page is drawn anew no more often than this."""


def looking(request: Request, caller: Caller) -> Actor:
    """Who looks at the page, in their role. Raises `NobodyAsks`."""
    roles: Roles = request.app.state.roles
    return roles.actor(caller)


Looking = Annotated[Actor, Depends(looking)]


def show(request: Request, template: str, twin: Twin, **context: Any) -> HTMLResponse:
    """A page of the panel, or its living part."""
    return render(
        request,
        template,
        twin=twin.address,
        follow=twin.follow,
        events=twin.events,
        every_ms=twin.every_ms,
        **context,
    )


def strip(desk: Desk, actor: Actor, state: StateNow | None = None) -> Strip:
    """How the demo is just now."""
    now = state or desk.overview.state()
    look, said = sentence(now)
    active, last = now.active_run, None
    if active is None:
        last = next(iter(desk.runs.page(NOTHING_ASKED, None, 1).entries), None)
    names = titles(now)
    progress = [stage.progress for stage in now.stages if stage.progress]
    return Strip(
        look=look,
        sentence=said,
        active=active,
        active_words=run_words(active, names, everything=len(names)) if active else "",
        done=sum(each.done for each in progress),
        total=sum(each.total for each in progress),
        doing=", ".join(name for each in progress for name in each.doing),
        why_not_cancel=may_not(actor, "run.cancel"),
        last=last,
        last_words=run_words(last, names, everything=len(names)) if last else "",
    )


def titles(state: StateNow) -> Mapping[str, str]:
    """Every stage's title by its name, in the order in which they need each other."""
    return {stage.name: stage.title for stage in state.stages}


def base_url(request: Request) -> str:
    """The address of this app, for lines that people paste into a shell."""
    return str(request.base_url).rstrip("/")
