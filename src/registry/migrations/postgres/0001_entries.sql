-- Times are seconds since 1970. A row is never deleted: what is removed stays as a tombstone (gone = 1).
CREATE TABLE registry_entries (
    identifier TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    revision BIGINT NOT NULL,
    location TEXT NOT NULL,
    page BIGINT,
    title TEXT,
    checksum TEXT,
    checked BIGINT,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    provenance TEXT NOT NULL,
    gone BIGINT NOT NULL
);
CREATE INDEX registry_entries_location ON registry_entries (location);

-- Every state that an entry was in before the present one, and who or what brought it there.
CREATE TABLE registry_history (
    identifier TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    location TEXT NOT NULL,
    page BIGINT,
    title TEXT,
    checksum TEXT,
    checked BIGINT,
    changed BIGINT NOT NULL,
    provenance TEXT NOT NULL,
    gone BIGINT NOT NULL,
    PRIMARY KEY (identifier, revision)
);
