"""From a wish to what is to be done: which stages and resources it means, what it would do, and how it is carried out."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from caspers.errors import Invalid
from caspers.names import Names

from admin.declarations import Entry, Stage
from admin.demo_stages import DemoStages, remembered
from admin.engine import plan, selection
from admin.engine.engine import Engine
from admin.engine.registry import Registry
from admin.runs.run import Run, RunOrder
from admin.runs.running import Runs
from admin.shapes import Action, PlannedAction, RunDetail, RunPlan
from admin.stages.targets import target


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be done."""

    action: Action = "provision"
    target: str | None = None
    stages: tuple[str, ...] = ()
    """Neither target nor stages: everything (for stop and teardown)."""
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    on_top_of: Literal["defaults", "last_run"] = "defaults"

    @property
    def object(self) -> str:
        """What it is about, for people."""
        return self.target or ", ".join(self.stages) or "everything"


@dataclass(frozen=True)
class Undertaking:
    """Something that can be foreseen and carried out."""

    action: Action
    asked: tuple[str, ...]
    stages: tuple[str, ...]
    """All that are touched, in their order."""
    parameters: Mapping[str, Any]
    confirm: str
    foresee: Callable[[], Sequence[PlannedAction]]
    work: Callable[[Run], None]
    target: str | None = None
    repairs: str | None = None
    attempt: int = 1

    def order(self, by: str) -> RunOrder:
        """The same as an order for a run."""
        return RunOrder(
            self.action, self.stages, self.parameters, by, self.target, self.repairs, self.attempt
        )


