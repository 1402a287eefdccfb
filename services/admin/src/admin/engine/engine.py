"""The engine: makes the platform as it is wanted, stops what was made, takes it away, and says all that beforehand.

It is the only writer of the registry, and it may be killed anywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from caspers.clock import Clock

from admin.declarations import Entry, Stage
from admin.engine import plan
from admin.engine.foresight import Foresight
from admin.engine.halting import Halting
from admin.engine.provisioning import Provisioning, intent
from admin.engine.registry import Registry
from admin.engine.removal import Removal, left_alone, parent_among
from admin.engine.steps import PARALLEL_STEPS, Tools, close
from admin.engine.survey import Sight, Survey
from admin.resources.kind import Kind
from admin.runs.run import Run
from admin.shapes import PlannedAction


class Engine:
    """What can be done with stages and with what is registered. `whoami` is our own name on the platform."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        registry: Registry,
        clock: Clock,
        whoami: Callable[[], str],
        *,
        parallel: int = PARALLEL_STEPS,
    ) -> None:
        self._registry = registry
        self._tools = Tools(kinds, registry, clock, whoami, parallel)
        self._foresight = Foresight(self._tools)

    def plan(self, stages: Sequence[Stage]) -> list[PlannedAction]:
        """What `provision` would do."""
        return self._foresight.provisioning(stages)

    def provision(self, stages: Sequence[Stage], run: Run) -> None:
        """Bring every resource of these stages into being, then remove what they no longer declare."""
        Provisioning(self._tools, run).bring_about(stages)
        leftovers = plan.orphans(self._registry.entries().values(), stages)
        if leftovers and not run.stop.is_set() and not run.failed_steps:
            Removal(self._tools, run).take_away(leftovers)
        close(run)

    def plan_teardown(self, entries: Sequence[Entry]) -> list[PlannedAction]:
        """What `teardown` would do."""
        return self._foresight.removal(entries)

    def teardown(self, entries: Sequence[Entry], run: Run) -> None:
        """Remove these, dependents first, and nothing that is not ours. Safe to repeat."""
        Removal(self._tools, run).take_away(entries)
        close(run)

    def plan_stop(self, entries: Sequence[Entry]) -> list[PlannedAction]:
        """What `stop` would do."""
        return self._foresight.stopping(entries)

    def stop(self, entries: Sequence[Entry], run: Run) -> None:
        """Let rest what works for itself among these; `provision` lets it go on."""
        Halting(self._tools, run).stop(entries)
        close(run)

    def everything(self, stages: Sequence[Stage]) -> dict[str, Entry]:
        """All that is registered, and what of these stages is there and ours although no registry knows it.

        The latter is what a crash leaves before the registry exists, and what stays when the registry is deleted.
        """
        entries = self._registry.entries()
        declared = plan.declared(stages)
        survey = Survey(self._tools.kinds, entries, unheard=True)
        sights = survey.look([resource for _, resource in declared.values()])
        seen = {
            key: _as_seen(entries.get(key) or intent(*declared[key]), sight)
            for key, sight in sights.items()
            if sight.found is not None
        }
        known = entries | seen
        return entries | {key: entry for key, entry in seen.items() if self._is_ours(entry, sights, known)}

    def _is_ours(self, entry: Entry, sights: Mapping[str, Sight], known: Mapping[str, Entry]) -> bool:
        """Whether what was seen is ours: by its maker, or by that of what it is a part of."""
        kind = self._tools.kinds[entry.kind]
        whole = parent_among(entry, known, kind.parents) if kind.parents else entry
        sight = sights.get(whole.key) if whole else None
        if whole is None or sight is None or sight.found is None:
            return False
        return not left_alone(whole, sight.found, self._tools.whoami())


def _as_seen(entry: Entry, sight: Sight) -> Entry:
    """An entry that was only planned, with what it takes to find and remove what there is of it."""
    if entry.state != "planned" or not sight.complete or sight.found is None:
        return entry
    return replace(entry, spec=sight.wanted.spec, id=sight.found.id)
