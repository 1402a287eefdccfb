"""What the recommender writes: a recommendation an order, with the facts it rests on, and the run it comes from.

A batch is one MERGE per table with one bound parameter, the rows as JSON. An order keeps its first recommendation,
whoever writes a second one; the runs are written first, so that a recommendation's run is always there.
"""

import json
from collections.abc import Sequence
from typing import Any

from caspers.agents.deliveries import Delivery, Line
from caspers.agents.order_facts import OrderFacts
from caspers.agents.run_log import RunLog, in_pieces
from caspers.agents.runs import Run
from caspers.agents.statements import with_schemas
from caspers.agents.work import Finished
from caspers.clients.warehouse import Warehouse
from caspers.model.tables import REFUND_RECOMMENDATIONS
from caspers.names import Names

from refund_manager.agent import RefundAnswer

#: The refund line: every order it has done has a recommendation.
LINE = Line("refund", REFUND_RECOMMENDATIONS)

_KEEP = """
MERGE INTO {recommender}.refund_recommendations AS t
USING (
  SELECT order_id, CAST(ts AS TIMESTAMP) AS ts, CAST(order_ts AS TIMESTAMP) AS order_ts,
         CAST(delivered_ts AS TIMESTAMP) AS delivered_ts, location_id, location, brands, customer_addr,
         CAST(order_total AS DECIMAL(10,2)) AS order_total, delivery_minutes, p50_minutes, p75_minutes, p99_minutes,
         agent_response, CAST(refund_usd AS DECIMAL(10,2)) AS refund_usd, refund_class, reason, origin, agent_version,
         run_id
  FROM (SELECT r.* FROM (SELECT explode(from_json(:rows, 'array<struct<order_id: string, ts: string, order_ts: string,
    delivered_ts: string, location_id: int, location: string, brands: string, customer_addr: string, order_total: string,
    delivery_minutes: double, p50_minutes: double, p75_minutes: double, p99_minutes: double, agent_response: string,
    refund_usd: string, refund_class: string, reason: string, origin: string, agent_version: string,
    run_id: string>>')) AS r))
) AS s
ON t.order_id = s.order_id
WHEN NOT MATCHED THEN INSERT *
"""

_BY_ORIGIN = "SELECT origin, count(*) AS orders FROM {recommender}.refund_recommendations GROUP BY origin"


#: What came of an order; without facts there is no answer either.
Recommendation = Finished[Delivery, OrderFacts | None, RefundAnswer]


class RecommendationStore:
    """The two tables; for one thread."""

    def __init__(self, warehouse: Warehouse, names: Names) -> None:
        self._warehouse = warehouse
        self._names = names
        self._run_log = RunLog(warehouse, names)

    def keep(self, recommendations: Sequence[Recommendation]) -> None:
        """Write them; once however often."""
        self._run_log.keep([recommendation.run for recommendation in recommendations])
        for rows in in_pieces([_row(recommendation) for recommendation in recommendations]):
            self._warehouse.execute(with_schemas(_KEEP, self._names), {"rows": rows})

    def by_origin(self) -> dict[str, int]:
        """How many recommendations there are of each origin."""
        rows = self._warehouse.query(with_schemas(_BY_ORIGIN, self._names)).to_pylist()
        return {row["origin"]: row["orders"] for row in rows}


def response_text(run: Run[RefundAnswer]) -> str:
    """The column agent_response: the validated answer, or what was wrong."""
    if run.answer is None:
        return json.dumps({"error": run.error, "run_id": run.run_id})
    rest = json.dumps({"refund_class": run.answer.refund_class, "reason": run.answer.reason})
    return f'{{"refund_usd": {run.answer.refund_usd:.2f}, {rest[1:]}'


def _row(recommendation: Recommendation) -> dict[str, Any]:
    run, delivery = recommendation.run, recommendation.item
    answer = run.answer
    return {
        "order_id": delivery.order_id,
        "ts": recommendation.at.isoformat(),
        "delivered_ts": delivery.delivered_ts.isoformat(),
        "location_id": delivery.location_id,
        **_facts(recommendation.facts),
        "agent_response": response_text(run),
        "refund_usd": str(answer.refund_usd) if answer else None,
        "refund_class": answer.refund_class if answer else None,
        "reason": answer.reason if answer else None,
        "origin": run.origin,
        "agent_version": run.agent_version,
        "run_id": run.run_id,
    }


def _facts(facts: OrderFacts | None) -> dict[str, Any]:
    if facts is None:
        return {}
    return {
        "order_ts": facts.order_ts.isoformat(),
        "location": facts.location,
        "brands": facts.brands,
        "customer_addr": facts.customer_addr,
        "order_total": str(facts.total_usd),
        "delivery_minutes": facts.delivery["delivery_minutes"],
        "p50_minutes": facts.timings["p50_minutes"],
        "p75_minutes": facts.timings["p75_minutes"],
        "p99_minutes": facts.timings["p99_minutes"],
    }
