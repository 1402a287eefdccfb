"""Runs: start, look up, wait for, cancel, repair, compare."""

import asyncio
from typing import Annotated

from caspers.clock import SystemClock
from caspers.review.texts import ShortText
from caspers.web.live import passed
from fastapi import APIRouter, Query, Request, Response

from admin.api import examples
from admin.api.access import Asking
from admin.api.answers import writer_of
from admin.api.conflicts import CONFLICT
from admin.api.requests import After, Key, Limit, RepairRequest, RunRequest, digest_of
from admin.desk import Desk
from admin.runs import comparison as run_comparison
from admin.runs.run import GOING_ON
from admin.runs.running import Request as RunAsked
from admin.runs.running import href
from admin.runs.store import LogFilters, RunFilters
from admin.shapes import Action, LogPage, Page, RunComparison, RunDetail, RunState, RunSummary

OWN_LOOK_S, STRANGERS_LOOK_S = 0.1, 1.0
"""Seconds between two looks of somebody who waits: at a run of this process, and at another one's."""

LONGEST_WAIT_S = 55

RunId = Annotated[ShortText, Query()]
Filter = Annotated[ShortText | None, Query()]

write_page, write_run = writer_of(Page[RunSummary]), writer_of(RunDetail)


def router(desk: Desk) -> APIRouter:
    """The addresses of runs."""
    api = APIRouter(prefix="/runs", tags=["runs"])
    _add_changes(api, desk)
    _add_lookups(api, desk)
    return api


def _add_changes(api: APIRouter, desk: Desk) -> None:
    started = {**CONFLICT, **examples.RUN_STARTED}

    @api.post("", status_code=202, summary="Start a run", responses=started)
    async def start_run(body: RunRequest, actor: Asking, response: Response, key: Key = None) -> RunSummary:
        """Bring about, stop or remove; it goes on in the background. Safe to repeat: what is as wanted stays so."""
        asked = RunAsked(key, digest_of("run", body.model_dump(mode="json")))

        def start() -> tuple[RunSummary, bool]:
            return desk.plane.start(
                body.wish(), actor, confirm=body.confirm, digest=body.digest, request=asked
            )

        run, _ = await desk.slow.run(start)
        response.headers["Location"] = href(run.run_id)
        return run

    @api.post("/{run_id}/repair", status_code=202, summary="Repair a run", responses=started)
    async def repair_run(
        run_id: str, actor: Asking, response: Response, body: RepairRequest | None = None, key: Key = None
    ) -> RunSummary:
        """Do what failed, was skipped or cancelled again, with all that follows from it, as a run of its own."""
        parameters = body.parameters if body else {}
        asked = RunAsked(key, digest_of("repair", run_id, parameters))

        def repair() -> tuple[RunSummary, bool]:
            return desk.plane.repair(run_id, parameters, actor, asked)

        run, _ = await desk.slow.run(repair)
        response.headers["Location"] = href(run.run_id)
        return run

    @api.post("/{run_id}/cancel", summary="Cancel a run", responses=examples.RUN_SUMMARY)
    def cancel_run(run_id: str, actor: Asking) -> RunSummary:
        """Begin nothing more. `cancelling` until what is under way has ended, then `cancelled`; what was made stays."""
        return desk.plane.cancel(run_id, actor)


def _add_lookups(api: APIRouter, desk: Desk) -> None:
    @api.get("", summary="All runs, newest first", response_model=Page[RunSummary], responses=examples.RUNS)
    def get_runs(
        after: After = None,
        limit: Limit = 50,
        action: Action | None = None,
        state: RunState | None = None,
        by: Filter = None,
    ) -> Response:
        """Page by page; each with how its stages fared."""
        return write_page(desk.runs.page(RunFilters(action, state, by), after, limit))

    @api.get("/compare", summary="Compare two runs", responses=examples.COMPARISON)
    def compare_runs(one: RunId, other: RunId) -> RunComparison:
        """Only what differs: parameters, stages, steps."""
        return run_comparison.compare(desk.runs.detail(one), desk.runs.detail(other))

    @api.get("/{run_id}", summary="One run", response_model=RunDetail, responses=examples.RUN)
    async def get_run(
        request: Request,
        run_id: str,
        wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S, description="seconds to wait for its end")] = 0,
    ) -> Response:
        """A run with its steps; with `wait` the answer comes when it is over or the time is up."""
        return write_run(await _over(request, desk, run_id, wait))

    @api.get("/{run_id}/log", summary="A run's log", responses=examples.LOG)
    def get_log(
        run_id: str,
        stage: Filter = None,
        key: Filter = None,
        after: Annotated[int, Query(ge=0, le=2**31 - 1, description="the last line that is known")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> LogPage:
        """Oldest first, of all of it, a stage or one resource. 5,000 lines are kept of a run, and all its errors."""
        return desk.runs.log(run_id, LogFilters(stage, key, after), limit)


async def _over(request: Request, desk: Desk, run_id: str, wait_s: float) -> RunDetail:
    """The run when it is over or the time is up. While it waits it holds no thread."""
    clock = SystemClock()
    shutting_down: asyncio.Event = request.app.state.shutting_down
    ends_s = clock.monotonic() + wait_s
    while True:
        own = desk.runs.own(run_id)
        if own is None or own.state not in GOING_ON:
            run = await asyncio.to_thread(desk.runs.detail, run_id)
            if run.state not in GOING_ON:
                return run
        left_s = ends_s - clock.monotonic()
        if left_s <= 0 or shutting_down.is_set():
            return await asyncio.to_thread(desk.runs.detail, run_id)
        await passed(shutting_down, min(left_s, STRANGERS_LOOK_S if own is None else OWN_LOOK_S))
