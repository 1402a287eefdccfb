"""Stopping: what works for itself rests, nothing is deleted, and the next run lets it go on."""

from collections.abc import Sequence
from dataclasses import replace

from admin.declarations import Entry
from admin.engine import plan
from admin.engine.removal import left_alone
from admin.engine.steps import Tools, can_be_read, carry_out, refuse_when_cancelled
from admin.resources.kind import Declared, Found, Stoppable
from admin.runs.run import Run, Step


class Halting:
    """One run that stops registered resources."""

    def __init__(self, tools: Tools, run: Run) -> None:
        self._tools = tools
        self._run = run

    def stop(self, entries: Sequence[Entry]) -> None:
        """Stop what can be stopped, dependents first."""
        by_key = {entry.key: entry for entry in entries}
        graph = stop_graph(self._tools, entries)
        self._run.expect([_step(by_key[key], graph) for key in plan.in_order(graph)])
        carry_out(graph, lambda key: self._stop(by_key[key]), self._run, parallel=self._tools.parallel)

    def _stop(self, entry: Entry) -> None:
        kind = self._tools.kinds[entry.kind]
        assert isinstance(kind, Stoppable)
        wanted = Declared(entry.name, entry.spec, entry.id)
        found = kind.read(wanted) if can_be_read(kind, entry) else None
        why = "" if found is None else left_alone(entry, found, self._tools.whoami())
        if found is None or why or rests(found):
            self._run.decide(entry.key, "leave" if why else "keep")
            self._run.finish(
                entry.key, "unchanged", why or ("was not there" if found is None else "rests already")
            )
            return
        self._run.decide(entry.key, "stop")
        refuse_when_cancelled(self._run)
        kind.stop(replace(wanted, id=found.id))
        pauses = self._tools.pauses(self._run, kind.stop_patience_s, f"{entry.name} has not stopped")
        while not rests(found := kind.read(wanted)):
            pauses.wait()
        self._run.finish(entry.key, "done", "stopped")


def rests(found: Found | None) -> bool:
    """Whether something does nothing any more."""
    return found is None or found.state in {"stopped", "going"} or found.resting


def stop_graph(tools: Tools, entries: Sequence[Entry]) -> plan.Graph:
    """For everything that can be stopped what has to rest first."""
    stoppable = {entry.key for entry in entries if isinstance(tools.kinds[entry.kind], Stoppable)}
    return plan.reduced(plan.teardown_graph(entries), stoppable)


def _step(entry: Entry, graph: plan.Graph) -> Step:
    return Step(entry.key, entry.stage, entry.kind, entry.name, tuple(sorted(graph[entry.key])))
