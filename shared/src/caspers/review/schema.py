"""The tables that every reviewers' console has besides its own: claims, drafts, ratings, counts, and a record that stays.

A console's `schema.sql` makes its schema, its cases, its record, its policies and the table of counts, and says in braces
where the columns stand that these have everywhere; the rest of what is here comes after it, in one transaction. Every statement can be repeated; two copies of an app that start together take turns.
"""

from pathlib import Path
from typing import LiteralString

from caspers.clients.postgres import Postgres, translated
from caspers.review.counts import journal_statement
from caspers.review.tables import ReviewTables

#: What a console's own file stands in braces for: columns that its tables have in every console.
_EVERYWHERE: tuple[tuple[LiteralString, LiteralString], ...] = (
    (
        "{every_case}",
        """-- Grows with every change that a reviewer must know of; a decision names the version it was made on.
    version          int NOT NULL DEFAULT 1,
    status           text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'second', 'decided')),
    -- How often a decision of this case was undone.
    round            int NOT NULL DEFAULT 0,
    recommended_at   timestamptz NOT NULL,
    order_ts         timestamptz,
    delivered_ts     timestamptz,
    location_id      int,
    location         text,
    brands           text[] NOT NULL DEFAULT '{}',
    customer_addr    text,
    order_total      numeric(10,2),
    delivery_minutes double precision,
    p50_minutes      double precision,
    p75_minutes      double precision,
    p99_minutes      double precision,
    origin           text NOT NULL CHECK (origin IN ('model', 'rules', 'error')),
    agent_version    text,
    run_id           text,
    -- The step that stands: of a case with status "second" the first person's, of a decided one the last.
    decision_id      uuid,
    decided_by       text,
    decided_at       timestamptz,
    final_usd        numeric(10,2),
    -- Something the agent said after the decision; it changes nothing, but a reviewer may want to know.
    newer_at         timestamptz,
    claimed_by       text,
    claimed_until    timestamptz""",
    ),
    (
        "{every_decision}",
        """decision_id     uuid PRIMARY KEY,
    -- Its number in the record, in the order of writing.
    entry           bigint GENERATED ALWAYS AS IDENTITY,
    {key}           text NOT NULL REFERENCES {cases} ({key}),
    round           int NOT NULL,
    step            text NOT NULL CHECK (step IN ('first', 'second', 'undo')),
    case_version    int NOT NULL,
    reason_code     text,
    note            text,
    decided_by      text NOT NULL,
    decided_at      timestamptz NOT NULL,
    by              text NOT NULL CHECK (by IN ('person', 'policy')),
    -- The policy in force: it approved this, or set the limits that a person kept to.
    policy_version  int NOT NULL,
    -- The step that this one confirms, refuses to confirm, or undoes.
    refers_to       uuid REFERENCES {record} (decision_id),
    idempotency_key text,
    request_digest  text,
    -- What the agent had said when this was decided.
    agent_usd       numeric(10,2),
    agent_version   text,
    agent_origin    text NOT NULL,
    run_id          text,
    -- What keeps money from being paid twice, whatever happens above it.
    CONSTRAINT money_is_decided_once UNIQUE ({key}, round, step),
    CONSTRAINT a_key_is_used_once UNIQUE (decided_by, idempotency_key)""",
    ),
    (
        "{every_count}",
        """status      text NOT NULL,
    origin      text NOT NULL,
    location_id int,
    location    text,
    cases       bigint NOT NULL,
    agent_usd   numeric NOT NULL,
    final_usd   numeric NOT NULL""",
    ),
    (
        "{every_policy}",
        """version                 int PRIMARY KEY,
    valid_from              timestamptz NOT NULL,
    created_by              text NOT NULL,
    explanation             text NOT NULL,
    second_person_above_usd numeric(10,2) NOT NULL CHECK (second_person_above_usd >= 0)""",
    ),
)

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
CREATE INDEX IF NOT EXISTS decisions_by_moment ON {record} (decided_at, decision_id);
CREATE INDEX IF NOT EXISTS decisions_by_person ON {record} (decided_by, decided_at, decision_id);
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
    shared = tables.statement(_SHARED + journal_statement(kinds, agent_usd))
    text = own.read_text()
    for place, columns in _EVERYWHERE:
        text = text.replace(place, tables.statement(columns))
    return f"{tables.statement(_ALONE)}{text}{shared}".encode()


def apply_schema(database: Postgres, text: bytes) -> None:
    """Create what is missing, in one transaction; what is there stays as it is."""
    connection = database.connection()
    try:
        with translated():
            connection.execute(text)
    finally:
        connection.close()
