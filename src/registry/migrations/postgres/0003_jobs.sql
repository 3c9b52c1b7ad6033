-- What is to be done. Times are milliseconds since 1970 by the clock of the database.
CREATE TABLE jobs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    subject TEXT NOT NULL,
    priority BIGINT NOT NULL,
    payload TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    -- Goes up with each node that takes it: who has an older lease has none.
    lease BIGINT NOT NULL,
    node TEXT,
    leased_until BIGINT NOT NULL,
    cancelled BIGINT NOT NULL,
    finished BIGINT,
    error TEXT
);
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE finished IS NULL;
CREATE INDEX jobs_next ON jobs (owner, priority DESC, id) WHERE finished IS NULL;
CREATE INDEX jobs_subject ON jobs (kind, subject);

-- All who ever had a job, and when it was their turn.
CREATE TABLE job_owners (
    owner TEXT PRIMARY KEY NOT NULL,
    turn BIGINT NOT NULL
);
