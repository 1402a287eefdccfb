"""What a customer ordered before, and what became of it: a customer is an address at a location."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from caspers.clients.postgres import Reader
from caspers.review.money import Dollars

from refund_manager.case_facts import body_of, dollars

_CASES = """
SELECT order_id, status, refund_class, refund_usd, final_class, final_usd
FROM refunds.cases WHERE order_id = ANY(:order_ids)
"""


@dataclass(frozen=True)
class EarlierOrder:
    """An order of the same address; `status` is that of its refund case, None when it never had one."""

    order_id: str
    ordered_at: datetime
    total_usd: Dollars
    items: int
    status: str | None
    recommended_usd: Dollars | None
    refunded_usd: Dollars | None
    refund_class: str | None


def earlier_orders(rows: Sequence[dict[str, Any]], reader: Reader) -> list[EarlierOrder]:
    """The orders in rows of `evidence_statements.EARLIER_ORDERS`, newest first, with what was refunded."""
    ids = [row["order_id"] for row in rows]
    cases = {case.order_id: case for case in reader.rows(_CASES, order_ids=ids)} if ids else {}
    return [_order(row, cases.get(row["order_id"])) for row in rows]


def _order(row: dict[str, Any], case: Any | None) -> EarlierOrder:
    lines = _lines(body_of(row["body"]))
    return EarlierOrder(
        order_id=row["order_id"],
        ordered_at=row["ts"],
        total_usd=sum((price * qty for price, qty in lines), Decimal("0.00")),
        items=sum(qty for _, qty in lines),
        status=case.status if case else None,
        recommended_usd=case.refund_usd if case else None,
        refunded_usd=case.final_usd if case else None,
        refund_class=(case.final_class or case.refund_class) if case else None,
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
