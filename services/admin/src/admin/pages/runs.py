"""The history of runs as a grid of runs and stages, and two runs side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, get_args

from caspers.review.addresses import Addresses
from caspers.review.texts import ShortText
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from admin.desk import Desk
from admin.pages.frame import Looking, Twin, show, strip, titles
from admin.pages.looks import run_words
from admin.runs import comparison as run_comparison
from admin.runs.store import RunFilters
from admin.shapes import Action, RunState, RunSummary, StepState

STATES: tuple[StepState, ...] = ("done", "unchanged", "failed", "skipped", "cancelled", "running", "waiting")
MARKS = {state: state[0].upper() for state in STATES}
"""The letter of a stage in the grid."""

ON_A_PAGE = 20
EVERY_MS = 3_000
#: A form sends its empty fields as well.
EMPTY_IS_NONE = BeforeValidator(lambda value: value or None)


class RunsQuery(BaseModel):
    """What the address asks for; an empty field does not restrict."""

    model_config = ConfigDict(extra="ignore")

    action: Annotated[Action | None, EMPTY_IS_NONE] = None
    state: Annotated[RunState | None, EMPTY_IS_NONE] = None
    by: ShortText = ""
    after: str = Field("", max_length=600)
    one: str = Field("", max_length=100, description="the run that another is to be compared with")


@dataclass(frozen=True)
class Row:
    """A run in the grid."""

    summary: RunSummary
    words: str
    cells: tuple[tuple[str, str, StepState | None], ...]
    """Each stage's name and title, and how it ended in this run; None where it took no part."""


def _row(run: RunSummary, names: Mapping[str, str]) -> Row:
    """`names` are the titles of all stages."""
    return Row(
        run,
        run_words(run, names, everything=len(names)),
        tuple((stage, title, run.stage_states.get(stage)) for stage, title in names.items()),
    )


def router(desk: Desk) -> APIRouter:
    """The pages at `/runs` and `/runs/compare`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/runs")
    def show_runs(request: Request, actor: Looking, query: Annotated[RunsQuery, Query()]) -> HTMLResponse:
        state = desk.overview.state()
        names = titles(state)
        address = Addresses(request)
        filters = RunFilters(query.action, query.state, query.by or None)
        page = desk.runs.page(filters, query.after or None, ON_A_PAGE)
        return show(
            request,
            "runs.html",
            Twin(address("/api/v1/runs", one=None), every_ms=EVERY_MS),
            strip=strip(desk, actor, state),
            runs=[_row(run, names) for run in page.entries],
            next=page.next,
            after=query.after,
            one=query.one,
            filters=query,
            filtered=filters != RunFilters(),
            stages=state.stages,
            marks=MARKS,
            actions=get_args(Action),
            states=get_args(RunState),
            address=address,
        )

    @pages.get("/runs/compare")
    def compare_runs(
        request: Request,
        _actor: Looking,
        one: Annotated[str, Query(max_length=100)],
        other: Annotated[str, Query(max_length=100)],
    ) -> HTMLResponse:
        names = titles(desk.overview.state())
        compared = run_comparison.compare(desk.runs.detail(one), desk.runs.detail(other))
        both = (compared.one, compared.other)
        return show(
            request,
            "compare.html",
            Twin(Addresses(request)("/api/v1/runs/compare"), follow=""),
            compared=compared,
            titles=names,
            words={run.run_id: run_words(run, names, everything=len(names)) for run in both},
        )

    return pages
