"""What every kind of resource can do.

One method is one call to the platform (reads may take several). Nothing here waits: after `create` or
`update` the engine records the id and then calls `read` until the resource is ready. A kind passes the
platform's own errors on; the engine adds what it was doing, and to what.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Readiness = Literal["ready", "working", "stopped", "going", "failed"]


@dataclass(frozen=True)
class Declared:
    """What we want of one resource, everything filled in."""

    name: str
    spec: Mapping[str, Any]
    id: str = ""
    """The platform's id: as registered when reading (perhaps empty), as found for `update` and `delete`."""


@dataclass(frozen=True)
class Found:
    """What the platform says of a resource that exists."""

    id: str
    """The platform's own, which another thing of the same name would not have; the name where it gives none."""
    state: Readiness = "ready"
    """`stopped` is there and does nothing until it is started again; `going` is a deletion under way: it counts as gone at teardown and is waited for before a new create."""
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])
    """What other resources may refer to."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those settings of the specification that the platform reports back: a difference is drift."""
    maker: str = ""
    """The principal that made it, as the platform says; empty for what belongs to something else that we made."""
    shared: bool = False
    """True for what was here before us and is only used: it is never changed, and teardown leaves it alone."""
    resting: bool = False
    """True while it does nothing, whether or not it should."""
    message: str = ""
    """What it is doing or why it failed, for the person watching."""


class Kind(Protocol):
    """One kind of resource."""

    @property
    def patience_s(self) -> float:
        """How long it may take from the call until it is ready."""
        ...

    @property
    def parents(self) -> tuple[str, ...]:
        """The kinds of thing whose deletion deletes it too; teardown then only forgets it."""
        ...

    def read(self, wanted: Declared) -> Found | None:
        """What is there now, or None. A kind without parents also answers to the name alone, without a specification."""
        ...

    def create(self, wanted: Declared) -> str:
        """Ask for it and return its id, without waiting until it is ready."""
        ...

    def update(self, wanted: Declared) -> None:
        """Make what was found as it is wanted; nothing to do where a kind has no changeable settings."""
        ...

    def delete(self, wanted: Declared) -> None:
        """Ask for its removal."""
        ...


@runtime_checkable
class Stoppable(Protocol):
    """A kind that can be stopped without being removed, and is started again by `update`."""

    @property
    def stop_patience_s(self) -> float:
        """How long it may take until it does nothing any more."""
        ...

    def stop(self, wanted: Declared) -> None:
        """Ask it to do nothing any more."""
        ...
