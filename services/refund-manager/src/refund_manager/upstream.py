"""What scripts ask the refund manager at its old addresses: totals, a list by order, both in the shapes they know.

Every agent's numbers were one figure there, whatever their origin, and an answer that could not be used was a
suggestion of the class "error"; at these addresses both stay so. The queue's own API keeps origins apart.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, LiteralString

from caspers.clients.postgres import Reader

#: Rows of status, class as recommended and as decided, cases, dollars recommended and decided.
Kinds = Sequence[Any]

_ERROR = {"refund_usd": 0.0, "refund_class": "error", "reason": "agent did not return valid JSON"}

_KINDS: LiteralString = """
SELECT status, refund_class, final_class, sum(cases) AS cases, sum(agent_usd) AS agent_usd, sum(final_usd) AS final_usd
  FROM refunds.case_counts GROUP BY 1, 2, 3 HAVING sum(cases) > 0
"""

#: A suggestion of nothing is left out unless it is asked for; so is one that could not be used.
_LIST: LiteralString = """
SELECT order_id, recommended_at, order_ts, refund_usd, refund_class, left(reason, 4000) AS reason, entry, decided_at,
       final_usd, final_class, decided_by, note
  FROM (SELECT * FROM refunds.cases
         WHERE :include_zero OR refund_class IN ('partial', 'full')
         ORDER BY order_ts DESC, order_id DESC LIMIT :limit OFFSET :offset) AS mine
  LEFT JOIN LATERAL (SELECT entry, coalesce(note, reason_code, action) AS note FROM refunds.refund_decisions AS d
                      WHERE d.decision_id = mine.decision_id) AS decision ON true
 ORDER BY order_ts DESC, order_id DESC
"""


def kinds(reader: Reader) -> Kinds:
    """How many cases there are of each kind, and the dollars in them."""
    return reader.rows(_KINDS)


def summary(kinds: Kinds, *, include_zero: bool) -> dict[str, Any]:
    """Totals over all recommendations and decisions."""
    told = [kind for kind in kinds if include_zero or kind.refund_class in {"partial", "full"}]
    decided = [kind for kind in kinds if kind.status == "decided"]
    return {
        "recommendations_count": _cases(told),
        "total_recommendations": _cases(kinds),
        "suggestions_by_class": _by_class(told, "refund_class"),
        "suggested_total_usd": float(sum((kind.agent_usd for kind in told), Decimal(0))),
        "decisions_count": _cases(decided),
        "decisions_by_class": _by_class(decided, "final_class"),
        "decided_total_usd": float(sum((kind.final_usd for kind in decided), Decimal(0))),
        "pending_count": _cases([kind for kind in told if kind.status != "decided"]),
    }


def recommendations(reader: Reader, *, limit: int, offset: int, include_zero: bool) -> dict[str, Any]:
    """Recommendations by the moment of their order, the newest first, each with the decision that stands."""
    rows = reader.rows(_LIST, limit=limit, offset=offset, include_zero=include_zero)
    total = _cases(
        [kind for kind in kinds(reader) if include_zero or kind.refund_class in {"partial", "full"}]
    )
    return {
        "items": [_item(row) for row in rows],
        "limit": limit,
        "offset": offset,
        "total": total,
        "has_more": offset + limit < total,
    }


def _item(row: Any) -> dict[str, Any]:
    return {
        "order_id": row.order_id,
        "ts": row.recommended_at,
        "order_ts": row.order_ts,
        "suggestion": _suggestion(row),
        "decision": _decision(row),
        "status": "applied" if row.entry is not None else "pending",
    }


def _suggestion(row: Any) -> dict[str, Any]:
    if row.refund_class is None:
        return _ERROR
    return {
        "refund_usd": float(row.refund_usd),
        "refund_class": row.refund_class,
        "reason": row.reason or "",
    }


def _decision(row: Any) -> dict[str, Any] | None:
    if row.entry is None:
        return None
    return {
        "order_id": row.order_id,
        "id": row.entry,
        "decided_ts": row.decided_at,
        "amount_usd": float(row.final_usd),
        "refund_class": row.final_class,
        "reason": row.note,
        "decided_by": row.decided_by,
    }


def _cases(kinds: Kinds) -> int:
    return int(sum(kind.cases for kind in kinds))


def _by_class(kinds: Kinds, column: str) -> dict[str, int]:
    classes = {getattr(kind, column) for kind in kinds}
    return {
        name or "error": _cases([kind for kind in kinds if getattr(kind, column) == name]) for name in classes
    }