class Undertakings:
    """Works out what wishes mean."""

    def __init__(self, stages: DemoStages, engine: Engine, registry: Registry, runs: Runs) -> None:
        self._stages = stages
        self._engine = engine
        self._registry = registry
        self._runs = runs

    @property
    def names(self) -> Names:
        return self._stages.names

    def of(self, wish: Wish) -> Undertaking:
        """What a wish means.

        Raises:
            Invalid: both target and stages are given, a name is unknown, or a parameter is refused.
        """
        if wish.target is not None and wish.stages:
            raise Invalid("both a target and stages are given", what_now="Give one of them.")
        asked = target(wish.target).stages if wish.target is not None else wish.stages
        if wish.action == "provision":
            return self._provision(wish, asked)
        if wish.parameters:
            raise Invalid(f"parameters mean nothing to a {wish.action}", what_now="Leave `parameters` out.")
        return self._stop(wish, asked) if wish.action == "stop" else self._teardown(wish, asked)

    def repair(self, run: RunDetail, changes: Mapping[str, Any]) -> Undertaking:
        """What repairing a run means: its failed, skipped and cancelled stages and what of it needs those.

        Raises:
            Invalid: nothing of it is to be repaired, or a parameter is refused.
        """
        if run.action != "provision":
            raise Invalid(
                f"a {run.action} is not repaired, it is started again", what_now="It goes on where it ended."
            )
        chosen = self._stages.parameters(remembered(run), changes)
        declared = self._stages.declared(chosen)
        asked = tuple(selection.to_repair(declared, run.stage_states))
        if not asked:
            raise Invalid(
                f"nothing of the run {run.run_id} failed, was skipped or cancelled",
                what_now="Start a run if something is to change.",
            )
        wanted = plan.with_ancestors(declared, asked)
        return self._bring_about(
            wanted, asked, chosen.model_dump(mode="json"), repairs=run.run_id, attempt=run.attempt + 1
        )

    def plan(self, undertaking: Undertaking) -> RunPlan:
        """What carrying it out would do by now."""
        actions = tuple(undertaking.foresee())
        asked = set(undertaking.asked)
        return RunPlan(
            action=undertaking.action,
            asked=undertaking.asked,
            along=tuple(stage for stage in undertaking.stages if stage not in asked),
            parameters=undertaking.parameters,
            actions=actions,
            confirm=undertaking.confirm,
            digest=_digest(undertaking, actions),
        )

    def _provision(self, wish: Wish, asked: tuple[str, ...]) -> Undertaking:
        if not asked:
            raise Invalid("say what to run", what_now="Give either a target or a list of stages.")
        suits = target(wish.target).parameters if wish.target is not None else {}
        before = self._runs.last_success() if wish.on_top_of == "last_run" else None
        chosen = self._stages.parameters(suits, remembered(before), wish.parameters)
        wanted = plan.with_ancestors(self._stages.declared(chosen), asked)
        return self._bring_about(wanted, asked, chosen.model_dump(mode="json"), target=wish.target)

    def _bring_about(
        self, wanted: Sequence[Stage], asked: tuple[str, ...], parameters: Mapping[str, Any], **more: Any
    ) -> Undertaking:
        return Undertaking(
            "provision",
            asked,
            tuple(stage.name for stage in wanted),
            parameters,
            confirm="",
            foresee=lambda: self._engine.plan(wanted),
            work=lambda run: self._engine.provision(wanted, run),
            **more,
        )

    def _stop(self, wish: Wish, asked: tuple[str, ...]) -> Undertaking:
        stages, entries = self._present()
        there = selection.present(stages, entries)
        chosen = selection.with_dependents(stages, asked, among=there) if asked else there
        meant = selection.entries_of(stages, entries, chosen) if asked else list(entries.values())
        return Undertaking(
            "stop",
            asked or tuple(there),
            tuple(chosen),
            {},
            confirm="",
            foresee=lambda: self._engine.plan_stop(meant),
            work=lambda run: self._engine.stop(meant, run),
            target=wish.target,
        )

    def _teardown(self, wish: Wish, asked: tuple[str, ...]) -> Undertaking:
        if not asked:
            return self._teardown_of_everything()
        stages, entries = self._present()
        there = selection.present(stages, entries)
        if wish.target is not None:
            asked = self._free(wish.target, stages, there)
        chosen = selection.with_dependents(stages, asked, among=there)
        return self._remove(
            asked,
            tuple(chosen),
            lambda: selection.entries_of(stages, self._registry.entries(), chosen),
            confirm=wish.target or (asked[0] if len(asked) == 1 else self.names.catalog),
            target=wish.target,
        )

    def _free(self, name: str, stages: Sequence[Stage], there: Sequence[str]) -> tuple[str, ...]:
        """The stages of a target that nothing outside of it needs."""
        free = tuple(selection.free_of_others(stages, target(name).stages, there))
        if not free:
            raise Invalid(
                f"every stage of {name} is needed by stages outside of it",
                what_now="Tear those down as well, or everything.",
            )
        return free

    def _teardown_of_everything(self) -> Undertaking:
        stages, entries = self._present()
        there = tuple(selection.present(stages, entries))
        return self._remove(
            there, there, lambda: list(self._engine.everything(stages).values()), confirm=self.names.catalog
        )

    def _remove(
        self,
        asked: tuple[str, ...],
        stages: tuple[str, ...],
        meant: Callable[[], Sequence[Entry]],
        **more: Any,
    ) -> Undertaking:
        return Undertaking(
            "teardown",
            asked,
            stages,
            {},
            foresee=lambda: self._engine.plan_teardown(meant()),
            work=lambda run: self._engine.teardown(meant(), run),
            **more,
        )

    def _present(self) -> tuple[list[Stage], dict[str, Entry]]:
        """The stages as they were last brought about, and what is registered."""
        return self._stages.as_in(self._runs.last_success()), self._registry.entries()


def _digest(undertaking: Undertaking, actions: Sequence[PlannedAction]) -> str:
    """The same for two plans that do the same to the same."""
    doing = [[action.key, action.name, action.verb] for action in actions]
    text = json.dumps(
        [undertaking.action, undertaking.stages, dict(undertaking.parameters), doing], default=str
    )
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
