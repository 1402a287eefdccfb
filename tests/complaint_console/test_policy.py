"""The complaint policy: what a text speaks of decides who judges it, and the facts alone decide how much is credited."""

from decimal import Decimal
from typing import Any

import pytest
from complaint_console.complaint_mix import Category
from complaint_console.concerns import Concern, concerns_of, named, names_order, said_missing
from complaint_console.policy import (
    Decision,
    KnownOrder,
    Priority,
    Triage,
    credit_fault,
    price_of,
    share_of,
    triage,
)
from hypothesis import given
from hypothesis import strategies as st

TOTALS = st.decimals("0.00", "9999.99", places=2)
MINUTES = st.none() | st.floats(0, 600).map(lambda value: round(value, 2))
TEXTS = st.lists(
    st.sampled_from(
        [
            "late",
            "missing",
            "cold",
            "raw",
            "rude",
            "sue you",
            "vomiting",
            "idiots",
            "thanks",
            "why?",
            "A-1",
            "twice",
        ]
    ),
    max_size=6,
).map(" ".join)

MENU = [
    {"item": name, "extended_price": price}
    for name, price in (("Miso Soup", 4.5), ("Chicken Burger", 11.0), ("Mac & Cheese (large)", 9.25))
]


def order(total: str = "40.00", minutes: float | None = 30.0) -> KnownOrder:
    return KnownOrder("A-1", Decimal(total), minutes, 27.0, 36.0)


@pytest.mark.parametrize(
    ("text", "minutes", "category", "usd"),
    [
        ("Order A-1 was late.", 27.0, "delivery_delay", "0.00"),
        ("Order A-1 was late.", 27.01, "delivery_delay", "6.00"),
        ("Order A-1 was late.", 36.0, "delivery_delay", "6.00"),
        ("Order A-1 was late.", 36.01, "delivery_delay", "10.00"),
        ("Order A-1 was cold.", 20.0, "food_quality", "8.00"),
        ("Order A-1 was raw inside.", 20.0, "food_quality", "16.00"),
        ("Order A-1 was late and cold.", 30.0, "food_quality", "8.00"),
        ("Order A-1 was late and cold.", 40.0, "delivery_delay", "10.00"),
        ("Order A-1 was late and your driver was rude.", 40.0, "delivery_delay", "10.00"),
    ],
)
def test_the_largest_single_credit_applies(text: str, minutes: float, category: str, usd: str):
    said = triage(text, order(minutes=minutes))
    assert (said.category, said.decision, said.credit_usd) == (category, "suggest_credit", Decimal(usd))


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("Order A-1 was late, my lawyer will write to you.", "urgent"),
        ("Order A-1: I was sick all night.", "urgent"),
        ("Order A-1 gave my son an allergic reaction.", "urgent"),
        ("You idiots, I will sue you over order A-1.", "urgent"),
        ("Order A-1 was late, you idiots.", "standard"),
        ("I was charged twice for order A-1, and it was late.", "standard"),
        ("My order was late.", "standard"),
        ("Order B-2 was late.", "standard"),
        ("Order A-1: the driver was rude.", "standard"),
        ("Order A-1 was late, and the driver was rude.", "standard"),
        ("Something was missing from order A-1.", "standard"),
        ("Order A-1 was delicious, thank you!", "standard"),
        ("Do you deliver on Sundays?", "standard"),
        ("Not happy.", "standard"),
        ("", "standard"),
    ],
)
def test_what_no_credit_settles_goes_to_a_person(text: str, priority: str):
    said = triage(text, order(minutes=20.0))
    assert (said.decision, said.priority, said.credit_usd) == ("escalate", priority, None)


def test_an_order_that_nobody_knows_is_escalated():
    assert triage("Order A-1 was late.", None) == Triage(
        Category.DELIVERY_DELAY, Decision.ESCALATE, priority=Priority.STANDARD
    )


