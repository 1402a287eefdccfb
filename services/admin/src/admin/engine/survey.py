"""A survey: what the platform says of everything that some stages declare, asked side by side and changing nothing.

It follows the needs, because a specification may hold the outputs of other resources. Where those do not exist yet,
a resource that has a name of its own is still looked for by it; a part of something that is missing is missing, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock

from caspers.errors import CaspersError, Invalid

from admin.declarations import Entry, Resource
from admin.engine import plan
from admin.engine.walk import walk
from admin.resources.kind import Declared, Found, Kind

PARALLEL_READS = 16


@dataclass(frozen=True)
class Sight:
    """What was seen of one resource."""

    wanted: Declared
    found: Found | None
    complete: bool
    """Whether the specification is: False while something that it refers to does not exist."""


@dataclass
class Survey:
    """Looks at resources. `sights` grows while `look` is at work."""

    kinds: Mapping[str, Kind]
    entries: Mapping[str, Entry]
    unheard: bool = False
    """Whether a part that cannot be asked for (its database is away, say) counts as missing, rather than as an error."""
    sights: dict[str, Sight] = field(default_factory=dict[str, Sight])

    def look(self, resources: Sequence[Resource]) -> dict[str, Sight]:
        """A sight of every resource. Raises what the platform raises when it cannot be asked."""
        by_key = {resource.key: resource for resource in resources}
        graph = plan.provisioning_graph(resources)
        stop, errors, lock = Event(), list[Exception](), Lock()

        def see(key: str) -> bool:
            try:
                self.sights[key] = self._see(by_key[key])
            except Exception as error:  # noqa: BLE001  raised again by the thread that asked
                with lock:
                    errors.append(error)
                stop.set()
                return False
            return True

        walk(graph, see, parallel=PARALLEL_READS, stop=stop)
        if errors:
            raise errors[0]
        return self.sights

    def _see(self, resource: Resource) -> Sight:
        kind = self.kinds[resource.kind]
        entry = self.entries.get(resource.key)
        known_id = entry.id if entry else ""
        try:
            wanted = Declared(resource.name, plan.resolve(resource.spec, self._outputs()), known_id)
        except Invalid:
            wanted = Declared(resource.name, {}, known_id)
            return Sight(wanted, None if _is_part(kind) else kind.read(wanted), complete=False)
        try:
            return Sight(wanted, kind.read(wanted), complete=True)
        except CaspersError:
            # What it is part of is missing, so there is nobody to answer for it.
            gone = any(self.sights[need].found is None for need in plan.all_needs(resource))
            if gone or (self.unheard and _is_part(kind)):
                return Sight(wanted, None, complete=True)
            raise

    def _outputs(self) -> dict[str, Mapping[str, str]]:
        return {
            key: sight.found.outputs for key, sight in self.sights.copy().items() if sight.found is not None
        }


def _is_part(kind: Kind) -> bool:
    return bool(kind.parents)
