"""The tables that every reviewers' console has besides its own: claims, drafts, ratings, counts, and a record that stays.

A console's `schema.sql` makes its schema, its cases, its record, its policies and the table of counts; what is here comes
after it, in one transaction. Every statement can be repeated; two copies of an app that start together take turns.
"""

from pathlib import Path
from typing import LiteralString

from caspers.clients.postgres import Postgres, translated
from caspers.review.counts import journal_statement
from caspers.review.tables import ReviewTables

_ALONE: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('{schema}.schema'));\n"

_SHARED: LiteralString = """
CREATE OR REPLACE FUNCTION {schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a row that corrects the old one', TG_TABLE_NAME;
END $$;
CREATE OR REPLACE TRIGGER decisions_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {record}
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();

-- Who took a case, from whom, and who gave it back.
CREATE TABLE IF NOT EXISTS {claim_events} (
    event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    {key}       text NOT NULL,
    event       text NOT NULL CHECK (event IN ('taken', 'taken_over', 'released')),
    reviewer    text NOT NULL,
    taken_from  text,
    at          timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS claim_events_by_order ON {claim_events} ({key}, event_id);

-- What a reviewer has begun to write; it outlives other people's changes to the case.
CREATE TABLE IF NOT EXISTS {drafts} (
    {key}        text NOT NULL,
    reviewer     text NOT NULL,
    case_version int NOT NULL,
    fields       jsonb NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY ({key}, reviewer)
);

-- Whether an answer of the agent was helpful, and why; the newest word of a person on a run counts.
CREATE TABLE IF NOT EXISTS {ratings} (
    rating_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    {key}     text NOT NULL,
    run_id    text,
    rated_by  text NOT NULL,
    rated_at  timestamptz NOT NULL,
    helpful   boolean NOT NULL,
    reason    text NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS ratings_by_order ON {ratings} ({key}, rated_by, rating_id);
"""


def schema_text(tables: ReviewTables, own: Path, *, kinds: LiteralString, agent_usd: LiteralString) -> bytes:
    """All the tables of a console: its own from the file `own`, then those that every console has."""
    shared = _SHARED + journal_statement(kinds, agent_usd)
    return tables.statement(_ALONE).encode() + own.read_bytes() + tables.statement(shared).encode()


def apply_schema(database: Postgres, text: bytes) -> None:
    """Create what is missing, in one transaction; what is there stays as it is."""
    connection = database.connection()
    try:
        with translated():
            connection.execute(text)
    finally:
        connection.close()
