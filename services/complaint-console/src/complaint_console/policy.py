"""The complaint policy: a text's concerns and what is known of the order give a credit, or send the case to a person.

Pure. Delays are measured against the percentiles of the location, missing items are worth their real price, food that was
not good a share of the order; of several the largest single credit applies. Credits come in steps of half a dollar (halves
up) and are never more than the order cost. Everything else is escalated, at once where law or health are spoken of. The
prompt says the same to a model, in prose and as a procedure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from complaint_console.complaint_mix import Category
from complaint_console.concerns import Concern, concerns_of, names_order

#: Percent of the order that are credited: for delays up to and beyond the P99, and for food by how bad it was.
LATE_PERCENT, VERY_LATE_PERCENT = 15, 25
QUALITY_PERCENT, SPOILT_PERCENT = 20, 40
#: Credits are multiples of this, in dollars.
STEP_USD = Decimal("0.50")
NOTHING = Decimal("0.00")

_STEP_CENTS = 50
_URGENT = frozenset({Concern.LEGAL, Concern.HEALTH})
#: What a text is about, the first that it speaks of.
_ABOUT = {
    Concern.DELAY: Category.DELIVERY_DELAY,
    Concern.MISSING: Category.MISSING_ITEMS,
    Concern.SPOILT: Category.FOOD_QUALITY,
    Concern.QUALITY: Category.FOOD_QUALITY,
    Concern.SERVICE: Category.SERVICE_ISSUE,
    Concern.HEALTH: Category.FOOD_QUALITY,
}
_TROUBLES = frozenset(_ABOUT)


class Decision(StrEnum):
    """What the agent can decide."""

    SUGGEST_CREDIT = "suggest_credit"
    ESCALATE = "escalate"


class Confidence(StrEnum):
    """How sure a suggestion is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Priority(StrEnum):
    """How soon a person should look at an escalated case."""

    STANDARD = "standard"
    URGENT = "urgent"


@dataclass(frozen=True)
class KnownOrder:
    """What the policy asks of an order; minutes are null where its delivery or the percentiles are not known."""

    order_id: str
    total_usd: Decimal
    minutes: float | None = None
    p75_minutes: float | None = None
    p99_minutes: float | None = None


@dataclass(frozen=True)
class Triage:
    """What the policy makes of a complaint: an amount and a confidence with a suggestion, a priority with an escalation."""

    category: Category
    decision: Decision
    credit_usd: Decimal | None = None
    confidence: Confidence | None = None
    priority: Priority | None = None


def triage(text: str, order: KnownOrder | None, missing_usd: Decimal = NOTHING) -> Triage:
    """The triage of a text about an order, nobody's if None; `missing_usd` is the price of items that it says are missing."""
    concerns = concerns_of(text)
    if concerns & _URGENT:
        return _escalated(concerns, Priority.URGENT)
    if order is None or not names_order(text, order.order_id) or concerns & {Concern.ABUSE, Concern.BILLING}:
        return _escalated(concerns, Priority.STANDARD)
    due = [credit for credit in _credits(concerns, order, missing_usd) if credit.credit_usd]
    if due:
        return max(due, key=lambda credit: credit.credit_usd or NOTHING)
    if delay_percent(order) == 0 and concerns & _TROUBLES == frozenset({Concern.DELAY}):
        return Triage(Category.DELIVERY_DELAY, Decision.SUGGEST_CREDIT, NOTHING, Confidence.HIGH)
    return _escalated(concerns, Priority.STANDARD)


def is_urgent(text: str) -> bool:
    """Whether a person has to see a text soon, whoever triages it."""
    return bool(concerns_of(text) & _URGENT)


def credit_fault(
    category: Category, credit_usd: Decimal, order: KnownOrder, named_usd: Sequence[Decimal]
) -> str:
    """Why a credit cannot stand, given the prices of all items that the text names; empty when it can."""
    match category:
        case Category.DELIVERY_DELAY:
            percent = delay_percent(order)
            if percent is None:
                return "it is not known how long the delivery took; escalate"
            wanted = share_of(order.total_usd, percent)
            return "" if credit_usd == wanted else f"the policy credits {wanted} for this delivery time"
        case Category.MISSING_ITEMS:
            fits = credit_usd in _missing_credits(named_usd, order.total_usd)
            return (
                "" if fits else "the credit is not the real price of ordered items that the complaint names"
            )
        case Category.FOOD_QUALITY:
            least, most = (
                share_of(order.total_usd, percent) for percent in (QUALITY_PERCENT, SPOILT_PERCENT)
            )
            fits = least <= credit_usd <= most
            return "" if fits else f"the policy credits between {least} and {most} for the food of this order"
        case _:
            return f"nothing is credited for {category.value}; escalate"


def delay_percent(order: KnownOrder) -> int | None:
    """The share of the order that its delivery time gives back; None when that is not known."""
    if order.minutes is None or order.p75_minutes is None or order.p99_minutes is None:
        return None
    if order.minutes <= order.p75_minutes:
        return 0
    return LATE_PERCENT if order.minutes <= order.p99_minutes else VERY_LATE_PERCENT


def share_of(total_usd: Decimal, percent: int) -> Decimal:
    """So many percent of what an order cost, as a credit."""
    cents = _cents(total_usd)
    return _in_steps((cents * percent + 50 * _STEP_CENTS) // (100 * _STEP_CENTS), cents)


def price_of(missing_usd: Decimal, total_usd: Decimal) -> Decimal:
    """The price of items as a credit."""
    return _in_steps((_cents(missing_usd) + _STEP_CENTS // 2) // _STEP_CENTS, _cents(total_usd))


def _credits(concerns: frozenset[Concern], order: KnownOrder, missing_usd: Decimal) -> list[Triage]:
    """The credits that the concerns give, each by itself."""
    found: list[tuple[Category, Decimal, Confidence]] = []
    percent = delay_percent(order)
    if Concern.DELAY in concerns and percent is not None:
        found.append((Category.DELIVERY_DELAY, share_of(order.total_usd, percent), Confidence.HIGH))
    if Concern.MISSING in concerns:
        found.append((Category.MISSING_ITEMS, price_of(missing_usd, order.total_usd), Confidence.HIGH))
    if concerns & {Concern.SPOILT, Concern.QUALITY}:
        share = SPOILT_PERCENT if Concern.SPOILT in concerns else QUALITY_PERCENT
        found.append((Category.FOOD_QUALITY, share_of(order.total_usd, share), Confidence.MEDIUM))
    return [Triage(category, Decision.SUGGEST_CREDIT, usd, confidence) for category, usd, confidence in found]


def _escalated(concerns: frozenset[Concern], priority: Priority) -> Triage:
    about = (category for concern, category in _ABOUT.items() if concern in concerns)
    category = Category.OTHER if Concern.BILLING in concerns else next(about, Category.OTHER)
    return Triage(category, Decision.ESCALATE, priority=priority)


def _missing_credits(named_usd: Sequence[Decimal], total_usd: Decimal) -> set[Decimal]:
    """The credits for any of the named items, one or several."""
    sums: set[Decimal] = set()
    for usd in named_usd:
        sums |= {usd, *(usd + rest for rest in sums)}
    return {price_of(usd, total_usd) for usd in sums}


def _cents(usd: Decimal) -> int:
    return int(usd * 100)


def _in_steps(steps: int, most_cents: int) -> Decimal:
    return min(steps, most_cents // _STEP_CENTS) * STEP_USD
