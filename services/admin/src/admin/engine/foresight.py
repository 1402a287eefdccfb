"""What a run would do, resource by resource, from what the platform says now. Nothing is changed."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from admin.declarations import Entry, Resource, Stage
from admin.engine import plan
from admin.engine.consequences import consequence
from admin.engine.halting import rests, stop_graph
from admin.engine.provisioning import intent
from admin.engine.removal import left_alone, parent_among
from admin.engine.steps import NotOurs, Tools, can_be_read
from admin.engine.survey import PARALLEL_READS, Sight, Survey
from admin.resources.kind import Declared, Found
from admin.shapes import PlannedAction, Verb


class Foresight:
    """Answers before anything starts."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def provisioning(self, stages: Sequence[Stage]) -> list[PlannedAction]:
        """What bringing these stages about would do, in the order of the run."""
        declared = plan.declared(stages)
        entries = self._tools.registry.entries()
        resources = [resource for _, resource in declared.values()]
        sights = Survey(self._tools.kinds, entries).look(resources)
        order = plan.in_order(plan.provisioning_graph(resources))
        doing = [self._action(*declared[key], entries.get(key), sights[key]) for key in order]
        return [*doing, *self.removal(plan.orphans(entries.values(), stages))]

    def _action(self, stage: str, resource: Resource, entry: Entry | None, sight: Sight) -> PlannedAction:
        found = sight.found
        if found is not None and plan.is_foreign(entry, found, self._tools.whoami()):
            refusal = NotOurs(intent(stage, resource))
            action = _planned(intent(stage, resource), "leave", refusal.message)
            return replace(
                action, consequence="the run fails here: choose another catalog name, or remove it"
            )
        decision = plan.decide(sight.wanted.spec, entry, found)
        if found is not None and not sight.complete and not found.shared:
            decision = plan.Decision("update", "what it refers to does not exist yet")
        return _planned(intent(stage, resource), decision.verb, decision.reason)

    def removal(self, entries: Sequence[Entry]) -> list[PlannedAction]:
        """What taking these away would do, dependents first."""
        by_key = {entry.key: entry for entry in entries}
        alone = [
            each for each in entries if not parent_among(each, by_key, self._tools.kinds[each.kind].parents)
        ]
        sights = self.sights(alone)
        return [
            self._deletion(by_key[key], by_key, sights) for key in plan.in_order(plan.teardown_graph(entries))
        ]

    def _deletion(
        self, entry: Entry, going: Mapping[str, Entry], sights: Mapping[str, Found | None]
    ) -> PlannedAction:
        if entry.key not in sights:
            parent = parent_among(entry, going, self._tools.kinds[entry.kind].parents)
            return _planned(entry, "delete", f"goes with {parent.name}" if parent else "")
        found = sights[entry.key]
        if found is None:
            return _planned(entry, "leave", "it is not there; only its record goes")
        if why := left_alone(entry, found, self._tools.whoami()):
            return _planned(entry, "leave", why)
        return _planned(entry, "delete", "")

    def stopping(self, entries: Sequence[Entry]) -> list[PlannedAction]:
        """What stopping these would do, dependents first; what cannot be stopped is not mentioned."""
        by_key = {entry.key: entry for entry in entries}
        order = plan.in_order(stop_graph(self._tools, entries))
        sights = self.sights([by_key[key] for key in order])
        return [self._stop(by_key[key], sights[key]) for key in order]

    def _stop(self, entry: Entry, found: Found | None) -> PlannedAction:
        if found is None:
            return _planned(entry, "keep", "it is not there")
        if why := left_alone(entry, found, self._tools.whoami()):
            return _planned(entry, "leave", why)
        return _planned(entry, "keep", "it rests already") if rests(found) else _planned(entry, "stop", "")

    def sights(self, entries: Sequence[Entry]) -> dict[str, Found | None]:
        """What the platform says of registered resources, by key."""
        with ThreadPoolExecutor(PARALLEL_READS, thread_name_prefix="sight") as pool:
            found = pool.map(self._see, entries)
            return {entry.key: seen for entry, seen in zip(entries, found, strict=True)}

    def _see(self, entry: Entry) -> Found | None:
        kind = self._tools.kinds[entry.kind]
        return kind.read(Declared(entry.name, entry.spec, entry.id)) if can_be_read(kind, entry) else None


def _planned(entry: Entry, verb: Verb, reason: str) -> PlannedAction:
    said = consequence(entry.kind, verb)
    return PlannedAction(entry.key, entry.stage, entry.kind, entry.name, verb, reason, said)
