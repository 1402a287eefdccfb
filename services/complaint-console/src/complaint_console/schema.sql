-- The complaint console's own tables, in schema "reviews" of its Lakebase database; caspers.review.schema adds those that every
-- console has. The app applies them whenever it starts: every statement can be repeated. Money is numeric(10,2) in US dollars,
-- moments are timestamptz.

CREATE SCHEMA IF NOT EXISTS reviews;

-- One row per triaged complaint: what reviewers work on. Intake writes the agent's columns, a review the rest.
CREATE TABLE IF NOT EXISTS reviews.cases (
    complaint_id       text PRIMARY KEY,
    order_id           text,
    -- Grows with every change that a reviewer must know of; a review names the version it was made on.
    version            int NOT NULL DEFAULT 1,
    status             text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'second', 'decided')),
    -- How often a review of this case was undone.
    round              int NOT NULL DEFAULT 0,
    recommended_at     timestamptz NOT NULL,
    complained_at      timestamptz,
    order_ts           timestamptz,
    delivered_ts       timestamptz,
    location_id        int,
    location           text,
    brands             text[] NOT NULL DEFAULT '{}',
    customer_addr      text,
    order_total        numeric(10,2),
    delivery_minutes   double precision,
    p50_minutes        double precision,
    p75_minutes        double precision,
    p99_minutes        double precision,
    complaint_text     text NOT NULL DEFAULT '',
    -- What the agent said. A suggestion has a credit and a confidence, an escalation a priority.
    complaint_category text,
    decision           text NOT NULL CHECK (decision IN ('suggest_credit', 'escalate')),
    credit_usd         numeric(10,2),
    confidence         text,
    priority           text CHECK (priority IN ('standard', 'urgent')),
    rationale          text,
    customer_response  text,
    origin             text NOT NULL CHECK (origin IN ('model', 'rules', 'error')),
    agent_version      text,
    run_id             text,
    -- Urgent escalations first, then the other ones, then suggestions; within each the oldest first.
    place_in_line      double precision NOT NULL,
    -- The step that stands: of a case with status "second" the first person's, of a decided one the last.
    decision_id        uuid,
    decided_by         text,
    decided_at         timestamptz,
    final_usd          numeric(10,2),
    final_category     text,
    final_outcome      text,
    final_priority     text,
    final_reply        text,
    -- An answer of the agent that came after the review; it changes nothing, but a reviewer may want to know.
    newer_at           timestamptz,
    claimed_by         text,
    claimed_until      timestamptz
) WITH (fillfactor = 90);

-- The queue's sorts, each with the filters that reviewers use all day.
CREATE INDEX IF NOT EXISTS cases_by_place ON reviews.cases (status, place_in_line, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_moment ON reviews.cases (status, recommended_at, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_category ON reviews.cases
    (status, complaint_category, place_in_line, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_decision ON reviews.cases (status, decision, place_in_line, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_location ON reviews.cases (status, location_id, place_in_line, complaint_id);
CREATE INDEX IF NOT EXISTS cases_by_amount ON reviews.cases (status, (coalesce(credit_usd, -1)), complaint_id);
-- Earlier complaints of a customer, and the case of an order.
CREATE INDEX IF NOT EXISTS cases_by_order ON reviews.cases (order_id);

-- Every step of every review: what was credited and what the customer was told. Rows are added, never changed and never
-- removed. The unique constraint is what keeps a credit from being given twice, whatever happens above it.
CREATE TABLE IF NOT EXISTS reviews.complaint_reviews (
    decision_id        uuid PRIMARY KEY,
    -- Its number in the record, in the order of writing.
    entry              bigint GENERATED ALWAYS AS IDENTITY,
    complaint_id       text NOT NULL REFERENCES reviews.cases (complaint_id),
    round              int NOT NULL,
    step               text NOT NULL CHECK (step IN ('first', 'second', 'undo')),
    case_version       int NOT NULL,
    action             text NOT NULL,
    credit_usd         numeric(10,2) NOT NULL CHECK (credit_usd >= 0),
    complaint_category text,
    outcome            text NOT NULL CHECK (outcome IN ('credited', 'declined', 'escalated', 'asked', 'closed', 'undone')),
    priority           text CHECK (priority IN ('standard', 'urgent')),
    -- What the customer was told.
    reply              text,
    reason_code        text,
    note               text,
    decided_by         text NOT NULL,
    decided_at         timestamptz NOT NULL,
    by                 text NOT NULL CHECK (by IN ('person', 'policy')),
    policy_version     int NOT NULL,
    -- The step that this one confirms, refuses to confirm, or undoes.
    refers_to          uuid REFERENCES reviews.complaint_reviews (decision_id),
    idempotency_key    text,
    request_digest     text,
    -- What the agent had said when this was decided.
    agent_usd          numeric(10,2),
    agent_decision     text NOT NULL,
    agent_category     text,
    agent_priority     text,
    agent_version      text,
    agent_origin       text NOT NULL,
    run_id             text,
    CONSTRAINT a_complaint_is_decided_once UNIQUE (complaint_id, round, step),
    CONSTRAINT a_key_is_used_once UNIQUE (decided_by, idempotency_key)
);
CREATE INDEX IF NOT EXISTS reviews_by_moment ON reviews.complaint_reviews (decided_at, decision_id);
CREATE INDEX IF NOT EXISTS reviews_by_person ON reviews.complaint_reviews (decided_by, decided_at, decision_id);

-- How many cases there are of each kind, as a journal of differences (caspers.review.counts keeps it).
CREATE TABLE IF NOT EXISTS reviews.case_counts (
    status             text NOT NULL,
    decision           text NOT NULL,
    priority           text,
    complaint_category text,
    origin             text NOT NULL,
    location_id        int,
    location           text,
    cases              bigint NOT NULL,
    agent_usd          numeric NOT NULL,
    final_usd          numeric NOT NULL
);

-- The limits of deciding, dated and explained; the newest version is in force, older ones stay for the record.
CREATE TABLE IF NOT EXISTS reviews.policies (
    version                 int PRIMARY KEY,
    valid_from              timestamptz NOT NULL,
    created_by              text NOT NULL,
    explanation             text NOT NULL,
    second_person_above_usd numeric(10,2) NOT NULL CHECK (second_person_above_usd >= 0)
);
INSERT INTO reviews.policies
VALUES (1, now(), 'casper', 'The first policy: people decide everything, a second person above $50.', 50)
ON CONFLICT (version) DO NOTHING;
