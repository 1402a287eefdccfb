"""How far the data has come on its way, as figures. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flow:
    """Rows on their way; None where a table does not exist (yet)."""

    events: int | None
    """In bronze."""
    quarantined: int | None
    orders: int | None
    """Different orders in bronze."""
    gold_orders: int | None
    undecided: int | None
    """Deliveries after the newest one that has a recommendation."""
    untriaged: int | None
    """Deliveries after the newest one whose complaint has a response."""
