-- The refund manager's own tables, in schema "refunds" of its Lakebase database. What stands in braces are the columns that
-- such a table has in every console (caspers.review.schema, which also adds the tables that are the same everywhere).
-- The app applies them whenever it starts: every statement can be repeated. Money is numeric(10,2) in US dollars, moments
-- are timestamptz.

CREATE SCHEMA IF NOT EXISTS refunds;

-- One row per recommendation: what reviewers work on. Intake writes the agent's columns, a decision the rest.
CREATE TABLE IF NOT EXISTS refunds.cases (
    order_id         text PRIMARY KEY,
    {every_case},
    -- What the agent said; null where its origin is "error".
    refund_usd       numeric(10,2),
    refund_class     text CHECK (refund_class IN ('none', 'partial', 'full')),
    reason           text,
    final_class      text CHECK (final_class IN ('none', 'partial', 'full'))
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

-- Every step of every decision: the record of money. Rows are added, never changed and never removed.
CREATE TABLE IF NOT EXISTS refunds.refund_decisions (
    {every_decision},
    action          text NOT NULL CHECK (action IN ('accept', 'change', 'refuse', 'confirm', 'undo')),
    refund_usd      numeric(10,2) NOT NULL CHECK (refund_usd >= 0),
    refund_class    text NOT NULL CHECK (refund_class IN ('none', 'partial', 'full')),
    agent_class     text
);

-- How many cases there are of each kind, as a journal of differences (caspers.review.counts keeps it).
CREATE TABLE IF NOT EXISTS refunds.case_counts (
    {every_count},
    refund_class text,
    final_class  text
);

-- The limits of deciding, dated and explained; the newest version is in force, older ones stay for the record.
CREATE TABLE IF NOT EXISTS refunds.policies (
    {every_policy},
    enabled           boolean NOT NULL,
    approve_below_usd numeric(10,2) NOT NULL CHECK (approve_below_usd >= 0),
    approve_classes   text[] NOT NULL,
    approve_origins   text[] NOT NULL
);
INSERT INTO refunds.policies
       (version, valid_from, created_by, explanation, second_person_above_usd, enabled, approve_below_usd,
        approve_classes, approve_origins)
VALUES (1, now(), 'casper', 'The first policy: people decide everything, a second person above $100.', 100, false, 5,
        ARRAY['none'], ARRAY['model', 'rules'])
ON CONFLICT (version) DO NOTHING;
