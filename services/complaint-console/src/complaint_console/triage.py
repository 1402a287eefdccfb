"""The triage: every complaint gets one response, the newest first.

How it works through them is `caspers.agents.shift`; here stands where complaints come from, how one is decided and where
responses go. A complaint whose order cannot be found is asked about again for some minutes; then it is triaged as one
about an order that nobody knows.
"""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

from caspers.agents.delivery_work import LOST_AFTER
from caspers.agents.loop import without_facts
from caspers.agents.model_endpoint import ModelEndpoint
from caspers.agents.runs import Run
from caspers.agents.shift import OpenModel, ShiftWorker
from caspers.agents.statements import with_schemas
from caspers.agents.work import ShiftOrders
from caspers.clients.warehouse import Warehouse
from caspers.clock import Clock
from caspers.names import Names

from complaint_console.agent import SPEC, ComplaintAgent, ComplaintAnswer, Grievance, NotAnId, ask_endpoint
from complaint_console.complaint_facts import OrderRecord, RecordsReader
from complaint_console.responses import Complaint, Response, ResponseStore

WORKER = "complaint_agent"

_COUNT = "SELECT count(*) AS complaints FROM {complaints}.raw_complaints"
# Two generators at once may write one complaint twice; the response is one all the same.
_PENDING = """
SELECT c.complaint_id, c.order_id, c.ts, c.location_id, c.location, c.customer_addr, c.complaint_text
FROM {complaints}.raw_complaints AS c
LEFT ANTI JOIN {complaints}.complaint_responses AS r ON r.complaint_id = c.complaint_id
LEFT ANTI JOIN (SELECT explode(from_json(:skipped, 'array<string>')) AS complaint_id) AS s
  ON s.complaint_id = c.complaint_id
WHERE c.complaint_id IS NOT NULL AND c.ts IS NOT NULL
ORDER BY c.ts DESC LIMIT 200
"""


@dataclass(frozen=True)
class Desk:
    """What the triage works with."""

    complaints: "Complaints"
    records: RecordsReader
    store: ResponseStore
    open_model: OpenModel
    clock: Clock
    lost_after: timedelta = LOST_AFTER


class Complaints:
    """Looks for complaints without a response; for one thread."""

    def __init__(self, warehouse: Warehouse, names: Names) -> None:
        self._warehouse = warehouse
        self._names = names
        self._known = -1

    def news(self) -> bool:
        """Whether complaints came in since the last call."""
        before, self._known = self._known, self._query(_COUNT)[0]["complaints"]
        return self._known != before

    def pending(self, skipped: AbstractSet[str]) -> list[Complaint]:
        """The newest complaints without a response, except those to skip."""
        rows = self._query(_PENDING, skipped=json.dumps(sorted(skipped)))
        return list({row["complaint_id"]: _complaint(row) for row in rows}.values())

    def _query(self, statement: LiteralString, **values: Any) -> list[dict[str, Any]]:
        return self._warehouse.query(with_schemas(statement, self._names), values).to_pylist()


class Triage(ShiftWorker[ShiftOrders, Complaint, OrderRecord | None, ComplaintAnswer]):
    """The worker."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(_Triaging(desk), desk.open_model, desk.clock)


class _Triaging:
    """The work of the triage."""

    done_word = "triaged"
    orders = ShiftOrders

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asks_endpoint = False

    def begin(self, orders: ShiftOrders) -> str:
        self._asks_endpoint = bool(orders.endpoint)
        self._desk.complaints.news()
        return ""

    def news(self) -> bool:
        return self._desk.complaints.news()

    def live(self, _unfinished: Sequence[Complaint], skipped: AbstractSet[str]) -> list[Complaint]:
        return self._desk.complaints.pending(skipped)

    def history(self, _skipped: AbstractSet[str]) -> list[Complaint]:
        return []

    def history_left(self) -> int:
        return 0

    def facts_of(self, items: Sequence[Complaint]) -> dict[str, OrderRecord | None]:
        records = self._desk.records.records_of([complaint.order_id for complaint in items])
        long_ago = self._desk.clock.now() - self._desk.lost_after
        return {
            complaint.complaint_id: records.get(complaint.order_id)
            for complaint in items
            if complaint.order_id in records or complaint.ts < long_ago
        }

    async def decide(
        self, item: Complaint, facts: OrderRecord | None, model: ModelEndpoint
    ) -> Run[ComplaintAnswer]:
        record = facts or OrderRecord(item.order_id, item.location_id)
        try:
            grievance = Grievance(item.complaint_id, item.order_id, record.location_id, item.complaint_text)
        except NotAnId as error:
            return without_facts(SPEC, item.complaint_id, error.message, self._desk.clock)
        if self._asks_endpoint:
            return await ask_endpoint(model, grievance, record, self._desk.clock)
        return await ComplaintAgent(model, record.tools(), self._desk.clock).triage(grievance)

    def keep(self, finished: Sequence[Response]) -> None:
        self._desk.store.keep(finished)

    def by_origin(self) -> dict[str, int]:
        return self._desk.store.by_origin()

    def progress(self) -> dict[str, Any]:
        return {}


def _complaint(row: dict[str, Any]) -> Complaint:
    """The complaint of a row, whatever is missing in it."""
    known = {name: row[name] or "" for name in ("order_id", "complaint_text")}
    whole: dict[str, Any] = row | known | {"location_id": row["location_id"] or 0}
    return Complaint(**whole)
