-- The complaint console's own tables, in schema "reviews" of its Lakebase database. What stands in braces are the columns that
-- such a table has in every console (caspers.review.schema, which also adds the tables that are the same everywhere).
-- The app applies them whenever it starts: every statement can be repeated. Money is numeric(10,2) in US dollars, moments
-- are timestamptz.

CREATE SCHEMA IF NOT EXISTS reviews;

-- One row per triaged complaint: what reviewers work on. Intake writes the agent's columns, a review the rest.
CREATE TABLE IF NOT EXISTS reviews.cases (
    complaint_id       text PRIMARY KEY,
    order_id           text,
    {every_case},
    complained_at      timestamptz,
    complaint_text     text NOT NULL DEFAULT '',
    -- What the agent said. A suggestion has a credit and a confidence, an escalation a priority.
    complaint_category text,
    decision           text NOT NULL CHECK (decision IN ('suggest_credit', 'escalate')),
    credit_usd         numeric(10,2),
    confidence         text,
    priority           text CHECK (priority IN ('standard', 'urgent')),
    rationale          text,
    customer_response  text,
    -- Urgent escalations first, then the other ones, then suggestions; within each the oldest first.
    place_in_line      double precision NOT NULL,
    final_category     text,
    final_outcome      text,
    final_priority     text,
    final_reply        text
) WITH (fillfactor = 90);

-- The queue's sorts, each with the filters that reviewers use all day.
CREATE INDEX IF NOT EXISTS cases_by_place ON reviews.cases (status, place_in_line, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_moment ON reviews.cases (status, recommended_at, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_category ON reviews.cases
    (status, complaint_category, place_in_line, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_both ON reviews.cases
    (status, complaint_category, location_id, place_in_line, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_decision ON reviews.cases (status, decision, place_in_line, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_location ON reviews.cases (status, location_id, place_in_line, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_amount ON reviews.cases (status, (coalesce(credit_usd, -1)), complaint_id);
-- Earlier complaints of a customer, and the case of an order.
CREATE INDEX IF NOT EXISTS cases_by_order ON reviews.cases (order_id);

-- Every step of every review: what was credited and what the customer was told. Rows are added, never changed and never
-- removed.
CREATE TABLE IF NOT EXISTS reviews.complaint_reviews (
    {every_decision},
    action             text NOT NULL,
    credit_usd         numeric(10,2) NOT NULL CHECK (credit_usd >= 0),
    complaint_category text,
    outcome            text NOT NULL CHECK (outcome IN ('credited', 'declined', 'escalated', 'asked', 'closed', 'undone')),
    priority           text CHECK (priority IN ('standard', 'urgent')),
    -- What the customer was told.
    reply              text,
    agent_decision     text NOT NULL,
    agent_category     text,
    agent_priority     text
);

-- How many cases there are of each kind, as a journal of differences (caspers.review.counts keeps it).
CREATE TABLE IF NOT EXISTS reviews.case_counts (
    {every_count},
    decision           text NOT NULL,
    priority           text,
    complaint_category text
);

-- The limits of deciding, dated and explained; the newest version is in force, older ones stay for the record.
CREATE TABLE IF NOT EXISTS reviews.policies (
    {every_policy}
);
INSERT INTO reviews.policies (version, valid_from, created_by, explanation, second_person_above_usd)
VALUES (1, now(), 'casper', 'The first policy: people decide everything, a second person above $50.', 50)
ON CONFLICT (version) DO NOTHING;
