-- The admin's own tables in the control database: what was run, by whom, and who may do what.
-- Every statement can be repeated; two admins that start together take turns.
SELECT pg_advisory_xact_lock(hashtext('control.admin_schema'));

CREATE TABLE IF NOT EXISTS control.run_history (
    run_id          text PRIMARY KEY,
    started         timestamptz NOT NULL,
    action          text NOT NULL,
    state           text NOT NULL,
    started_by      text NOT NULL,
    summary         jsonb NOT NULL,
    details         jsonb NOT NULL,
    idempotency_key text UNIQUE,
    request_digest  text,
    cancelled_by    text
);
CREATE INDEX IF NOT EXISTS run_history_newest ON control.run_history (started DESC, run_id DESC);
CREATE INDEX IF NOT EXISTS run_history_by_person ON control.run_history (started_by, started DESC, run_id DESC);
CREATE INDEX IF NOT EXISTS run_history_by_state ON control.run_history (state, started DESC, run_id DESC);
CREATE INDEX IF NOT EXISTS run_history_by_action ON control.run_history (action, started DESC, run_id DESC);
CREATE INDEX IF NOT EXISTS run_history_by_repaired ON control.run_history ((summary ->> 'repairs'), started DESC)
    WHERE summary ->> 'repairs' IS NOT NULL;

-- How the newest run that touched a stage ended for it.
CREATE TABLE IF NOT EXISTS control.stage_last_run (
    stage   text PRIMARY KEY,
    started timestamptz NOT NULL,
    last    jsonb NOT NULL
);

CREATE TABLE IF NOT EXISTS control.run_log (
    run_id text NOT NULL,
    seq    int NOT NULL,
    at     timestamptz NOT NULL,
    stage  text NOT NULL,
    key    text NOT NULL,
    level  text NOT NULL,
    text   text NOT NULL,
    PRIMARY KEY (run_id, seq)
);

CREATE TABLE IF NOT EXISTS control.activity (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    who     text NOT NULL,
    role    text NOT NULL,
    action  text NOT NULL,
    object  text NOT NULL,
    outcome text NOT NULL,
    detail  jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS activity_by_person ON control.activity (who, seq DESC);
CREATE INDEX IF NOT EXISTS activity_by_action ON control.activity (action, seq DESC);

CREATE TABLE IF NOT EXISTS control.roles (
    principal  text PRIMARY KEY,
    role       text NOT NULL CHECK (role IN ('viewer', 'operator', 'owner')),
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL
);
