"""Bringing about: for every resource read, decide, one call, record the id, wait until ready, record again.

It may be killed anywhere: the next run finds what was made and goes on from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from caspers.clients.platform_errors import PLATFORM_ERRORS
from caspers.errors import CaspersError

from admin.declarations import Entry, Resource, Stage
from admin.engine import plan
from admin.engine.pauses import DidNotWork
from admin.engine.steps import NotOurs, Tools, carry_out, refuse_when_cancelled
from admin.resources.kind import Declared, Found, Kind
from admin.runs.run import Run, Step

DONE_NOTHING = {"keep", "leave"}


class Provisioning:
    """One run that brings stages about."""

    def __init__(self, tools: Tools, run: Run) -> None:
        self._tools = tools
        self._run = run
        self._outputs: dict[str, Mapping[str, str]] = {}

    def bring_about(self, stages: Sequence[Stage]) -> None:
        """Every resource of these stages; intents are recorded first."""
        declared = plan.declared(stages)
        graph = plan.provisioning_graph([resource for _, resource in declared.values()])
        self._run.expect([_step(key, stage, resource, graph) for key, (stage, resource) in declared.items()])
        entries = self._tools.registry.entries()
        intents = {key: intent(*declared[key]) for key in declared if key not in entries}
        self._tools.registry.record(*intents.values())
        known = intents | entries
        carry_out(
            graph,
            lambda key: self._ensure(declared[key][1], known[key]),
            self._run,
            parallel=self._tools.parallel,
        )

    def _ensure(self, resource: Resource, entry: Entry) -> None:
        kind = self._tools.kinds[resource.kind]
        wanted = Declared(resource.name, plan.resolve(resource.spec, self._outputs), entry.id)
        entry = replace(entry, name=resource.name, needs=needs_of(resource))
        found = kind.read(wanted)
        self._refuse_foreign(entry, found)
        decision = plan.decide(wanted.spec, entry, found)
        self._run.decide(resource.key, decision.verb)
        if decision.verb not in DONE_NOTHING:
            refuse_when_cancelled(self._run)
            wanted = self._change(kind, wanted, entry, found, decision)
        if found is None or found.state != "ready" or decision.verb not in DONE_NOTHING:
            found = self._until_ready(kind, wanted, entry)
        self._outputs[resource.key] = found.outputs
        after = entry.applied(wanted.spec, found.id, "ready", found.outputs)
        if after != entry:
            self._record(after, made=decision.verb in {"create", "replace"})
        state = "unchanged" if decision.verb in DONE_NOTHING else "done"
        self._run.finish(resource.key, state, decision.reason if decision.verb == "leave" else None)

    def _refuse_foreign(self, entry: Entry, found: Found | None) -> None:
        if found is not None and plan.is_foreign(entry, found, self._tools.whoami()):
            raise NotOurs(entry)

    def _change(
        self, kind: Kind, wanted: Declared, entry: Entry, found: Found | None, decision: plan.Decision
    ) -> Declared:
        if found is None or decision.verb == "replace":
            self._run.note(entry.key, f"creating: {decision.reason}")
            if found is not None:
                self._until_gone(kind, wanted, entry)
            return self._create(kind, wanted, entry)
        doing = "creating" if decision.verb == "create" else "updating"
        self._run.note(entry.key, f"{doing}: {decision.reason}")
        wanted = replace(wanted, id=found.id)
        kind.update(wanted)
        return wanted

    def _create(self, kind: Kind, wanted: Declared, entry: Entry) -> Declared:
        try:
            return replace(wanted, id=kind.create(wanted))
        except (*PLATFORM_ERRORS, CaspersError):
            # A doubtful answer is settled by looking again: it may have been made all the same, by us or somebody else.
            found = kind.read(wanted)
            if found is None:
                raise
            self._refuse_foreign(entry, found)
            wanted = replace(wanted, id=found.id)
            kind.update(wanted)
            return wanted

    def _until_ready(self, kind: Kind, wanted: Declared, entry: Entry) -> Found:
        pauses = self._tools.pauses(self._run, kind.patience_s, f"{entry.kind} {entry.name} is not ready")
        recorded = entry.state != "planned" and entry.id == wanted.id
        while True:
            found = kind.read(wanted)
            if found is not None and found.state == "ready":
                return found
            if found is not None and found.state == "failed":
                raise DidNotWork(found.message or f"{entry.kind} {entry.name} failed")
            if not recorded:
                self._record(entry.applied(wanted.spec, wanted.id, "created", {}), made=True)
                recorded = True
            if found is not None and found.message:
                self._run.note(entry.key, found.message)
            pauses.wait()

    def _until_gone(self, kind: Kind, wanted: Declared, entry: Entry) -> None:
        pauses = self._tools.pauses(self._run, kind.patience_s, f"{wanted.name} is still being deleted")
        while (found := kind.read(wanted)) is not None and found.state == "going":
            self._run.note(entry.key, "waiting until the old one is gone")
            pauses.wait()

    def _record(self, entry: Entry, *, made: bool) -> None:
        now = self._tools.clock.now()
        created_at = now if made else entry.created_at
        self._tools.registry.record(replace(entry, created_at=created_at, changed_at=now))


def intent(stage: str, resource: Resource) -> Entry:
    """What is recorded of a resource before it is made."""
    return Entry(resource.key, resource.kind, resource.name, stage, needs_of(resource), {})


def needs_of(resource: Resource) -> tuple[str, ...]:
    """What goes after it when all is removed: what it needs, and what it cannot be made or removed together with."""
    return tuple(sorted(plan.all_needs(resource) | set(resource.after)))


def _step(key: str, stage: str, resource: Resource, graph: plan.Graph) -> Step:
    return Step(key, stage, resource.kind, resource.name, tuple(sorted(graph[key])))
