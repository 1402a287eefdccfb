"""What there is to see of the demo: its stages, targets, parameters and resources."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from caspers.clock import Clock
from caspers.errors import NotFound

from admin.declarations import Entry, Stage
from admin.demo_stages import DemoStages
from admin.engine.registry import Registry
from admin.overview.inspection import Inspection
from admin.overview.lately import Lately
from admin.overview.parameter_views import parameter_views
from admin.overview.stage_views import Facts, stage_view, stage_views, worst
from admin.overview.verifier import Verifier
from admin.runs.outcome import summary_of
from admin.runs.running import Runs
from admin.shapes import (
    Health,
    ParameterView,
    Presence,
    ResourceView,
    RunDetail,
    StageDetail,
    StageView,
    StateNow,
    TargetView,
    Verification,
)
from admin.stages.targets import TARGETS
from admin.workers import Workers

REGISTRY_FRESH_S, REGISTRY_STALE_S = 1.0, 600.0
"""Seconds for which the registry is taken as read, and for which it may be shown while it is read anew: a run writes to
it all the time, and what the run does is known without it."""

LOOKS_FRESH_S = 20.0
"""Seconds between two looks at every resource while somebody watches."""

PICTURE_S = 0.25
"""Seconds for which all who look are shown the same."""


@dataclass(frozen=True)
class Picture:
    """All stages as they are declared, and what is known of them at a moment."""

    declared: list[Stage]
    facts: Facts
    views: list[StageView]


class Overview:
    """Reads for people; what is costly to ask is asked once for all who look."""

    def __init__(
        self,
        stages: DemoStages,
        registry: Registry,
        inspection: Inspection,
        verifier: Verifier,
        runs: Runs,
        *,
        workers: Workers,
        clock: Clock,
    ) -> None:
        self._stages = stages
        self._runs = runs
        self._workers = workers
        self._inspection = inspection
        self._verifier = verifier
        self._entries = Lately(registry.entries, clock, fresh_s=REGISTRY_FRESH_S, stale_s=REGISTRY_STALE_S)
        self._looks = Lately(self._look, clock, fresh_s=LOOKS_FRESH_S, stale_s=LOOKS_FRESH_S)
        self._picture = Lately(self._draw, clock, fresh_s=PICTURE_S, stale_s=PICTURE_S)
        self._drawn_of = runs.revision()

    def stages(self) -> list[StageView]:
        """Every stage: whether it is there and well, and how its last run ended."""
        return self._now().views

    def stage(self, name: str) -> StageDetail:
        """One stage with its resources. Raises `NotFound`."""
        now = self._now()
        stage = next((stage for stage in now.declared if stage.name == name), None)
        if stage is None:
            raise NotFound(f"there is no stage {name}", what_now="GET /api/v1/stages lists them.")
        resources = tuple(self._resources_of(stage, now.facts))
        return StageDetail(**vars(stage_view(stage, now.facts)), resources=resources)

    def targets(self) -> list[TargetView]:
        """Every target, and how much of it is there."""
        presence: dict[str, Presence] = {stage.name: stage.presence for stage in self.stages()}
        return [
            TargetView(name, each.stages, each.parameters, _together({presence[n] for n in each.stages}))
            for name, each in TARGETS.items()
        ]

    def resources(
        self, *, stage: str | None = None, kind: str | None = None, check: bool = False
    ) -> list[ResourceView]:
        """Everything the registry knows, by stage, as it was when it was last looked at; with `check`, looked at now."""
        order = {declared.name: number for number, declared in enumerate(self._now().declared)}
        entries = [
            entry
            for entry in self._entries.get().values()
            if stage in {None, entry.stage} and kind in {None, entry.kind}
        ]
        entries.sort(key=lambda entry: (order.get(entry.stage, len(order)), entry.key))
        if check:
            views = self._inspection.look(entries)
            if stage is None and kind is None:
                self._looks.put({view.key: view for view in views})
            return views
        looks = self._looks.glance() or {}
        return [looks.get(each.key) or each for each in self._inspection.recorded(entries)]

    def verify(self, *, gone: bool = False) -> Verification:
        """What should be against what is; `gone`: that nothing is left. All is asked anew."""
        if gone:
            return self._verifier.leftovers(self._declared())
        return self._verifier.verification()

    def parameters(self) -> list[ParameterView]:
        """Every parameter with its meaning, default and present value."""
        current = self._stages.parameters_of(self._runs.last_success())
        return parameter_views(current, self._stages.effects(current))

    def state(self) -> StateNow:
        """What the live panel shows."""
        now = self._now()
        there: list[Health] = [stage.health for stage in now.views if stage.presence != "absent"]
        going_on = None if now.facts.going_on is None else summary_of(now.facts.going_on)
        return StateNow(tuple(now.views), tuple(now.facts.workers), going_on, worst(there))

    def forget(self) -> None:
        """Something was changed: look anew."""
        self._entries.forget()
        self._looks.forget()
        self._picture.forget()

    def _now(self) -> Picture:
        """The picture, drawn anew as soon as the run that goes on here has moved."""
        revision = self._runs.revision()
        if revision != self._drawn_of:
            if revision.ended:
                self.forget()
            self._picture.forget()
            self._drawn_of = revision
        return self._picture.get()

    def _draw(self) -> Picture:
        declared, facts = self._declared(), self._facts()
        return Picture(declared, facts, stage_views(declared, facts))

    def _look(self) -> Mapping[str, ResourceView]:
        return {view.key: view for view in self._inspection.look(self._entries.get().values())}

    def _declared(self) -> list[Stage]:
        return self._stages.as_in(self._runs.last_success())

    def _facts(self) -> Facts:
        return Facts(
            entries=self._entries.get(),
            resources=self._looks.glance() or {},
            workers=self._workers.all(),
            last_runs=self._runs.last_runs(),
            going_on=self._going_on(),
        )

    def _resources_of(self, stage: Stage, facts: Facts) -> Iterator[ResourceView]:
        for resource in stage.resources:
            entry = facts.entries.get(resource.key)
            if entry is not None:
                yield facts.resources.get(entry.key) or self._inspection.recorded([entry])[0]
            else:
                planned = Entry(resource.key, resource.kind, resource.name, stage.name, resource.needs, {})
                view = self._inspection.recorded([planned])[0]
                yield replace(view, health="missing", message="it is declared, and nobody has made it")

    def _going_on(self) -> RunDetail | None:
        run = self._runs.going_on()
        return None if run is None else self._runs.detail(run.run_id)


def _together(found: AbstractSet[Presence]) -> Presence:
    if found <= {"absent"}:
        return "absent"
    return "present" if found == {"present"} else "partial"
