"""The vocabulary of the control plane: what a stage declares, what the registry remembers.

Everything here is plain data. A specification is JSON, except that a value which only exists once another
resource does (an id, an address) is written as an `Output` of that resource and filled in by `plan.resolve`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, LiteralString

Spec = Mapping[str, Any]
REGISTRY_KEY = "registry"
"""The key of the resource that is the registry's own table."""

REGISTRY_COLUMNS: tuple[LiteralString, ...] = (
    "key",
    "kind",
    "name",
    "stage",
    "id",
    "state",
    "needs",
    "spec",
    "outputs",
    "created_at",
    "changed_at",
)
"""The columns of the registry's table, all text: three hold JSON, the last two moments."""

EntryState = Literal["planned", "created", "ready"]


@dataclass(frozen=True)
class Output:
    """A value that resource `of` will offer once it exists."""

    of: str
    name: str


@dataclass(frozen=True)
class Resource:
    """One thing on the platform that must exist."""

    key: str
    """Unique in the whole demo and stable for ever: the registry finds the resource by it."""
    kind: str
    name: str
    """The name on the platform, full where the platform nests names."""
    spec: Spec = field(default_factory=dict[str, Any])
    needs: tuple[str, ...] = ()
    """Resources that must be ready first, beyond those whose outputs the specification uses."""
    after: tuple[str, ...] = ()
    """Resources that it waits for where they are made in the same run, because the two cannot be made at once."""


@dataclass(frozen=True)
class Stage:
    """A part of the demo that can be asked for by name."""

    name: str
    title: str
    needs: tuple[str, ...]
    """The stages that come along when this one is asked for."""
    resources: tuple[Resource, ...]


@dataclass(frozen=True)
class Entry:
    """What the registry remembers of one resource; enough to find it again and to remove it."""

    key: str
    kind: str
    name: str
    stage: str
    needs: tuple[str, ...]
    spec: Spec
    """As last applied, outputs filled in; may still hold none when the entry is only planned."""
    id: str = ""
    state: EntryState = "planned"
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])
    created_at: datetime | None = None
    """When we made it; None for what is only planned, and for what an older registry did not date."""
    changed_at: datetime | None = None

    def applied(self, spec: Spec, resource_id: str, state: EntryState, outputs: Mapping[str, str]) -> "Entry":
        """The entry after `spec` took effect."""
        return replace(self, spec=spec, id=resource_id, state=state, outputs=outputs)
