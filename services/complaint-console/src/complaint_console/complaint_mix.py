"""Which complaint an order makes: its category, its variant and its wording follow from the order's id alone.

Pure. Some complaints are hard on purpose: vague ones, praise, threats, an order that is not the customer's. The shares
are stated here, and the same order always makes the same complaint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from caspers.agents.lots import fraction

#: Purpose of the lots that say which orders complain.
COMPLAINS = "complaint"
#: How many different wordings the number of a plan asks for.
WORDINGS = 10_000


class Category(StrEnum):
    """What a complaint is about."""

    DELIVERY_DELAY = "delivery_delay"
    MISSING_ITEMS = "missing_items"
    FOOD_QUALITY = "food_quality"
    SERVICE_ISSUE = "service_issue"
    OTHER = "other"


class Variant(StrEnum):
    """What is special about a complaint.

    unfounded: claims a wait that never was, or an item that was never ordered · several: two troubles at once ·
    no_order_id, wrong_order_id: does not name its order, names another one · the rest say what they are.
    """

    PLAIN = "plain"
    UNFOUNDED = "unfounded"
    SEVERAL = "several"
    NO_ORDER_ID = "no_order_id"
    WRONG_ORDER_ID = "wrong_order_id"
    LEGAL = "legal"
    HEALTH = "health"
    ABUSE = "abuse"
    VAGUE = "vague"
    QUESTION = "question"
    PRAISE = "praise"


#: Percent of all complaints.
CATEGORY_SHARES: Mapping[Category, int] = MappingProxyType(
    {
        Category.DELIVERY_DELAY: 40,
        Category.MISSING_ITEMS: 25,
        Category.FOOD_QUALITY: 20,
        Category.SERVICE_ISSUE: 10,
        Category.OTHER: 5,
    }
)

_OF_ANY_TROUBLE: Mapping[Variant, int] = MappingProxyType(
    {
        Variant.SEVERAL: 8,
        Variant.NO_ORDER_ID: 4,
        Variant.WRONG_ORDER_ID: 3,
        Variant.LEGAL: 2,
        Variant.ABUSE: 3,
    }
)

#: Percent of the complaints of a category.
VARIANT_SHARES: Mapping[Category, Mapping[Variant, int]] = MappingProxyType(
    {
        Category.DELIVERY_DELAY: {Variant.PLAIN: 70, Variant.UNFOUNDED: 10, **_OF_ANY_TROUBLE},
        Category.MISSING_ITEMS: {Variant.PLAIN: 74, Variant.UNFOUNDED: 6, **_OF_ANY_TROUBLE},
        Category.FOOD_QUALITY: {Variant.PLAIN: 70, Variant.HEALTH: 10, **_OF_ANY_TROUBLE},
        Category.SERVICE_ISSUE: {Variant.PLAIN: 80, **_OF_ANY_TROUBLE},
        Category.OTHER: {Variant.VAGUE: 40, Variant.QUESTION: 20, Variant.PRAISE: 20, Variant.PLAIN: 20},
    }
)


_MAY_NAME_NO_ORDER = frozenset({Variant.NO_ORDER_ID, Variant.VAGUE, Variant.QUESTION, Variant.PRAISE})


@dataclass(frozen=True)
class Plan:
    """The complaint that an order makes; `wording` chooses among the ways to put it."""

    category: Category
    variant: Variant
    wording: int

    @property
    def names_an_order(self) -> bool:
        """Whether the text has to say which order it is about, rightly or wrongly; else it may."""
        return self.variant not in _MAY_NAME_NO_ORDER


def plan_of(order_id: str) -> Plan:
    """The plan of an order's complaint, the same every time."""
    category = _drawn(CATEGORY_SHARES, fraction("complaint category", order_id))
    return Plan(
        category,
        _drawn(VARIANT_SHARES[category], fraction("complaint variant", order_id)),
        int(fraction("complaint wording", order_id) * WORDINGS),
    )


Drawn = TypeVar("Drawn")


def _drawn(percents: Mapping[Drawn, int], at: float) -> Drawn:
    """The one whose part of the shares, laid end to end, holds `at` (0 to below 1)."""
    reached = 0
    for one, percent in percents.items():
        reached += percent
        if at * 100 < reached:
            return one
    raise AssertionError(f"the shares add up to {reached} percent, not to 100")
