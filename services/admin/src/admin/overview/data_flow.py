"""How far the data has come on its way: rows in bronze, in gold, and deliveries that nobody has looked at yet."""

from collections.abc import Callable, Collection
from typing import LiteralString

from caspers.clients.warehouse import Warehouse
from caspers.model.tables import (
    ALL_EVENTS,
    COMPLAINT_RESPONSES,
    GOLD_ORDER_HEADER,
    QUARANTINED_EVENTS,
    REFUND_RECOMMENDATIONS,
    Table,
)
from caspers.names import Names, quoted

from admin.overview.flow import Flow


class FlowReader:
    """Reads the figures of the tables that are there, given by their full names."""

    def __init__(self, warehouse: Callable[[], Warehouse], names: Names) -> None:
        self._warehouse = warehouse
        self._names = names

    def read(self, there: Collection[str]) -> Flow:
        """Raises `CaspersError` when the warehouse cannot be asked."""

        def name(table: Table) -> LiteralString | None:
            full_name = self._names.table(table.name)
            return quoted(full_name) if full_name in there else None

        bronze = name(ALL_EVENTS)
        return Flow(
            events=self._figure(_rows, bronze),
            quarantined=self._figure(_rows, name(QUARANTINED_EVENTS)),
            orders=self._figure(_orders, bronze),
            gold_orders=self._figure(_rows, name(GOLD_ORDER_HEADER)),
            undecided=self._figure(_deliveries_after, bronze, name(REFUND_RECOMMENDATIONS)),
            untriaged=self._figure(_deliveries_after, bronze, name(COMPLAINT_RESPONSES)),
        )

    def _figure(self, statement: Callable[..., LiteralString], *tables: LiteralString | None) -> int | None:
        if None in tables:
            return None
        return int(self._warehouse().query(statement(*tables)).to_pylist()[0]["figure"])


def _rows(table: LiteralString) -> LiteralString:
    return "SELECT count(*) AS figure FROM " + table  # noqa: S608  a checked and quoted identifier


def _orders(bronze: LiteralString) -> LiteralString:
    return (
        "SELECT count(DISTINCT order_id) AS figure FROM "  # noqa: S608  a checked and quoted identifier
        + bronze
        + " WHERE event_type = 'order_created'"
    )


def _deliveries_after(bronze: LiteralString, answers: LiteralString) -> LiteralString:
    newest = "SELECT coalesce(max(delivered_ts), timestamp '1970-01-01') AS newest FROM " + answers  # noqa: S608  a checked and quoted identifier
    return (
        "SELECT count(*) AS figure FROM " + bronze + " AS bronze CROSS JOIN (" + newest + ") AS answered "  # noqa: S608  the same
        "WHERE bronze.event_type = 'delivered' AND bronze.ts > answered.newest"
    )
