"""How far people agree with an agent: a matrix of classes, Cohen's kappa, and the dollars between them. Pure.

Kappa is the agreement beyond chance: (observed - expected) / (1 - expected). It is 1 where all agree, 0 where they agree
as often as chance would, and undefined (None) without cases, or where chance alone would make all agree: when both sides
say one and the same class every time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import fsum

from caspers.review.money import Dollars


@dataclass(frozen=True)
class Cell:
    """Cases in which the agent said one class and a person another (or the same).

    `over_usd` is what people paid beyond the agent's amounts, `under_usd` what they paid less; both are positive.
    """

    agent_class: str
    person_class: str
    cases: int
    over_usd: Dollars = Decimal(0)
    under_usd: Dollars = Decimal(0)


@dataclass(frozen=True)
class Agreement:
    """The statistics of a matrix; `observed`, `expected` (shares of 1) and `kappa` are None where undefined."""

    matrix: tuple[Cell, ...]
    cases: int
    observed: float | None
    expected: float | None
    kappa: float | None
    over_usd: Dollars
    under_usd: Dollars


def agreement(cells: Iterable[Cell]) -> Agreement:
    """The agreement in a matrix given by its cells; cells of the same two classes are added up."""
    matrix = _added_up(cells)
    cases = sum(cell.cases for cell in matrix)
    observed = _share(sum(cell.cases for cell in matrix if cell.agent_class == cell.person_class), cases)
    expected = _by_chance(matrix, cases)
    return Agreement(
        matrix=matrix,
        cases=cases,
        observed=observed,
        expected=expected,
        kappa=_kappa(observed, expected),
        over_usd=sum((cell.over_usd for cell in matrix), Decimal(0)),
        under_usd=sum((cell.under_usd for cell in matrix), Decimal(0)),
    )


def _added_up(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    sums: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        key = cell.agent_class, cell.person_class
        so_far = sums.get(key, Cell(*key, 0))
        sums[key] = Cell(
            *key,
            so_far.cases + cell.cases,
            so_far.over_usd + cell.over_usd,
            so_far.under_usd + cell.under_usd,
        )
    return tuple(sums[key] for key in sorted(sums))


def _by_chance(matrix: tuple[Cell, ...], cases: int) -> float | None:
    """The share of cases in which two raters with these habits would agree if neither looked at the case."""
    if cases == 0:
        return None
    agent: dict[str, int] = {}
    person: dict[str, int] = {}
    for cell in matrix:
        agent[cell.agent_class] = agent.get(cell.agent_class, 0) + cell.cases
        person[cell.person_class] = person.get(cell.person_class, 0) + cell.cases
    return fsum(agent[name] * person.get(name, 0) for name in agent) / cases**2


def _kappa(observed: float | None, expected: float | None) -> float | None:
    if observed is None or expected is None or expected >= 1:
        return None
    return (observed - expected) / (1 - expected)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
