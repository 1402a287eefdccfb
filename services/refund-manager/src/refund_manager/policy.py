"""The refund policy: delivery minutes against the location's percentiles, and what the order cost, give class and amount.

Pure. Nothing up to the P75 of the location's delivery times; partial beyond it up to the P99; full beyond that. A
partial refund is a quarter of the order rounded to the nearest half dollar (halves up), at least half a dollar, and
never more than the order cost. The prompt says the same to a model, in prose and as a procedure.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

#: The share of the order that a partial refund gives back, in percent, and the step it is rounded to, in dollars.
PARTIAL_PERCENT = 25
PARTIAL_STEP_USD = Decimal("0.50")
NOTHING = Decimal("0.00")

_CENT = Decimal("0.01")


class RefundClass(StrEnum):
    """How much of an order is given back."""

    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


@dataclass(frozen=True)
class Refund:
    """What the policy gives back of an order."""

    kind: RefundClass
    usd: Decimal


def refund(minutes: float, p75_minutes: float, p99_minutes: float, total_usd: Decimal) -> Refund:
    """The refund of a delivery that took `minutes`; on a boundary the smaller one, and none where nothing was paid."""
    total = total_usd.quantize(_CENT)
    if minutes <= p75_minutes or total <= 0:
        return Refund(RefundClass.NONE, NOTHING)
    if minutes <= p99_minutes:
        return Refund(RefundClass.PARTIAL, min(total, _partial(total)))
    return Refund(RefundClass.FULL, total)


def fault(kind: RefundClass, amount_usd: Decimal, total_usd: Decimal) -> str:
    """Why class and amount cannot stand for an order that cost `total_usd`; empty when they can."""
    if amount_usd > total_usd:
        return f"the refund of {amount_usd} is more than the order cost ({total_usd})"
    if kind is RefundClass.NONE and amount_usd != 0:
        return f"class none refunds nothing, not {amount_usd}"
    if kind is RefundClass.FULL and amount_usd != total_usd:
        return f"class full refunds all that the order cost ({total_usd}), not {amount_usd}"
    if kind is RefundClass.PARTIAL and amount_usd <= 0:
        return "class partial refunds something, not nothing"
    return ""


def _partial(total: Decimal) -> Decimal:
    steps = total * PARTIAL_PERCENT / 100 / PARTIAL_STEP_USD
    return max(PARTIAL_STEP_USD, steps.quantize(Decimal(1), ROUND_HALF_UP) * PARTIAL_STEP_USD).quantize(_CENT)
