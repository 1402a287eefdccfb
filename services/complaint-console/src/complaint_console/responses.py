"""What the triage writes: a response a complaint, with the facts it rests on, and the run it comes from.

A batch is one MERGE per table with one bound parameter, the rows as JSON. A complaint keeps its first response, whoever
writes a second one; the runs are written first, so that a response's run is always there.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caspers.agents.run_log import RunLog, in_pieces
from caspers.agents.runs import Run
from caspers.agents.statements import with_schemas
from caspers.agents.work import Finished
from caspers.clients.warehouse import Warehouse
from caspers.names import Names

from complaint_console.agent import ComplaintAnswer, last_resort
from complaint_console.complaint_facts import OrderRecord

_KEEP = """
MERGE INTO {complaints}.complaint_responses AS t
USING (
  SELECT complaint_id, order_id, CAST(ts AS TIMESTAMP) AS ts, CAST(complained_at AS TIMESTAMP) AS complained_at,
         CAST(order_ts AS TIMESTAMP) AS order_ts, CAST(delivered_ts AS TIMESTAMP) AS delivered_ts, location_id, location,
         brands, customer_addr, CAST(order_total AS DECIMAL(10,2)) AS order_total, delivery_minutes, p50_minutes,
         p75_minutes, p99_minutes, complaint_text, agent_response, complaint_category, decision,
         CAST(credit_amount AS DECIMAL(10,2)) AS credit_amount, confidence, priority, rationale, customer_response,
         origin, agent_version, run_id
  FROM (SELECT r.* FROM (SELECT explode(from_json(:rows, 'array<struct<complaint_id: string, order_id: string, ts: string,
    complained_at: string, order_ts: string, delivered_ts: string, location_id: int, location: string, brands: string,
    customer_addr: string, order_total: string, delivery_minutes: double, p50_minutes: double, p75_minutes: double,
    p99_minutes: double, complaint_text: string, agent_response: string, complaint_category: string, decision: string,
    credit_amount: string, confidence: string, priority: string, rationale: string, customer_response: string,
    origin: string, agent_version: string, run_id: string>>')) AS r))
) AS s
ON t.complaint_id = s.complaint_id
WHEN NOT MATCHED THEN INSERT *
"""

_BY_ORIGIN = "SELECT origin, count(*) AS responses FROM {complaints}.complaint_responses GROUP BY origin"


@dataclass(frozen=True)
class Complaint:
    """A complaint as it was made. All of them are live: the history of orders has few complaints, and all are wanted."""

    complaint_id: str
    order_id: str
    ts: datetime
    location_id: int
    location: str | None
    customer_addr: str | None
    complaint_text: str
    live: bool = True

    @property
    def subject(self) -> str:
        return self.complaint_id


#: What came of a complaint; without a record nothing is known of its order.
Response = Finished[Complaint, OrderRecord | None, ComplaintAnswer]


class ResponseStore:
    """The two tables; for one thread."""

    def __init__(self, warehouse: Warehouse, names: Names) -> None:
        self._warehouse = warehouse
        self._names = names
        self._run_log = RunLog(warehouse, names)

    def keep(self, responses: Sequence[Response]) -> None:
        """Write them; once however often."""
        self._run_log.keep([response.run for response in responses])
        for rows in in_pieces([_row(response) for response in responses]):
            self._warehouse.execute(with_schemas(_KEEP, self._names), {"rows": rows})

    def by_origin(self) -> dict[str, int]:
        """How many responses there are of each origin."""
        rows = self._warehouse.query(with_schemas(_BY_ORIGIN, self._names)).to_pylist()
        return {row["origin"]: row["responses"] for row in rows}


def response_text(run: Run[ComplaintAnswer], order_id: str) -> str:
    """The column agent_response: the validated answer, or the last resort with what was wrong."""
    answer = run.answer or last_resort(run, order_id)
    values = answer.model_dump(mode="json")
    if answer.credit_amount is not None:
        values["credit_amount"] = float(answer.credit_amount)
    return json.dumps(values if run.answer else values | {"error": run.error, "run_id": run.run_id})


def _row(response: Response) -> dict[str, Any]:
    complaint, run = response.item, response.run
    answer = run.answer or last_resort(run, complaint.order_id)
    decided = answer.model_dump(mode="json", exclude={"order_id"})
    return {
        "complaint_id": complaint.complaint_id,
        "order_id": complaint.order_id,
        "ts": response.at.isoformat(),
        "complained_at": complaint.ts.isoformat(),
        "location_id": complaint.location_id,
        "location": complaint.location,
        "customer_addr": complaint.customer_addr,
        **_facts(response.facts),
        "complaint_text": complaint.complaint_text,
        "agent_response": response_text(run, complaint.order_id),
        **decided,
        "origin": run.origin,
        "agent_version": run.agent_version,
        "run_id": run.run_id,
    }


def _facts(record: OrderRecord | None) -> dict[str, Any]:
    if record is None or record.overview is None:
        return {}
    timing, percentiles = record.timing or {}, record.percentiles or {}
    return {
        "order_ts": record.overview["order_ts"],
        "delivered_ts": timing.get("delivered_ts"),
        "location": record.overview["location"],
        "brands": record.brands,
        "customer_addr": record.overview["customer_addr"],
        "order_total": str(record.total_usd),
        "delivery_minutes": timing.get("delivery_minutes"),
        **{name: percentiles.get(name) for name in ("p50_minutes", "p75_minutes", "p99_minutes")},
    }
