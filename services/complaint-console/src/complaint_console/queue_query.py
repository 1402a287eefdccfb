"""The queue's filters as they stand in an address: one model for the API, the pages and saved views."""

from datetime import datetime

from caspers.review import queue_query
from pydantic import Field

from complaint_console.case_queue import QueueFilters, Sort
from complaint_console.review_rules import AgentDecision, Category, Priority


class CaseFilters(queue_query.CaseFilters):
    """Which complaints."""

    decision: AgentDecision | None = Field(None, description="what the agent decided")
    priority: Priority | None = Field(None, description="of escalations")
    complaint_category: Category | None = None

    def filters(self, now: datetime) -> QueueFilters:
        """The same for the queue; ages are counted back from `now`."""
        return QueueFilters(**self.chosen(QueueFilters, now))


class QueueQuery(CaseFilters, queue_query.OnePage):
    """A page of the queue: filters, sort, where it begins, how long it is."""

    sort: Sort = Field(
        "urgent", description="`urgent`: escalations first, urgent before others, then the oldest"
    )
