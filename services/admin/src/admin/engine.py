"""The engine: carries out a plan, one resource at a time where they need each other, side by side where not.

For every resource: read, decide, one call, record the id, wait until ready, record again. It is the only writer
of the registry, and it may be killed anywhere: the next run finds what was made and goes on from there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from caspers.clock import Clock
from caspers.errors import Conflict, Unavailable
from databricks.sdk.errors import BadRequest, DatabricksError, NotFound, ResourceConflict

from admin import plan
from admin.declarations import Entry, Resource, Stage
from admin.registry import Registry
from admin.resources.kind import Declared, Found, Kind
from admin.runs import Run, Step, in_words
from admin.walk import walk

PARALLEL_STEPS = 8
FIRST_POLL_S = 0.05
SLOWEST_POLL_S = 2.0


class Cancelled(Conflict):
    """The run was cancelled while this was under way."""


class DidNotWork(Unavailable):
    """The platform reports that a resource failed."""


class Engine:
    """Makes the platform as it is wanted, and removes what was made."""

    def __init__(self, kinds: Mapping[str, Kind], registry: Registry, clock: Clock) -> None:
        self._kinds = kinds
        self._registry = registry
        self._clock = clock

    def provision(self, stages: Sequence[Stage], run: Run) -> None:
        """Bring every resource of these stages into being, then remove what they no longer declare."""
        owner = plan.declared(stages)
        graph = plan.provisioning_graph([resource for _, resource in owner.values()])
        run.expect(
            [Step(key, stage, resource.kind, resource.name) for key, (stage, resource) in owner.items()]
        )
        entries = self._registry.entries()
        intents = {key: _intent(*owner[key]) for key in owner if key not in entries}
        self._registry.record(*intents.values())
        known = intents | entries
        outputs: dict[str, Mapping[str, str]] = {}

        def ensure(key: str) -> None:
            outputs[key] = self._ensure(owner[key][1], known[key], outputs, run)

        self._walk(graph, ensure, run)
        leftovers = plan.orphans(self._registry.entries().values(), stages)
        if run.state == "running" and not run.failed_steps and leftovers:
            self._remove(leftovers, run)
        _close(run)

    def teardown(self, run: Run) -> None:
        """Remove everything the registry knows, dependents first. Safe to repeat."""
        self._remove(list(self._registry.entries().values()), run)
        _close(run)

    def _walk(self, graph: plan.Graph, act: Callable[[str], None], run: Run) -> None:
        def step(key: str) -> bool:
            run.begin(key)
            try:
                act(key)
            except Cancelled:
                run.finish(key, "cancelled")
                return False
            except Exception as error:  # noqa: BLE001  one step's failure is its own; the others go on
                run.finish(key, "failed", in_words(error))
                return False
            return True

        walk(graph, step, parallel=PARALLEL_STEPS, stop=run.stop)

    def _ensure(
        self, resource: Resource, entry: Entry, outputs: Mapping[str, Mapping[str, str]], run: Run
    ) -> Mapping[str, str]:
        kind = self._kinds[resource.kind]
        wanted = Declared(resource.name, plan.resolve(resource.spec, outputs), entry.id)
        found = kind.read(wanted)
        decision = plan.decide(wanted.spec, entry, found)
        entry = replace(entry, name=resource.name, needs=_needs(resource))
        if found is None or decision.verb == "replace":
            run.note(resource.key, f"creating: {decision.reason}")
            wanted = self._create(kind, wanted, run, resource.key)
        elif decision.verb == "update":
            run.note(resource.key, f"updating: {decision.reason}")
            wanted = replace(wanted, id=found.id)
            kind.update(wanted)
        ready = self._until_ready(kind, wanted, entry, run)
        after = entry.applied(wanted.spec, ready.id, "ready", ready.outputs)
        if after != entry:
            self._registry.record(after)
        run.finish(resource.key, "unchanged" if decision.verb == "keep" else "done")
        return ready.outputs

    def _create(self, kind: Kind, wanted: Declared, run: Run, key: str) -> Declared:
        self._until_gone(kind, wanted, run, key)
        try:
            return replace(wanted, id=kind.create(wanted))
        except (ResourceConflict, BadRequest):
            # Somebody (perhaps we, before a crash) made it between our look and our call: then it is ours to adjust.
            found = kind.read(wanted)
            if found is None:
                raise
            wanted = replace(wanted, id=found.id)
            kind.update(wanted)
            return wanted

    def _until_ready(self, kind: Kind, wanted: Declared, entry: Entry, run: Run) -> Found:
        pauses = self._pauses(kind, run, f"{entry.kind} {entry.name} is not ready")
        recorded = entry.state != "planned" and entry.id == wanted.id
        while True:
            found = kind.read(wanted)
            if found is not None and found.state == "ready":
                return found
            if found is not None and found.state == "failed":
                raise DidNotWork(found.message or f"{entry.kind} {entry.name} failed")
            if not recorded:
                self._registry.record(entry.applied({}, wanted.id, "created", {}))
                recorded = True
            if found is not None and found.message:
                run.note(entry.key, found.message)
            pauses.wait()

    def _until_gone(self, kind: Kind, wanted: Declared, run: Run, key: str) -> None:
        pauses = self._pauses(kind, run, f"{wanted.name} is still being deleted")
        while (found := kind.read(wanted)) is not None and found.state == "going":
            run.note(key, "waiting until the old one is gone")
            pauses.wait()

    def _pauses(self, kind: Kind, run: Run, what: str) -> "Pauses":
        return Pauses(self._clock, run, kind.patience_s, what)

    def _remove(self, entries: Sequence[Entry], run: Run) -> None:
        by_key = {entry.key: entry for entry in entries}
        graph = plan.teardown_graph(entries)
        order = plan.in_order(graph)
        run.expect([Step(key, by_key[key].stage, by_key[key].kind, by_key[key].name) for key in order])
        self._walk(graph, lambda key: self._delete(by_key[key], run), run)

    def _delete(self, entry: Entry, run: Run) -> None:
        kind = self._kinds[entry.kind]
        wanted = Declared(entry.name, entry.spec, entry.id)
        found = None if kind.part_of_parent else kind.read(wanted)
        message = "was not there"
        if kind.part_of_parent:
            message = "goes with what it belongs to"
        elif found is not None and not found.ours:
            message = "left alone: it was here before us"
        elif found is not None:
            message = "removed"
            self._delete_once(kind, wanted, found)
            self._until_removed(kind, wanted, run)
        self._registry.forget(entry.key)
        run.finish(entry.key, "done", message)

    def _delete_once(self, kind: Kind, wanted: Declared, found: Found) -> None:
        if found.state == "going":
            return
        try:
            kind.delete(replace(wanted, id=found.id))
        except NotFound:
            # It is gone, or something that belongs to it went at the same moment; then it takes a second call.
            if kind.read(wanted) is not None:
                kind.delete(replace(wanted, id=found.id))
        except DatabricksError:
            # A doubtful answer is settled by looking again.
            again = kind.read(wanted)
            if again is not None and again.state != "going":
                raise

    def _until_removed(self, kind: Kind, wanted: Declared, run: Run) -> None:
        pauses = self._pauses(kind, run, f"{wanted.name} is still there after its deletion")
        while (found := kind.read(wanted)) is not None and found.state != "going":
            pauses.wait()


class Pauses:
    """Growing pauses between two looks at the same thing, ended by patience or by a cancelled run."""

    def __init__(self, clock: Clock, run: Run, patience_s: float, what: str) -> None:
        self._clock = clock
        self._run = run
        self._deadline = clock.monotonic() + patience_s
        self._too_long = f"{what} after {patience_s:g} s"
        self._pause_s = FIRST_POLL_S

    def wait(self) -> None:
        """Raises `Cancelled` or, out of patience, `DidNotWork`."""
        if self._clock.monotonic() >= self._deadline:
            raise DidNotWork(
                self._too_long, what_now="Look at the platform's own page of it, then run the stage again."
            )
        if self._run.stop.wait(self._pause_s):
            raise Cancelled("the run was cancelled")
        self._pause_s = min(self._pause_s * 1.5, SLOWEST_POLL_S)


def _intent(stage: str, resource: Resource) -> Entry:
    return Entry(resource.key, resource.kind, resource.name, stage, _needs(resource), {})


def _needs(resource: Resource) -> tuple[str, ...]:
    """What goes after it when all is removed: what it needs, and what it cannot be made or removed together with."""
    return tuple(sorted(plan.all_needs(resource) | set(resource.after)))


def _close(run: Run) -> None:
    failed = run.failed_steps
    if run.stop.is_set():
        run.close("cancelled", "the run was cancelled")
    elif failed:
        run.close("failed", "; ".join(f"{step.key}: {step.message}" for step in failed))
    else:
        run.close("succeeded")
