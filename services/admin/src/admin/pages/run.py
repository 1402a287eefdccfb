"""The page of one run: its bars, its steps, its log, what went wrong and what can be done about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from caspers.clock import Clock
from caspers.review.addresses import Addresses
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from admin.desk import Desk
from admin.pages import verbs
from admin.pages.command_lines import requested, started
from admin.pages.frame import STATE_EVENTS, Looking, Twin, base_url, show, strip, titles
from admin.pages.looks import run_words
from admin.pages.run_timeline import timeline
from admin.runs.run import GOING_ON
from admin.runs.store import LogFilters
from admin.shapes import LogLine, ParameterView, RunDetail

LINES_AT_ONCE = 1_000
MOST_READ = 5
"""The log is read in so many parts at most."""
LINES_SHOWN = 400

Part = Annotated[str, Query(max_length=300)]


@dataclass(frozen=True)
class ParameterLine:
    """A parameter of a run, beside its default."""

    name: str
    value: str
    default: str
    differs: bool


def router(desk: Desk, clock: Clock) -> APIRouter:
    """The page at `/runs/{run_id}`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/runs/{run_id}")
    def show_run(
        request: Request, actor: Looking, run_id: str, stage: Part = "", step: Part = ""
    ) -> HTMLResponse:
        run = desk.runs.detail(run_id)
        state = desk.overview.state()
        names = titles(state)
        failed = [each for each in run.steps if each.state == "failed"]
        if not stage and "stage" not in request.query_params and failed:
            stage = failed[0].stage
        filters = LogFilters(stage or None, step or None)
        lines, cut = _log(desk, run_id, filters)
        return show(
            request,
            "run.html",
            _twin(run),
            strip=strip(desk, actor, state),
            run=run,
            words=run_words(run, names, everything=len(names)),
            stage_count=len(names),
            titles=names,
            timeline=timeline(run, clock.now()),
            stage=stage,
            key=step,
            failed=failed,
            verbs=verbs.for_run(actor, run),
            repaired_by=desk.runs.repairs_of(run_id),
            log=lines,
            log_cut=cut,
            parameters=_parameters(run.parameters, desk.overview.parameters()),
            **_addresses(request, run, filters),
        )

    return pages


def _twin(run: RunDetail) -> Twin:
    address = f"/api/v1/runs/{run.run_id}"
    if run.state in GOING_ON:
        return Twin(address, f"{address}/events", "run log")
    return Twin(address, STATE_EVENTS, every_ms=2_000)


def _addresses(request: Request, run: RunDetail, filters: LogFilters) -> dict[str, Any]:
    base = base_url(request)
    place = Addresses(request)
    body: dict[str, Any] = {"action": run.action}
    body |= {"target": run.target} if run.target else {"stages": list(run.stages)}
    log = place(f"/api/v1/runs/{run.run_id}/log", step=None, key=filters.key)
    return {
        "lines": requested(["runs", run.run_id], "GET", f"{base}/api/v1/runs/{run.run_id}"),
        "again": started(run.action, body, base),
        "log_address": log,
        "stage_address": lambda stage: (
            place(stage=stage or "", step=None) if stage else place(stage=None, step=None)
        ),
        "step_address": lambda stage, key: place(stage=stage, step=key),
    }


def _log(desk: Desk, run_id: str, filters: LogFilters) -> tuple[Sequence[LogLine], bool]:
    """The last lines, and whether there are earlier ones."""
    found: list[LogLine] = []
    after = 0
    for _ in range(MOST_READ):
        page = desk.runs.log(run_id, LogFilters(filters.stage, filters.key, after), LINES_AT_ONCE)
        found += page.entries
        after = page.next
        if not page.more:
            break
    return found[-LINES_SHOWN:], len(found) > LINES_SHOWN


def _parameters(given: Mapping[str, Any], views: Sequence[ParameterView]) -> list[ParameterLine]:
    """Those of a run that differ from their defaults first."""
    defaults = {view.name: view.default for view in views}
    lines = [
        ParameterLine(name, _shown(value), _shown(defaults.get(name)), value != defaults.get(name))
        for name, value in given.items()
    ]
    return sorted(lines, key=lambda line: not line.differs)


def _shown(value: Any) -> str:
    return "empty" if value in {None, ""} else str(value)
