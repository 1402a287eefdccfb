"""A complaint line with complaints as a test wants them, and a triage that works on them."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from caspers.agents.delivery_work import LOST_AFTER
from caspers.agents.model_endpoint import ModelEndpoint
from caspers.clients.workspace import workspace_client
from caspers.model import tables
from caspers.worker.step import StepContext, StepOutcome
from complaint_console.complaint_facts import RecordsReader
from complaint_console.responses import ResponseStore
from complaint_console.triage import Complaints, Desk, Triage

from tests.complaint_console.complaint_line import ComplaintLine
from tests.refund_manager.line import RULES

#: When complaints are made, the first of them.
COMPLAINED = datetime(2026, 3, 1, 12, tzinfo=UTC)


class TriageLine(ComplaintLine):
    """The tables of a catalog, and whoever triages complaints."""

    def complain_of(self, texts: dict[str, str], *, at: datetime = COMPLAINED) -> None:
        """A complaint for each order id, one a second."""
        self._insert(
            tables.RAW_COMPLAINTS,
            [
                {
                    "complaint_id": f"C-{order_id}",
                    "order_id": order_id,
                    "ts": (at + timedelta(seconds=number)).isoformat(),
                    "location_id": 1,
                    "complaint_category": "other",
                    "complaint_text": text,
                    "generated_by": "test",
                    "run_id": "test",
                }
                for number, (order_id, text) in enumerate(texts.items())
            ],
        )

    def triager(self, lost_after: timedelta = LOST_AFTER) -> Triage:
        """A triage as a new process would have it."""
        return Triage(
            Desk(
                Complaints(self.warehouse, self.names),
                RecordsReader(self.warehouse, self.names, self.clock),
                ResponseStore(self.warehouse, self.names),
                lambda name, limits: ModelEndpoint(self.client, name, self.clock, limits),
                self.clock,
                lost_after,
            )
        )

    def triage(self, until: int, *, worker: Triage | None = None, **parameters: Any) -> StepOutcome:
        """Take one step, interrupted as soon as `until` responses are written."""
        context: StepContext

        def told(progress: dict[str, Any]) -> None:
            if progress["triaged"] >= until:
                context.interrupt()

        context = StepContext(1, self.clock, told)
        return (worker or self.triager()).step(
            {"model": RULES, "calls_per_minute": 60_000} | parameters, context
        )

    def responses(self, where: str = "true") -> list[dict[str, Any]]:
        """Rows of complaint_responses."""
        return self.rows(f"SELECT * FROM {self.names.table('complaints.complaint_responses')} WHERE {where}")


if __name__ == "__main__":
    # A process that triages without end, to be killed: python -m … URL TOKEN CATALOG.
    line = TriageLine(workspace_client(host=sys.argv[1], token=sys.argv[2]), sys.argv[3])
    while True:
        line.triage(sys.maxsize)
