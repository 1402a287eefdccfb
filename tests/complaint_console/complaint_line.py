"""A small complaint line: the tables of a refund line and of complaints, and a generator that works on them."""

import sys
from datetime import timedelta
from typing import Any

from caspers.agents.deliveries import Deliveries
from caspers.agents.delivery_work import LOST_AFTER
from caspers.agents.model_endpoint import ModelEndpoint
from caspers.agents.order_facts import FactsReader
from caspers.clients.volume import Volume
from caspers.clients.workspace import workspace_client
from caspers.model import tables
from caspers.worker.step import StepContext, StepOutcome
from complaint_console.generator import Desk, Generator
from complaint_console.raw_complaints import LINE, RawComplaints
from databricks.sdk.service.catalog import VolumeType

from tests.refund_manager.line import RULES, Line


class ComplaintLine(Line):
    """The tables of a catalog, and whoever complains."""

    def build(self) -> "ComplaintLine":
        """Make everything that the admin would."""
        super().build()
        catalog = self.names.catalog
        self.warehouse.query_text(f"CREATE SCHEMA {catalog}.complaints")
        for table in (tables.RAW_COMPLAINTS, tables.COMPLAINT_RESPONSES):
            columns = ", ".join(f"{column.name} {column.sql_type}" for column in table.columns)
            self.warehouse.query_text(f"CREATE TABLE {self.names.table(table.name)} ({columns})")
        self.client.volumes.create(catalog, "complaints", "checkpoints", VolumeType.MANAGED)
        return self

    def generator(self, lost_after: timedelta = LOST_AFTER) -> Generator:
        """A generator as a new process would have it."""
        return Generator(
            Desk(
                self._deliveries(),
                FactsReader(self.warehouse, self.names, self.clock),
                RawComplaints(self.warehouse, self.names),
                lambda name, limits: ModelEndpoint(self.client, name, self.clock, limits),
                self.clock,
                lost_after,
            )
        )

    def complain(self, until: int, *, worker: Generator | None = None, **parameters: Any) -> StepOutcome:
        """Take one step, interrupted as soon as `until` complaints are written; everybody complains."""
        context: StepContext

        def told(progress: dict[str, Any]) -> None:
            if progress["written"] >= until:
                context.interrupt()

        context = StepContext(1, self.clock, told)
        orders = {"model": RULES, "calls_per_minute": 60_000, "rate": 1.0, "history_share": 1.0} | parameters
        return (worker or self.generator()).step(orders, context)

    def complaints(self, where: str = "true") -> list[dict[str, Any]]:
        """Rows of raw_complaints."""
        return self.rows(f"SELECT * FROM {self.names.table('complaints.raw_complaints')} WHERE {where}")

    def begin(self) -> None:
        """Fix where history ends: behind everything delivered so far."""
        assert self._deliveries().boundary() is not None

    def _deliveries(self) -> Deliveries:
        checkpoints = Volume(self.client, self.names.complaint_checkpoints_path)
        return Deliveries(self.warehouse, checkpoints, self.names, LINE)


if __name__ == "__main__":
    # A process that complains without end, to be killed: python -m … URL TOKEN CATALOG.
    line = ComplaintLine(workspace_client(host=sys.argv[1], token=sys.argv[2]), sys.argv[3])
    while True:
        line.complain(sys.maxsize)