@given(TEXTS, TOTALS, MINUTES, TOTALS)
def test_a_credit_is_in_steps_and_never_more_than_the_order(
    text: str, total: Decimal, minutes: float | None, missing: Decimal
):
    said = triage(text, KnownOrder("A-1", total, minutes, 27.0, 36.0), missing)
    if said.decision is Decision.SUGGEST_CREDIT:
        assert said.credit_usd is not None
        assert 0 <= said.credit_usd <= total
        assert said.credit_usd % Decimal("0.50") == 0
        assert said.confidence is not None
        assert said.priority is None
    else:
        assert (said.credit_usd, said.confidence) == (None, None)
        assert said.priority is not None


@given(TOTALS, st.sampled_from([15, 20, 25, 40]))
def test_a_share_is_rounded_to_the_nearest_half_dollar(total: Decimal, percent: int):
    exact = total * percent / 100
    assert abs(share_of(total, percent) - exact) <= Decimal("0.25") or total < Decimal("0.50")


@given(TEXTS, TOTALS, MINUTES, TOTALS)
def test_what_the_policy_credits_has_no_fault(
    text: str, total: Decimal, minutes: float | None, missing: Decimal
):
    known = KnownOrder("A-1", total, minutes, 27.0, 36.0)
    said = triage(text, known, missing)
    if said.credit_usd is not None:
        assert credit_fault(said.category, said.credit_usd, known, [missing]) == ""


@pytest.mark.parametrize(
    ("category", "usd"),
    [
        ("delivery_delay", "6.50"),
        ("delivery_delay", "0.00"),
        ("missing_items", "11.50"),
        ("missing_items", "0.00"),
        ("food_quality", "7.50"),
        ("food_quality", "16.50"),
        ("service_issue", "0.50"),
        ("other", "0.00"),
    ],
)
def test_a_credit_beside_the_policy_is_a_fault(category: str, usd: str):
    prices = [Decimal("4.50"), Decimal("11.00")]
    assert credit_fault(Category(category), Decimal(usd), order(), prices)


def test_items_are_credited_one_by_one_or_together():
    prices = [Decimal("4.50"), Decimal("11.00")]
    for usd in ("4.50", "11.00", "15.50"):
        assert credit_fault(Category.MISSING_ITEMS, Decimal(usd), order(), prices) == ""
    assert price_of(Decimal("99.00"), Decimal("40.20")) == Decimal("40.00")


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("The miso soup was missing.", ["Miso Soup"]),
        ("You forgot the burger!", ["Chicken Burger"]),
        ("You forgot the veggie burger!", []),
        ("No mac and cheese in the bag, and no MISO SOUPS.", ["Miso Soup", "Mac & Cheese (large)"]),
        ("The miso soup was great. The burger is missing.", ["Chicken Burger"]),
        ("The miso soup was cold and the burger is missing.", ["Chicken Burger"]),
        ("Something is missing. It is the burger.", ["Chicken Burger"]),
        ("The miso soup arrived but the burger is missing.", ["Chicken Burger"]),
        ("The miso soup never came, the burger was there.", ["Miso Soup"]),
        ("The miso soup and the burger never arrived.", ["Miso Soup", "Chicken Burger"]),
        ("The lobster was missing.", []),
        ("", []),
    ],
)
def test_missing_items_are_those_that_the_text_names(text: str, items: list[str]):
    assert [row["item"] for row in said_missing(text, MENU)] == items


@given(st.text(max_size=200), st.lists(st.fixed_dictionaries({"item": st.text(max_size=30)}), max_size=5))
def test_any_text_and_any_menu_can_be_read(text: str, menu: list[dict[str, Any]]):
    assert all(row in menu for row in [*named(text, menu), *said_missing(text, menu)])
    assert concerns_of(text) <= set(Concern)


def test_an_order_is_named_by_its_whole_id():
    assert names_order("about (order ABC-L1).", "abc-L1")
    assert not names_order("about order ABC-L12.", "ABC-L1")
    assert not names_order("about order ABC-L1.", "ABC")
