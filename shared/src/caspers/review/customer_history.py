"""What a customer ordered before, and what became of it: a customer is an address at a location."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, LiteralString

from caspers.clients.postgres import Reader
from caspers.review.case_facts import body_of, dollars
from caspers.review.money import Dollars
from caspers.review.tables import ReviewTables

_CASES: LiteralString = """
SELECT order_id, {key} AS case_id, status, {agent_usd} AS recommended_usd, final_usd FROM {cases}
WHERE order_id = ANY(:order_ids)
"""


@dataclass(frozen=True)
class EarlierOrder:
    """An order of the same address; `case_id` and `status` are those of its case, None when it never had one."""

    order_id: str
    ordered_at: datetime
    total_usd: Dollars
    items: int
    case_id: str | None
    status: str | None
    recommended_usd: Dollars | None
    decided_usd: Dollars | None


def earlier_orders(
    rows: Sequence[dict[str, Any]], reader: Reader, tables: ReviewTables, agent_usd: LiteralString
) -> list[EarlierOrder]:
    """The orders in rows of `evidence_statements.EARLIER_ORDERS`, newest first, with what was decided about them."""
    ids = [row["order_id"] for row in rows]
    if not ids:
        return []
    statement = tables.statement(_CASES.replace("{agent_usd}", agent_usd))
    cases = {case.order_id: case for case in reader.rows(statement, order_ids=ids)}
    return [_order(row, cases.get(row["order_id"])) for row in rows]


def _order(row: dict[str, Any], case: Any | None) -> EarlierOrder:
    lines = _lines(body_of(row["body"]))
    return EarlierOrder(
        order_id=row["order_id"],
        ordered_at=row["ts"],
        total_usd=sum((price * qty for price, qty in lines), Decimal("0.00")),
        items=sum(qty for _, qty in lines),
        case_id=case.case_id if case else None,
        status=case.status if case else None,
        recommended_usd=case.recommended_usd if case else None,
        decided_usd=case.final_usd if case else None,
    )


def _lines(body: dict[str, Any]) -> list[tuple[Decimal, int]]:
    """Price and quantity of each line of an order; what is no line is left out."""
    items = body.get("items")
    return [
        (dollars(item["price"]), item["qty"])
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict)
        and isinstance(item.get("price"), int | float)
        and isinstance(item.get("qty"), int)
    ]
