"""The page before a run: what will be done, with which parameters, and what to type before anything is deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from caspers.errors import CaspersError
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from admin.control_plane import Wish
from admin.desk import Desk
from admin.pages import planned, verbs
from admin.pages.command_lines import Lines, requested, started
from admin.pages.frame import Looking, Twin, base_url, show, strip, titles
from admin.pages.looks import first_in, plural, what_words
from admin.pages.wishes import ACTION, Asked, Form, OnTopOf, read_form, with_complaints
from admin.roles import Actor
from admin.shapes import RunDetail, RunPlan

HEADINGS: Mapping[Asked, str] = {
    "provision": "Run",
    "repair": "Repair",
    "stop": "Stop",
    "teardown": "Tear down",
}
VERB_OF: Mapping[Asked, str] = {
    "provision": "run.start",
    "repair": "run.repair",
    "stop": "run.stop",
    "teardown": "run.teardown",
}
ALONG = {
    "provision": "These come along, because what you chose needs them:",
    "repair": "These come along, because what failed needs them or comes after it:",
    "stop": "These come along, because they need what you chose:",
    "teardown": "These come along, because they need what you chose:",
}
NOT_REPAIRED = frozenset({"done", "unchanged"})


class StartQuery(BaseModel):
    """What the address asks for; parameters of the demo stand beside it as `p.NAME`."""

    model_config = ConfigDict(extra="ignore")

    action: Asked = "provision"
    target: str = Field("", max_length=200)
    stages: str = Field("", max_length=2_000)
    run: str = Field("", max_length=100, description="the run to repair")
    on_top_of: OnTopOf = "last_run"


@dataclass(frozen=True)
class Question:
    """What is asked for, looked up: the stages by name, the run to repair, the parameters to begin with."""

    query: StartQuery
    stages: tuple[str, ...]
    repaired: RunDetail | None
    form: Form

    def wish(self) -> Wish:
        """What a plan is made for."""
        values = dict(self.form.values)
        if self.repaired is not None:
            return Wish("provision", None, self.stages, dict(self.repaired.parameters) | values, "defaults")
        action = ACTION[self.query.action]
        return Wish(action, self.query.target or None, self.stages, values, self.query.on_top_of)

    def body(self, plan: RunPlan) -> dict[str, Any]:
        """The body of the request that starts it."""
        values = dict(self.form.values)
        if self.repaired is not None:
            return {"parameters": values} if values else {}
        body: dict[str, Any] = {"action": ACTION[self.query.action]}
        if self.query.target:
            body["target"] = self.query.target
        elif self.stages:
            body["stages"] = list(self.stages)
        if self.query.action == "provision":
            body |= {"on_top_of": self.query.on_top_of} | ({"parameters": values} if values else {})
        return body | {"digest": plan.digest}


def router(desk: Desk) -> APIRouter:
    """The page at `/start`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/start")
    async def show_start(
        request: Request, actor: Looking, query: Annotated[StartQuery, Query()]
    ) -> HTMLResponse:
        return await desk.slow.run(_page, desk, request, actor, query)

    return pages


def _page(desk: Desk, request: Request, actor: Actor, query: StartQuery) -> HTMLResponse:
    state = desk.overview.state()
    names = titles(state)
    question = _question(desk, query, request.query_params, list(names))
    plan, problem = None, None
    if question.form.sound:
        try:
            plan = desk.plane.plan(question.wish())
        except CaspersError as error:
            form, rest = with_complaints(question.form, error.message)
            question = Question(query, question.stages, question.repaired, form)
            problem = {"message": rest or "These parameters are refused.", "what_now": error.what_now}
    return show(
        request,
        "start.html",
        Twin("/api/v1/parameters", follow=""),
        strip=strip(desk, actor, state),
        problem=problem,
        **_asked(question, names),
        **_shown_plan(question, plan, names),
        **_sending(question, plan, actor, base_url(request)),
    )


def _question(desk: Desk, query: StartQuery, asked: Mapping[str, str], known: Sequence[str]) -> Question:
    repaired = desk.runs.detail(query.run) if query.action == "repair" else None
    views = desk.overview.parameters() if query.action in {"provision", "repair"} else []
    targets = {target.name: target for target in desk.overview.targets()}
    base: dict[str, Any] = {}
    if repaired is not None:
        base = dict(repaired.parameters)
    elif query.on_top_of == "last_run":
        base = {view.name: view.current for view in views}
    if query.target in targets and repaired is None and query.on_top_of == "defaults":
        base |= targets[query.target].parameters
    form = read_form([view for view in views if view.name != "catalog"], asked, base)
    stages = tuple(name for name in query.stages.split(",") if name)
    if repaired is not None:
        broken = [name for name, state in repaired.stage_states.items() if state not in NOT_REPAIRED]
        stages = tuple(first_in(known, broken))
    return Question(query, stages, repaired, form)


def _asked(question: Question, names: Mapping[str, str]) -> dict[str, Any]:
    query, form = question.query, question.form
    hidden = {"action": query.action, "target": query.target, "stages": query.stages, "run": query.run}
    what = what_words(query.target or None, question.stages, names, everything=len(names))
    changed = form.changed
    return {
        "heading": f"{HEADINGS[query.action]}: {what}",
        "verb_words": HEADINGS[query.action],
        "sentence": verbs.SENTENCES[HEADINGS[query.action]],
        "hidden": [(name, value) for name, value in hidden.items() if value],
        "parameters": form.fields,
        "on_top_of": "" if question.repaired else query.on_top_of,
        "changed_words": ", ".join(f"{name} changed" for name in changed) or "none changed",
    }


def _shown_plan(question: Question, plan: RunPlan | None, names: Mapping[str, str]) -> dict[str, Any]:
    if plan is None:
        return {"plan": None}
    return {
        "plan": plan,
        "along": [names.get(name, name) for name in plan.along],
        "along_words": ALONG[question.query.action],
        "sums": planned.sums(plan),
        "verb_says": planned.SAYS,
        "consequences": planned.consequences(plan),
        "groups": planned.groups(plan, names),
    }


def _sending(question: Question, plan: RunPlan | None, actor: Actor, base: str) -> dict[str, Any]:
    action = question.query.action
    if plan is None:
        return {"body": None}
    body = question.body(plan)
    sends = "/api/v1/runs" if question.repaired is None else f"/api/v1/runs/{question.query.run}/repair"
    deleted = sum(each.verb == "delete" for each in plan.actions)
    return {
        "body": body or {"parameters": {}},
        "sends": sends,
        "word": plan.confirm,
        "deletes": plural(deleted, "resource"),
        "button": HEADINGS[action],
        "why_not": verbs.may_not(actor, VERB_OF[action]),
        "lines": _lines(question, body, plan, base),
    }


def _lines(question: Question, body: Mapping[str, Any], plan: RunPlan, base: str) -> Lines:
    if question.repaired is None:
        shown = {name: value for name, value in body.items() if name != "digest"}
        return started(shown["action"], shown | ({"confirm": plan.confirm} if plan.confirm else {}), base)
    run_id = question.query.run
    parameters = [word for name, value in question.form.values.items() for word in ("-p", f"{name}={value}")]
    return requested(
        ["repair", run_id, *parameters], "POST", f"{base}/api/v1/runs/{run_id}/repair", dict(body)
    )
