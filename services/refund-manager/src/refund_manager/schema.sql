-- The refund manager's own tables, in schema "refunds" of its Lakebase database; caspers.review.schema adds those that every
-- console has. The app applies them whenever it starts: every statement can be repeated. Money is numeric(10,2) in US dollars, moments are timestamptz.

CREATE SCHEMA IF NOT EXISTS refunds;

-- One row per recommendation: what reviewers work on. Intake writes the agent's columns, a decision the rest.
CREATE TABLE IF NOT EXISTS refunds.cases (
    order_id         text PRIMARY KEY,
    -- Grows with every change that a reviewer must know of; a decision names the version it was made on.
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
    -- What the agent said; null where its origin is "error".
    refund_usd       numeric(10,2),
    refund_class     text CHECK (refund_class IN ('none', 'partial', 'full')),
    reason           text,
    origin           text NOT NULL CHECK (origin IN ('model', 'rules', 'error')),
    agent_version    text,
    run_id           text,
    -- The step that stands: of a case with status "second" the first person's, of a decided one the last.
    decision_id      uuid,
    decided_by       text,
    decided_at       timestamptz,
    final_usd        numeric(10,2),
    final_class      text CHECK (final_class IN ('none', 'partial', 'full')),
    -- A recommendation that came after the decision; it changes nothing, but a reviewer may want to know.
    newer_at         timestamptz,
    claimed_by       text,
    claimed_until    timestamptz
) WITH (fillfactor = 90);

-- The queue's sorts, each with the filters that reviewers use all day.
CREATE INDEX IF NOT EXISTS cases_by_moment ON refunds.cases (status, recommended_at, order_id);
CREATE INDEX IF NOT EXISTS cases_by_class ON refunds.cases (status, refund_class, recommended_at, order_id);
CREATE INDEX IF NOT EXISTS cases_by_both ON refunds.cases
    (status, refund_class, location_id, recommended_at, order_id);
CREATE INDEX IF NOT EXISTS cases_by_location ON refunds.cases (status, location_id, recommended_at, order_id);
CREATE INDEX IF NOT EXISTS cases_by_amount ON refunds.cases (status, (coalesce(refund_usd, -1)), order_id);
CREATE INDEX IF NOT EXISTS cases_by_minutes ON refunds.cases (status, (coalesce(delivery_minutes, -1)), order_id);
-- Everything by the moment of the order, for lists that do not ask for a status.
CREATE INDEX IF NOT EXISTS cases_by_order ON refunds.cases (order_ts, order_id);

-- Every step of every decision: the record of money. Rows are added, never changed and never removed. The unique
-- constraint is what keeps money from being paid twice, whatever happens above it.
CREATE TABLE IF NOT EXISTS refunds.refund_decisions (
    decision_id     uuid PRIMARY KEY,
    -- Its number in the record, in the order of writing.
    entry           bigint GENERATED ALWAYS AS IDENTITY,
    order_id        text NOT NULL REFERENCES refunds.cases (order_id),
    round           int NOT NULL,
    step            text NOT NULL CHECK (step IN ('first', 'second', 'undo')),
    case_version    int NOT NULL,
    action          text NOT NULL CHECK (action IN ('accept', 'change', 'refuse', 'confirm', 'undo')),
    refund_usd      numeric(10,2) NOT NULL CHECK (refund_usd >= 0),
    refund_class    text NOT NULL CHECK (refund_class IN ('none', 'partial', 'full')),
    reason_code     text,
    note            text,
    decided_by      text NOT NULL,
    decided_at      timestamptz NOT NULL,
    by              text NOT NULL CHECK (by IN ('person', 'policy')),
    -- The policy in force: it approved this, or set the limits that a person kept to.
    policy_version  int NOT NULL,
    -- The step that this one confirms, refuses to confirm, or undoes.
    refers_to       uuid REFERENCES refunds.refund_decisions (decision_id),
    idempotency_key text,
    request_digest  text,
    -- What the agent had said when this was decided.
    agent_usd       numeric(10,2),
    agent_class     text,
    agent_version   text,
    agent_origin    text NOT NULL,
    run_id          text,
    CONSTRAINT money_is_decided_once UNIQUE (order_id, round, step),
    CONSTRAINT a_key_is_used_once UNIQUE (decided_by, idempotency_key)
);
CREATE INDEX IF NOT EXISTS decisions_by_moment ON refunds.refund_decisions (decided_at, decision_id);
CREATE INDEX IF NOT EXISTS decisions_by_person ON refunds.refund_decisions (decided_by, decided_at, decision_id);

-- How many cases there are of each kind, as a journal of differences (caspers.review.counts keeps it).
CREATE TABLE IF NOT EXISTS refunds.case_counts (
    status       text NOT NULL,
    refund_class text,
    final_class  text,
    origin       text NOT NULL,
    location_id  int,
    location     text,
    cases        bigint NOT NULL,
    agent_usd    numeric NOT NULL,
    final_usd    numeric NOT NULL
);

-- The limits of deciding, dated and explained; the newest version is in force, older ones stay for the record.
CREATE TABLE IF NOT EXISTS refunds.policies (
    version                 int PRIMARY KEY,
    valid_from              timestamptz NOT NULL,
    created_by              text NOT NULL,
    explanation             text NOT NULL,
    enabled                 boolean NOT NULL,
    approve_below_usd       numeric(10,2) NOT NULL CHECK (approve_below_usd >= 0),
    approve_classes         text[] NOT NULL,
    approve_origins         text[] NOT NULL,
    second_person_above_usd numeric(10,2) NOT NULL CHECK (second_person_above_usd >= 0)
);
INSERT INTO refunds.policies
VALUES (1, now(), 'casper', 'The first policy: people decide everything, a second person above $100.', false,
        5, ARRAY['none'], ARRAY['model', 'rules'], 100)
ON CONFLICT (version) DO NOTHING;
