"""The refund manager's own tables: applies `schema.sql`, as often as one likes and from any number of copies."""

from pathlib import Path

from caspers.clients.postgres import Postgres, translated

SCHEMA = (Path(__file__).parent / "schema.sql").read_bytes()


def apply_schema(database: Postgres) -> None:
    """Create what is missing, in one transaction; what is there stays as it is."""
    connection = database.connection()
    try:
        with translated():
            connection.execute(SCHEMA)
    finally:
        connection.close()
