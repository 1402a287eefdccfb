"""The evidence of one refund case: `caspers.review.evidence` on the refund manager's own tables."""

from caspers.clients.postgres import Postgres
from caspers.clients.warehouse_pool import WarehousePool
from caspers.review.case_facts import CaseFacts
from caspers.review.evidence import CasesOf, EvidenceRoom

from refund_manager.schema import TABLES


def evidence_room(facts: CaseFacts, warehouse: WarehousePool, database: Postgres) -> EvidenceRoom:
    """Gathers the evidence of refund cases; a case is named by its order."""
    return EvidenceRoom(facts, warehouse, database, CasesOf(TABLES, agent_usd="refund_usd"))
