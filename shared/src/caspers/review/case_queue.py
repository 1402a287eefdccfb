"""The queue of a console: its list by filters, and how many cases there are; counts stay right while cases stream in."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, LiteralString, TypeVar

from caspers.clients.postgres import Reader
from caspers.review.listing import COUNT_CAP, DEFAULT_LIMIT, CasePage, Listing, wanted_of
from caspers.review.rules import Origin, Status
from caspers.review.tables import ReviewTables

#: What an exact count can be narrowed by, written for one column.
_NARROWED: LiteralString = "(CAST(:{name} AS {type}) IS NULL OR {name} = :{name})"
_EXACT: LiteralString = """
SELECT {kinds}, sum(cases) AS cases, sum(agent_usd) AS agent_usd
  FROM {counts} WHERE {narrowed} GROUP BY {kinds} HAVING sum(cases) > 0
"""


@dataclass(frozen=True)
class QueueFilters:
    """Which cases; None and the empty text let everything pass. `older_than` is a moment of what the agent said."""

    status: Status | None = "pending"
    location_id: int | None = None
    brand: str = ""
    origin: Origin | None = None
    min_usd: Decimal | None = None
    max_usd: Decimal | None = None
    older_than: datetime | None = None
    newer_than: datetime | None = None
    reviewer: str = ""
    text: str = ""

    @property
    def counted_exactly(self) -> bool:
        """Whether the journal of counts knows all of these filters."""
        others = (self.min_usd, self.max_usd, self.older_than, self.newer_than)
        return not (self.brand or self.reviewer or self.text or any(value is not None for value in others))


@dataclass(frozen=True)
class QueueCounts:
    """How many cases pass the filters; `by_status` counts them whatever their status.

    Dollars are per origin, because what a model and what rules would pay is never one figure.
    """

    cases: int = 0
    exact: bool = True
    by_status: dict[str, int] = field(default_factory=dict[str, int])
    by_origin: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    by_location: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


C = TypeVar("C", bound=QueueCounts)
#: Counts from those that every console has, and the rows of kinds that pass.
MakeCounts = Callable[[dict[str, Any], Sequence[Any]], C]


class CaseQueue(Generic[C]):
    """The queue of one console.

    `known` are the filters that the journal of counts knows besides the status; `make` adds to the counts what the console
    tells of its own kinds, from the rows that pass.
    """

    def __init__(
        self, tables: ReviewTables, listing: Listing, known: Sequence[LiteralString], make: MakeCounts[C]
    ) -> None:
        self._listing = listing
        self._known = tuple(known)
        self._make = make
        kinds: LiteralString = ", ".join(listing.kinds)
        narrowed: LiteralString = " AND ".join([_narrowed(name) for name in known])
        exact: LiteralString = _EXACT.replace("{kinds}", kinds).replace("{narrowed}", narrowed)
        self._exact: LiteralString = tables.statement(exact)

    def page(
        self,
        reader: Reader,
        filters: QueueFilters,
        sort: str,
        after: str | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> CasePage:
        """The next `limit` cases after the cursor `after`. Raises `OddCursor`."""
        return self._listing.page(reader, wanted_of(filters), sort, after, limit)

    def counts(self, reader: Reader, filters: QueueFilters) -> C:
        """How many cases pass the filters, exactly where the journal of counts can tell."""
        if filters.counted_exactly:
            known = {name: getattr(filters, name) for name in self._known}
            return self._tally(reader.rows(self._exact, **known), filters.status)
        wanted = wanted_of(replace(filters, status=None))
        counted = self._tally(self._listing.count(reader, wanted), filters.status)
        return replace(counted, exact=not filters.text and sum(counted.by_status.values()) < COUNT_CAP)

    def _tally(self, rows: Sequence[Any], status: Status | None) -> C:
        """Counts from rows of kinds."""
        listed = [row for row in rows if status in {None, row.status}]
        plain = QueueCounts(
            cases=sum(int(row.cases) for row in listed),
            by_status=number_by(rows, "status"),
            by_origin=_by_origin(listed),
            by_location=_by_location(listed),
        )
        return self._make(vars(plain), listed)


def number_by(rows: Sequence[Any], column: str, unknown: str = "unknown") -> dict[str, int]:
    """How many cases rows of kinds hold, by one of the kinds."""
    found: Counter[str] = Counter()
    for row in rows:
        found[getattr(row, column) or unknown] += int(row.cases)
    return dict(found)


def _narrowed(name: LiteralString) -> LiteralString:
    kind: LiteralString = "int" if name == "location_id" else "text"
    return _NARROWED.replace("{name}", name).replace("{type}", kind)


def _by_origin(rows: Sequence[Any]) -> dict[str, dict[str, Any]]:
    usd: dict[str, Decimal] = {}
    for row in rows:
        usd[row.origin] = usd.get(row.origin, Decimal(0)) + row.agent_usd
    cases = number_by(rows, "origin")
    return {origin: {"cases": cases[origin], "agent_usd": float(total)} for origin, total in usd.items()}


def _by_location(rows: Sequence[Any]) -> list[dict[str, Any]]:
    found: Counter[tuple[int | None, str | None]] = Counter()
    for row in rows:
        found[row.location_id, row.location] += int(row.cases)
    places = sorted(found.items(), key=lambda item: (item[0][0] is None, item[0][0] or 0))
    return [{"location_id": key[0], "location": key[1], "cases": cases} for key, cases in places]
