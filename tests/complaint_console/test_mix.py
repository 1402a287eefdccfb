"""Which orders complain and how: the shares are as stated, and the same order always does the same."""

from collections import Counter

import pytest
from caspers.agents.lots import lot, lots_below
from complaint_console.complaint_mix import (
    CATEGORY_SHARES,
    COMPLAINS,
    VARIANT_SHARES,
    Category,
    Plan,
    Variant,
    plan_of,
)

ORDERS = [f"ORDER{number}" for number in range(20_000)]


def _complaining(rate: float) -> set[str]:
    return {order for order in ORDERS if lot(COMPLAINS, order) < lots_below(rate)}


@pytest.mark.parametrize("shares", [CATEGORY_SHARES, *VARIANT_SHARES.values()])
def test_the_stated_shares_add_up_to_everything(shares: dict[object, int]):
    assert sum(shares.values()) == 100


def test_categories_come_as_often_as_stated():
    seen = Counter(plan_of(order).category for order in ORDERS)
    for category, percent in CATEGORY_SHARES.items():
        assert 100 * seen[category] / len(ORDERS) == pytest.approx(percent, abs=1.5)


@pytest.mark.parametrize("category", Category)
def test_variants_come_as_often_as_stated(category: Category):
    seen = Counter(plan.variant for plan in map(plan_of, ORDERS) if plan.category is category)
    for variant, percent in VARIANT_SHARES[category].items():
        assert 100 * seen[variant] / seen.total() == pytest.approx(percent, abs=4)


def test_a_higher_rate_adds_complaints_and_takes_none_back():
    few, some, all_of_them = _complaining(0.015), _complaining(0.15), _complaining(1)
    assert few < some < all_of_them == set(ORDERS)
    assert len(some) / len(ORDERS) == pytest.approx(0.15, abs=0.01)
    assert not _complaining(0)


def test_who_complains_says_nothing_about_what_is_said():
    complaining = _complaining(0.15)
    seen = Counter(plan_of(order).category for order in complaining)
    for category, percent in CATEGORY_SHARES.items():
        assert 100 * seen[category] / len(complaining) == pytest.approx(percent, abs=4)


def test_the_plan_of_an_order_never_changes():
    assert plan_of("KJFQXZ") == Plan(Category.DELIVERY_DELAY, Variant.PLAIN, 8130)
    assert lot(COMPLAINS, "KJFQXZ") == "b109a6a4"
