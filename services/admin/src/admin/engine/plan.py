"""What to do, given what is wanted, what is registered and what was found. Pure: no call leaves this module.

Provisioning walks resources along their needs; teardown walks the same graph with its edges turned.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from caspers.errors import Invalid

from admin.declarations import Entry, Output, Resource, Spec, Stage
from admin.resources.kind import Found
from admin.shapes import Verb

Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Decision:
    """What to do about one resource, and why (in words for the person watching)."""

    verb: Verb
    reason: str


def decide(spec: Spec, entry: Entry | None, found: Found | None) -> Decision:
    """Compare one wanted specification with the registry's memory and the platform's answer."""
    if found is not None and found.shared:
        return Decision("leave", "it was here before us and is used as it is")
    if found is None:
        was_there = entry is not None and entry.state != "planned"
        return Decision("create", "it went missing" if was_there else "it does not exist yet")
    if found.state == "going":
        return Decision("replace", "the old one is still being deleted")
    if found.state == "failed":
        return Decision("update", f"it failed: {found.message}" if found.message else "it failed")
    if found.state == "stopped":
        never_ran = entry is None or entry.state == "planned"
        return Decision("create", "it does not run yet") if never_ran else Decision("update", "it is stopped")
    reason = _difference(spec, entry, found)
    return Decision("update", reason) if reason else Decision("keep", "")


def _difference(spec: Spec, entry: Entry | None, found: Found) -> str:
    """Why what exists must be touched, or nothing."""
    drifted = sorted(name for name, value in found.settings.items() if name in spec and spec[name] != value)
    if drifted:
        return f"it differs from what is wanted: {', '.join(drifted)}"
    if entry is None or entry.state == "planned":
        return "it exists but was not recorded: adopting it"
    if entry.spec != spec:
        return f"its specification changed: {', '.join(changed(entry.spec, spec))}"
    return ""


def is_foreign(entry: Entry | None, found: Found, whoami: str) -> bool:
    """Whether what was found bears our name and is not ours: neither made by us nor recorded with this id.

    What is shared is nobody's to refuse; what names no maker belongs to something that is ours.
    """
    if found.shared or not found.maker or found.maker == whoami:
        return False
    return entry is None or entry.state == "planned" or entry.id != found.id


def changed(before: Spec, after: Spec) -> list[str]:
    """The names of the settings that differ between two specifications."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def with_ancestors(stages: Sequence[Stage], asked: Iterable[str]) -> list[Stage]:
    """The stages asked for and all they need, in an order that respects the needs.

    Raises:
        Invalid: a name is not a stage's.
    """
    by_name = {stage.name: stage for stage in stages}
    wanted: set[str] = set()
    pending = list(asked)
    while pending:
        name = pending.pop()
        if name not in by_name:
            raise Invalid(f"there is no stage {name!r}; the stages are {', '.join(by_name)}")
        if name not in wanted:
            wanted.add(name)
            pending.extend(by_name[name].needs)
    return [stage for stage in stages if stage.name in wanted]


def declared(stages: Iterable[Stage]) -> dict[str, tuple[str, Resource]]:
    """Every resource by its key, with the first stage that declares it; several may, if they declare it alike.

    Raises:
        Invalid: two stages mean different things by one key.
    """
    found: dict[str, tuple[str, Resource]] = {}
    for stage in stages:
        for resource in stage.resources:
            owner, first = found.setdefault(resource.key, (stage.name, resource))
            if first != resource:
                raise Invalid(f"{owner} and {stage.name} declare {resource.key} differently")
    return found


def provisioning_graph(resources: Sequence[Resource]) -> Graph:
    """For every resource the keys it waits for; needs outside of `resources` are an error in the declaration.

    Raises:
        Invalid: two resources share a key, a need is unknown, or the needs run in a circle.
    """
    needs = {resource.key: all_needs(resource) for resource in resources}
    if len(needs) != len(resources):
        raise Invalid("two resources share a key")
    for key, needed in needs.items():
        if unknown := needed - needs.keys():
            raise Invalid(f"{key} needs {', '.join(sorted(unknown))}, which nothing declares")
    graph = {each.key: needs[each.key] | (needs.keys() & set(each.after)) for each in resources}
    refuse_circles(graph)
    return graph


def teardown_graph(entries: Iterable[Entry]) -> Graph:
    """For every registered resource the keys that must be gone first: the needs, turned round."""
    entries = list(entries)
    graph: dict[str, set[str]] = {entry.key: set() for entry in entries}
    for entry in entries:
        for need in entry.needs:
            if need in graph:
                graph[need].add(entry.key)
    return {key: frozenset(first) for key, first in graph.items()}


def reduced(graph: Graph, keys: AbstractSet[str]) -> Graph:
    """The same order among these keys alone: each waits for those that it waited for through others, too."""
    before: dict[str, frozenset[str]] = {}
    for key in in_order(graph):
        before[key] = frozenset[str]().union(*(before[need] | {need} for need in graph[key]))
    return {key: before[key] & keys for key in graph if key in keys}


def in_order(graph: Graph) -> list[str]:
    """The keys of a graph, each after those it waits for."""
    return list(TopologicalSorter(graph).static_order())


def refuse_circles(graph: Graph) -> None:
    """Raises Invalid, naming the circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        raise Invalid(f"resources need each other in a circle: {' → '.join(circle)}") from error


def all_needs(resource: Resource) -> frozenset[str]:
    """The needs a resource states and those its specification implies."""
    return frozenset(resource.needs) | {output.of for output in outputs_in(resource.spec)}


def outputs_in(value: Any) -> Iterator[Output]:
    """Every `Output` anywhere inside a specification."""
    if isinstance(value, Output):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from outputs_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from outputs_in(inner)


def resolve(value: Any, outputs: Mapping[str, Mapping[str, str]]) -> Any:
    """A specification with every `Output` replaced by its value, as plain JSON.

    Raises:
        Invalid: an output is not there although its resource is; the declaration is wrong.
    """
    if isinstance(value, Output):
        try:
            return outputs[value.of][value.name]
        except KeyError:
            raise Invalid(f"{value.of} offers no {value.name!r}") from None
    if isinstance(value, Mapping):
        return {name: resolve(inner, outputs) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(inner, outputs) for inner in value]
    return value


def orphans(entries: Iterable[Entry], stages: Sequence[Stage]) -> list[Entry]:
    """Registered resources of these stages that the stages no longer declare (a parameter changed, say)."""
    declared = {resource.key for stage in stages for resource in stage.resources}
    names = {stage.name for stage in stages}
    return [entry for entry in entries if entry.stage in names and entry.key not in declared]
