"""The page of the stages: the graph, what is chosen of it, and the verbs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from admin.desk import Desk
from admin.pages import looks, verbs
from admin.pages.frame import Looking, Twin, show, strip
from admin.pages.stage_graph import NODE_HEIGHT, NODE_WIDTH, Graph, Node, graph
from admin.roles import Actor
from admin.shapes import ResourceView, StageView, StateNow, TargetView, WorkerView

Choice = Annotated[str, Query(max_length=2_000)]
BROKEN = ("failed", "cancelled", "skipped")


@dataclass(frozen=True)
class Box:
    """A stage in the graph: its place, how it looks, and where clicking it leads."""

    node: Node
    stage: StageView
    look: looks.Look
    chosen: bool
    only: str
    toggle: str


@dataclass(frozen=True)
class TargetLink:
    """A target to choose."""

    name: str
    href: str
    chosen: bool


@dataclass(frozen=True)
class ResourceLine:
    """A resource with its mark."""

    key: str
    view: ResourceView
    look: looks.Look


@dataclass(frozen=True)
class WorkerLine:
    """A worker of the chosen stage in a line."""

    name: str
    title: str
    look: looks.Look
    sentence: str


@dataclass(frozen=True)
class StageLink:
    """A neighbour in the graph."""

    title: str
    href: str


@dataclass(frozen=True)
class Dock:
    """What is chosen, and what can be done with it; details only of a single stage."""

    title: str
    explains: str
    verbs: Sequence[verbs.Verb]
    troubles: Sequence[str]
    one: StageView | None = None
    resources: Sequence[ResourceLine] = ()
    workers: Sequence[WorkerLine] = ()
    needs: Sequence[StageLink] = ()
    users: Sequence[StageLink] = ()


def router(desk: Desk) -> APIRouter:
    """The page at `/`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/")
    def show_stages(
        request: Request, actor: Looking, stages: Choice = "", target: Choice = ""
    ) -> HTMLResponse:
        state = desk.overview.state()
        targets = desk.overview.targets()
        known = [stage.name for stage in state.stages]
        named = next((each for each in targets if each.name == target), None)
        chosen = looks.first_in(known, named.stages if named else stages.split(","))
        return show(
            request,
            "stages.html",
            Twin("/api/v1/stages"),
            strip=strip(desk, actor, state),
            chosen=chosen,
            dock=_dock(desk, actor, state, chosen, named),
            **_picture(state.stages, chosen),
            targets=_targets(targets, named),
            legend=looks.LEGEND,
        )

    return pages


def choosing(names: Sequence[str]) -> str:
    """The address with these stages chosen."""
    return f"/?stages={quote(','.join(names), safe=',')}" if names else "/"


@lru_cache(maxsize=8)
def _drawn(needs: tuple[tuple[str, tuple[str, ...]], ...]) -> Graph:
    return graph(dict(needs))


def _picture(stages: Sequence[StageView], chosen: Sequence[str]) -> dict[str, Any]:
    drawn = _drawn(tuple((stage.name, tuple(stage.needs)) for stage in stages))
    by_name = {stage.name: stage for stage in stages}
    boxes = [_box(node, by_name[node.name], chosen, list(by_name)) for node in drawn.nodes]
    return {"graph": drawn, "boxes": boxes, "node_width": NODE_WIDTH, "node_height": NODE_HEIGHT}


def _box(node: Node, stage: StageView, chosen: Sequence[str], known: Sequence[str]) -> Box:
    toggled = set(chosen) ^ {stage.name}
    is_chosen = stage.name in chosen
    return Box(
        node=node,
        stage=stage,
        look=looks.of_stage(stage),
        chosen=is_chosen,
        only="/" if list(chosen) == [stage.name] else choosing([stage.name]),
        toggle=choosing(looks.first_in(known, toggled)),
    )


def _targets(targets: Sequence[TargetView], chosen: TargetView | None) -> list[TargetLink]:
    return [TargetLink(each.name, f"/?target={quote(each.name)}", each is chosen) for each in targets]


def _dock(
    desk: Desk, actor: Actor, state: StateNow, chosen: Sequence[str], target: TargetView | None
) -> Dock:
    by_name = {stage.name: stage for stage in state.stages}
    views = [by_name[name] for name in chosen]
    one = views[0] if len(views) == 1 and target is None else None
    choice = verbs.for_choice(
        actor,
        target=target.name if target else "",
        stages=() if target else chosen,
        active=state.active_run,
        broken=_broken(views or state.stages),
    )
    troubles = list(dict.fromkeys(trouble for view in views for trouble in view.troubles))
    title, explains = _words(views, target)
    if one is None:
        return Dock(title, explains, choice, troubles)
    resources = desk.overview.stage(one.name).resources
    return Dock(
        title,
        explains,
        choice,
        troubles,
        one,
        resources=[ResourceLine(each.key, each, looks.of_resource(each)) for each in resources],
        workers=[_worker_line(worker) for worker in state.workers if worker.stage == one.name],
        needs=[_link(by_name[name]) for name in one.needs if name in by_name],
        users=[_link(stage) for stage in state.stages if one.name in stage.needs],
    )


def _words(views: Sequence[StageView], target: TargetView | None) -> tuple[str, str]:
    if target is not None:
        settings = ", ".join(f"{name} = {value}" for name, value in target.parameters.items())
        with_settings = f", with {settings}" if settings else ""
        return f"Target {target.name}", f"{looks.plural(len(target.stages), 'stage')}{with_settings}"
    if len(views) == 1:
        one = views[0]
        there = looks.of_stage(one).word
        return one.title, f"{one.name} · {there} · {one.registered} of {one.declared} resources"
    if views:
        return looks.plural(len(views), "stage"), ", ".join(view.title for view in views)
    return (
        "Nothing chosen",
        "Choose a stage or a target; Run then means the default target, Stop and Tear down mean everything.",
    )


def _broken(views: Sequence[StageView]) -> str | None:
    """The newest run that went wrong for one of these stages and was the last to touch it."""
    runs = [
        view.last_run
        for view in views
        if view.last_run and view.last_run.action == "provision" and view.last_run.state in BROKEN
    ]
    newest = max(runs, key=lambda run: run.ended.timestamp() if run.ended else 0.0, default=None)
    return newest.run_id if newest and newest.ended else None


def _worker_line(worker: WorkerView) -> WorkerLine:
    said = worker.message or f"{worker.observed.replace('_', ' ')}, told to be {worker.desired}"
    if worker.done is not None:
        said = f"{said}; {worker.done:,} done"
    return WorkerLine(worker.name, worker_title(worker.name), looks.of_worker(worker), said)


def worker_title(name: str) -> str:
    """A worker's name for people."""
    return name.replace("_", " ").capitalize()


def _link(stage: StageView) -> StageLink:
    return StageLink(stage.title, choosing([stage.name]))
