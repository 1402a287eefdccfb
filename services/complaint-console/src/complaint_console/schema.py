"""The complaint console's own tables: their names, and the text that makes them, as often as one likes and from any copy."""

from pathlib import Path
from typing import LiteralString

from caspers.clients.postgres import Postgres
from caspers.review import schema
from caspers.review.tables import ReviewTables

#: The channel announces on Postgres that cases have come or changed; live pages and workers may listen.
TABLES = ReviewTables(
    schema="reviews", key="complaint_id", record="complaint_reviews", channel="complaint_cases"
)
#: What cases are counted by.
KINDS: LiteralString = "status, decision, priority, complaint_category, origin, location_id, location"

SCHEMA = schema.schema_text(TABLES, Path(__file__).parent / "schema.sql", kinds=KINDS, agent_usd="credit_usd")


def apply_schema(database: Postgres) -> None:
    """Create what is missing, in one transaction; what is there stays as it is."""
    schema.apply_schema(database, SCHEMA)
