"""The queue's filters as they stand in an address: one model for the API, the pages and saved views."""

from datetime import datetime

from caspers.review import queue_query

from refund_manager.approval_rules import RefundClass
from refund_manager.case_queue import QueueFilters, Sort


class CaseFilters(queue_query.CaseFilters):
    """Which refunds."""

    refund_class: RefundClass | None = None

    def filters(self, now: datetime) -> QueueFilters:
        """The same for the queue; ages are counted back from `now`."""
        return QueueFilters(**self.chosen(QueueFilters, now))


class QueueQuery(CaseFilters, queue_query.OnePage):
    """A page of the queue: filters, sort, where it begins, how long it is."""

    sort: Sort = "newest"
