"""Agreement with the agent, beside numbers worked out by hand."""

from decimal import Decimal

import pytest
from caspers.review.agreement import Cell, agreement
from hypothesis import assume, given
from hypothesis import strategies as st

CLASSES = ("none", "partial", "full")
CELLS = st.lists(
    st.builds(Cell, st.sampled_from(CLASSES), st.sampled_from(CLASSES), st.integers(1, 500)),
    min_size=1,
    max_size=12,
)


def _cells(table: dict[tuple[str, str], int]) -> list[Cell]:
    return [Cell(*classes, cases) for classes, cases in table.items()]


def test_kappa_is_what_the_textbook_works_out_by_hand():
    # Two readers of 50 grant proposals: 20 + 15 agreed on, 5 + 10 not. By chance: (25·30 + 25·20) / 50² = 0.5.
    said = agreement(_cells({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15}))
    assert said.observed == pytest.approx(0.7)
    assert said.expected == pytest.approx(0.5)
    assert said.kappa == pytest.approx(0.4)


def test_three_classes_give_the_kappa_worked_out_by_hand():
    # Agent 50/30/20, persons 45/35/20 of 100; agreed 40 + 25 + 15. By chance: (50·45 + 30·35 + 20·20) / 100² = 0.37.
    said = agreement(
        _cells({
            ("none", "none"): 40, ("none", "partial"): 8, ("none", "full"): 2,
            ("partial", "none"): 2, ("partial", "partial"): 25, ("partial", "full"): 3,
            ("full", "none"): 3, ("full", "partial"): 2, ("full", "full"): 15,
        })
    )  # fmt: skip
    assert said.observed == pytest.approx(0.80)
    assert said.expected == pytest.approx(0.37)
    assert said.kappa == pytest.approx(0.43 / 0.63)


def test_without_cases_nothing_is_defined():
    said = agreement([])
    assert (said.cases, said.observed, said.expected, said.kappa) == (0, None, None, None)


def test_kappa_is_undefined_when_both_always_say_the_same():
    said = agreement(_cells({("none", "none"): 30}))
    assert (said.observed, said.expected, said.kappa) == (1.0, 1.0, None)


def test_a_person_who_never_listens_agrees_as_often_as_chance():
    said = agreement(_cells({("none", "full"): 10, ("partial", "full"): 10, ("full", "full"): 10}))
    assert said.kappa == pytest.approx(0.0)


def test_dollars_over_and_under_are_added_up_apart():
    said = agreement(
        [
            Cell("none", "full", 2, Decimal("30.00"), Decimal(0)),
            Cell("full", "none", 1, Decimal(0), Decimal("12.50")),
        ]
    )
    assert (said.over_usd, said.under_usd) == (Decimal("30.00"), Decimal("12.50"))


@given(CELLS)
def test_kappa_lies_between_minus_one_and_one(cells: list[Cell]):
    said = agreement(cells)
    assert said.observed is not None
    assert 0 <= said.observed <= 1
    assert said.kappa is None or -1 - 1e-9 <= said.kappa <= 1 + 1e-9


@given(CELLS)
def test_kappa_does_not_care_who_is_called_the_agent(cells: list[Cell]):
    turned = [Cell(cell.person_class, cell.agent_class, cell.cases) for cell in cells]
    assert agreement(turned).kappa == pytest.approx(agreement(cells).kappa)


@given(CELLS, st.integers(2, 50))
def test_kappa_does_not_care_how_many_cases_there_are(cells: list[Cell], times: int):
    more = [Cell(cell.agent_class, cell.person_class, cell.cases * times) for cell in cells]
    assert agreement(more).kappa == pytest.approx(agreement(cells).kappa)


@given(CELLS)
def test_kappa_is_one_exactly_where_all_agree(cells: list[Cell]):
    said = agreement(cells)
    assume(said.kappa is not None)
    assert (said.kappa == pytest.approx(1.0)) == (said.observed == 1.0)
