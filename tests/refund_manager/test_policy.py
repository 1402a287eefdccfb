"""The refund policy: what it gives never exceeds the order, grows with the delay, and the boundaries are the smaller refund."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refund_manager.policy import RefundClass, fault, refund

MINUTES = st.floats(0, 600).map(lambda value: round(value, 2))
TOTALS = st.decimals("0.00", "9999.99", places=2)


@pytest.mark.parametrize(
    ("minutes", "kind", "usd"),
    [
        (27.0, "none", "0.00"),
        (27.01, "partial", "10.50"),
        (36.0, "partial", "10.50"),
        (36.01, "full", "41.90"),
    ],
)
def test_a_boundary_belongs_to_the_smaller_refund(minutes: float, kind: str, usd: str):
    given_back = refund(minutes, 27.0, 36.0, Decimal("41.90"))
    assert (given_back.kind, given_back.usd) == (kind, Decimal(usd))


@pytest.mark.parametrize(
    ("total", "usd"),
    [("3.00", "1.00"), ("2.99", "0.50"), ("0.30", "0.30"), ("1.00", "0.50"), ("5.00", "1.50")],
)
def test_a_quarter_is_rounded_to_the_nearest_half_dollar(total: str, usd: str):
    assert refund(30, 27, 36, Decimal(total)).usd == Decimal(usd)


@given(MINUTES, MINUTES, MINUTES, TOTALS)
def test_a_refund_always_fits_its_class_and_the_order(
    minutes: float, p75: float, more: float, total: Decimal
):
    given_back = refund(minutes, p75, p75 + more, total)
    assert 0 <= given_back.usd <= total
    assert fault(given_back.kind, given_back.usd, total) == ""


@given(MINUTES, MINUTES, MINUTES, TOTALS)
def test_a_slower_delivery_never_gets_a_smaller_refund(
    minutes: float, later: float, p75: float, total: Decimal
):
    sooner = refund(minutes, p75, p75 + 10, total)
    assert refund(minutes + later, p75, p75 + 10, total).usd >= sooner.usd


@pytest.mark.parametrize(
    ("kind", "usd"),
    [("none", "0.01"), ("partial", "0"), ("full", "19.99"), ("full", "20.01"), ("partial", "20.01")],
)
def test_class_and_amount_that_contradict_each_other_are_a_fault(kind: str, usd: str):
    assert fault(RefundClass(kind), Decimal(usd), Decimal("20.00"))
