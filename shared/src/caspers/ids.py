"""Identifiers: random ones come from an `IdSource` that is passed in, derived ones are the same for ever."""

from collections.abc import Callable
from uuid import UUID, uuid4, uuid5  # noqa: TID251  this is the module that owns random ids

#: Namespace of every event id. Changing it would give every event of every dataset a new identity.
EVENT_NAMESPACE = UUID("6f1d5a0e-3c53-5d0b-9a5e-2f6a3f1f7c10")

#: Gives a new identifier at every call.
IdSource = Callable[[], str]


def new_id() -> str:
    """A new random identifier (UUIDv4)."""
    return str(uuid4())


def event_id(order_id: str, sequence: int) -> str:
    """The identity of an order's event: the same (order, sequence) has the same id in every replay."""
    return str(uuid5(EVENT_NAMESPACE, f"{order_id}/{sequence}"))
