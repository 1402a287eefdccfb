"""Stages as people see them: whether each is there and well, and apart from that how its last run ended. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from admin.declarations import Entry, Stage
from admin.shapes import (
    Health,
    LastRun,
    Presence,
    ResourceView,
    RunDetail,
    StageProgress,
    StageView,
    WorkerView,
)

WORST_FIRST: tuple[Health, ...] = (
    "failed",
    "missing",
    "drifted",
    "working",
    "stopped",
    "unknown",
    "ok",
)


@dataclass(frozen=True)
class Facts:
    """What is known of the demo at a moment."""

    entries: Mapping[str, Entry]
    resources: Mapping[str, ResourceView]
    """As the platform said when it was last asked, by key; empty before it was asked."""
    workers: Sequence[WorkerView]
    last_runs: Mapping[str, LastRun]
    going_on: RunDetail | None


def stage_views(stages: Sequence[Stage], facts: Facts) -> list[StageView]:
    """Every stage, in the order given."""
    return [stage_view(stage, facts) for stage in stages]


def stage_view(stage: Stage, facts: Facts) -> StageView:
    """One stage."""
    keys = [resource.key for resource in stage.resources]
    registered = [facts.entries[key] for key in keys if key in facts.entries]
    looked_at = [facts.resources[entry.key] for entry in registered if entry.key in facts.resources]
    workers = [worker for worker in facts.workers if worker.stage == stage.name and registered]
    presence = _presence(len(keys), [entry for entry in registered if entry.state == "ready"], registered)
    return StageView(
        name=stage.name,
        title=stage.title,
        needs=stage.needs,
        declared=len(keys),
        registered=len(registered),
        presence=presence,
        health=_health(presence, looked_at, workers, everything=len(looked_at) == len(keys)),
        troubles=tuple(_troubles(looked_at, workers)),
        last_run=facts.last_runs.get(stage.name),
        progress=_progress(stage, facts.going_on),
    )


def worst(healths: Iterable[Health]) -> Health:
    """The worst of them; `unknown` of none."""
    found = set(healths)
    for health in WORST_FIRST:
        if health in found:
            return health
    return "unknown"


def _presence(declared: int, ready: Sequence[Entry], registered: Sequence[Entry]) -> Presence:
    if not registered:
        return "absent"
    return "present" if len(ready) == declared else "partial"


def _health(
    presence: Presence, resources: Sequence[ResourceView], workers: Sequence[WorkerView], *, everything: bool
) -> Health:
    if presence == "absent":
        return "unknown"
    found: list[Health] = [*(each.health for each in resources), *(worker.health for worker in workers)]
    health = worst(found)
    return health if everything or health != "ok" else "unknown"


def _troubles(resources: Sequence[ResourceView], workers: Sequence[WorkerView]) -> Iterable[str]:
    for each in resources:
        if each.health not in {"ok", "unknown"}:
            yield f"{each.kind} {each.name}: {each.message or each.health}"
    for worker in workers:
        if worker.health not in {"ok", "unknown"}:
            yield f"worker {worker.name}: {worker.message or worker.health}"


def _progress(stage: Stage, run: RunDetail | None) -> StageProgress | None:
    if run is None or stage.name not in run.stage_states:
        return None
    steps = [step for step in run.steps if step.stage == stage.name]
    over = sum(step.state not in {"waiting", "running"} for step in steps)
    return StageProgress(over, len(steps), tuple(step.name for step in steps if step.state == "running"))
