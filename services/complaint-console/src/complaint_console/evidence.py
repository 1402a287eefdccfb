"""The evidence of one complaint: `caspers.review.evidence` on the console's own tables."""

from caspers.clients.postgres import Postgres
from caspers.clients.warehouse_pool import WarehousePool
from caspers.review.case_facts import CaseFacts
from caspers.review.evidence import CasesOf, EvidenceRoom

from complaint_console.schema import TABLES


def evidence_room(facts: CaseFacts, warehouse: WarehousePool, database: Postgres) -> EvidenceRoom:
    """Gathers the evidence of complaints; earlier orders come with what their complaints came to."""
    return EvidenceRoom(facts, warehouse, database, CasesOf(TABLES, agent_usd="credit_usd"))
