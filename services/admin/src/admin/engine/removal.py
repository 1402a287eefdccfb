"""Taking away: dependents first, only what is ours, safe to repeat and to interrupt anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from caspers.clients.platform_errors import PLATFORM_ERRORS
from databricks.sdk.errors import NotFound

from admin.declarations import Entry
from admin.engine import plan
from admin.engine.steps import Tools, can_be_read, carry_out, refuse_when_cancelled
from admin.resources.kind import Declared, Found, Kind
from admin.runs.run import Run, Step


class Removal:
    """One run that takes registered resources away."""

    def __init__(self, tools: Tools, run: Run) -> None:
        self._tools = tools
        self._run = run

    def take_away(self, entries: Sequence[Entry]) -> None:
        """Delete these and forget them."""
        by_key = {entry.key: entry for entry in entries}
        graph = plan.teardown_graph(entries)
        order = plan.in_order(graph)
        self._run.expect([_step(by_key[key], graph) for key in order])
        carry_out(
            graph, lambda key: self._delete(by_key[key], by_key), self._run, parallel=self._tools.parallel
        )

    def _delete(self, entry: Entry, going: Mapping[str, Entry]) -> None:
        kind = self._tools.kinds[entry.kind]
        self._run.decide(entry.key, "delete")
        if parent := parent_among(entry, going, kind.parents):
            message = f"goes with {parent.name}"
        else:
            message = self._delete_itself(kind, entry)
        self._tools.registry.forget(entry.key)
        self._run.finish(entry.key, "done", message)

    def _delete_itself(self, kind: Kind, entry: Entry) -> str:
        wanted = Declared(entry.name, entry.spec, entry.id)
        if not can_be_read(kind, entry):
            return "was never made"
        found = kind.read(wanted)
        if found is None:
            return "was not there"
        if why := left_alone(entry, found, self._tools.whoami()):
            self._run.decide(entry.key, "leave")
            return why
        self._until_removed(kind, wanted, found)
        return "removed"

    def _until_removed(self, kind: Kind, wanted: Declared, found: Found | None) -> None:
        pauses = self._tools.pauses(
            self._run, kind.patience_s, f"{wanted.name} is still there after its deletion"
        )
        asked = ""
        while found is not None and found.state != "going":
            if found.id != asked:
                # A creation whose answer was lost may have left a second one under the same name.
                refuse_when_cancelled(self._run)
                self._ask(kind, wanted, found)
                asked = found.id
            else:
                pauses.wait()
            if kind.parents:
                return
            found = kind.read(wanted)

    def _ask(self, kind: Kind, wanted: Declared, found: Found) -> None:
        try:
            kind.delete(replace(wanted, id=found.id))
        except NotFound:
            # It is gone, or something that belongs to it went at the same moment; then it takes a second call.
            if kind.read(wanted) is not None:
                kind.delete(replace(wanted, id=found.id))
        except PLATFORM_ERRORS:
            # A doubtful answer is settled by looking again.
            again = kind.read(wanted)
            if again is not None and again.state != "going":
                raise


def left_alone(entry: Entry, found: Found, whoami: str) -> str:
    """Why something that was found must not be touched, or nothing."""
    if found.shared:
        return "left alone: it was here before us"
    if plan.is_foreign(entry, found, whoami):
        return "left alone: it was not made by this demo"
    return ""


def parent_among(entry: Entry, going: Mapping[str, Entry], parents: Sequence[str]) -> Entry | None:
    """The nearest thing that it needs, goes as well and takes it along; None when it has to be deleted itself."""
    seen: set[str] = set()
    level = [going[key] for key in entry.needs if key in going] if parents else []
    while level:
        nearest = next((each for each in level if each.kind in parents), None)
        if nearest is not None:
            return nearest
        seen |= {each.key for each in level}
        needed = {key for each in level for key in each.needs if key in going} - seen
        level = [going[key] for key in sorted(needed)]
    return None


def _step(entry: Entry, graph: plan.Graph) -> Step:
    return Step(entry.key, entry.stage, entry.kind, entry.name, tuple(sorted(graph[entry.key])))
