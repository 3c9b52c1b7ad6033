-- What is to be done. Times are milliseconds since 1970 by the clock of the database.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    subject TEXT NOT NULL,
    priority INTEGER NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    -- Goes up with each node that takes it: who has an older lease has none.
    lease INTEGER NOT NULL,
    node TEXT,
    leased_until INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    finished INTEGER,
    error TEXT
);
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE finished IS NULL;
CREATE INDEX jobs_next ON jobs (owner, priority DESC, id) WHERE finished IS NULL;
CREATE INDEX jobs_subject ON jobs (kind, subject);

-- All who ever had a job, and when it was their turn.
CREATE TABLE job_owners (
    owner TEXT PRIMARY KEY NOT NULL,
    turn INTEGER NOT NULL
);
