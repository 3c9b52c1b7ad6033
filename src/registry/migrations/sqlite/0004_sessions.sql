-- What visitors were given who showed who they are. Of their secrets, digests alone are here. Times are milliseconds since 1970.
CREATE TABLE sessions (
    name TEXT PRIMARY KEY NOT NULL,
    -- JSON: by the name of the service, who it is, their roles, and until when.
    grants TEXT NOT NULL,
    ends INTEGER NOT NULL
);
CREATE INDEX sessions_ends ON sessions (ends);

CREATE TABLE session_tokens (
    name TEXT PRIMARY KEY NOT NULL,
    session TEXT NOT NULL,
    ends INTEGER NOT NULL
);
CREATE INDEX session_tokens_session ON session_tokens (session, ends);
CREATE INDEX session_tokens_ends ON session_tokens (ends);
