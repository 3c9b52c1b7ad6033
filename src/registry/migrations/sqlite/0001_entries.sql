-- Times are seconds since 1970. A row is never deleted: what is removed stays as a tombstone (gone = 1).
CREATE TABLE registry_entries (
    identifier TEXT PRIMARY KEY NOT NULL,
    revision INTEGER NOT NULL,
    location TEXT NOT NULL,
    page INTEGER,
    title TEXT,
    checksum TEXT,
    checked INTEGER,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    provenance TEXT NOT NULL,
    gone INTEGER NOT NULL
);
CREATE INDEX registry_entries_location ON registry_entries (location);

-- Every state that an entry was in before the present one, and who or what brought it there.
CREATE TABLE registry_history (
    identifier TEXT NOT NULL,
    revision INTEGER NOT NULL,
    location TEXT NOT NULL,
    page INTEGER,
    title TEXT,
    checksum TEXT,
    checked INTEGER,
    changed INTEGER NOT NULL,
    provenance TEXT NOT NULL,
    gone INTEGER NOT NULL,
    PRIMARY KEY (identifier, revision)
);
