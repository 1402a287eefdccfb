"""What the generator writes: a complaint an order, and the run of the writer that it comes from.

A batch is one MERGE per table with one bound parameter, the rows as JSON. A complaint's id follows from its order's, so an
order has one complaint, whoever writes a second one; the runs are written first, so that a complaint's run is always there.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from caspers.agents.deliveries import Delivery, Line
from caspers.agents.order_facts import OrderFacts
from caspers.agents.run_log import RunLog, in_pieces
from caspers.agents.statements import with_schemas
from caspers.agents.work import Finished
from caspers.clients.warehouse import Warehouse
from caspers.model.tables import RAW_COMPLAINTS
from caspers.names import Names

from complaint_console.complaint_mix import COMPLAINS, plan_of
from complaint_console.complaint_texts import ComplaintText, plainest_text

#: The complaint line: every order it has done has a complaint.
LINE = Line(COMPLAINS, RAW_COMPLAINTS)
#: Who wrote a complaint that no model wrote.
NOBODY = "nobody"

_COMPLAINTS = UUID("3f0f2a52-7d5e-5b0c-9a55-1a7b8a1d9c64")

_KEEP = """
MERGE INTO {complaints}.raw_complaints AS t
USING (
  SELECT complaint_id, order_id, CAST(ts AS TIMESTAMP) AS ts, location_id, location, customer_addr, complaint_category,
         complaint_text, generated_by, run_id
  FROM (SELECT r.* FROM (SELECT explode(from_json(:rows, 'array<struct<complaint_id: string, order_id: string, ts: string,
    location_id: int, location: string, customer_addr: string, complaint_category: string, complaint_text: string,
    generated_by: string, run_id: string>>')) AS r))
) AS s
ON t.complaint_id = s.complaint_id
WHEN NOT MATCHED THEN INSERT *
"""

_BY_WRITER = (
    "SELECT generated_by, count(*) AS complaints FROM {complaints}.raw_complaints GROUP BY generated_by"
)

#: What came of an order; without facts nobody was asked.
Complaint = Finished[Delivery, OrderFacts | None, ComplaintText]


class RawComplaints:
    """The table of complaints, and the log of the runs; for one thread."""

    def __init__(self, warehouse: Warehouse, names: Names) -> None:
        self._warehouse = warehouse
        self._names = names
        self._run_log = RunLog(warehouse, names)

    def keep(self, complaints: Sequence[Complaint]) -> None:
        """Write them; once however often."""
        self._run_log.keep([complaint.run for complaint in complaints])
        for rows in in_pieces([_row(complaint) for complaint in complaints]):
            self._warehouse.execute(with_schemas(_KEEP, self._names), {"rows": rows})

    def by_origin(self) -> dict[str, int]:
        """How many complaints there are of each origin."""
        rows = self._warehouse.query(with_schemas(_BY_WRITER, self._names)).to_pylist()
        counts: dict[str, int] = {}
        for row in rows:
            origin = _origin(row["generated_by"])
            counts[origin] = counts.get(origin, 0) + row["complaints"]
        return counts


def complaint_id(order_id: str) -> str:
    """The id of an order's complaint: the same for ever."""
    return f"C-{uuid5(_COMPLAINTS, order_id)}"


def _row(complaint: Complaint) -> dict[str, Any]:
    order, run, facts = complaint.item, complaint.run, complaint.facts
    return {
        "complaint_id": complaint_id(order.order_id),
        "order_id": order.order_id,
        "ts": complaint.at.isoformat(),
        "location_id": order.location_id,
        "location": facts.location if facts else None,
        "customer_addr": facts.customer_addr if facts else None,
        "complaint_category": plan_of(order.order_id).category,
        "complaint_text": run.answer.text if run.answer else plainest_text(order.order_id),
        "generated_by": run.model if run.answer else NOBODY,
        "run_id": run.run_id,
    }


def _origin(writer: str) -> str:
    if writer == NOBODY:
        return "error"
    return "rules" if writer.startswith("rules") else "model"
