-- Times are milliseconds since 1970.
CREATE TABLE ingest_collections (
    id TEXT PRIMARY KEY NOT NULL,
    customer INTEGER NOT NULL,
    created INTEGER NOT NULL
);

-- One composite of a collection, as it was posted, and how far it is.
CREATE TABLE ingest_members (
    id TEXT PRIMARY KEY NOT NULL,
    collection TEXT NOT NULL,
    position INTEGER NOT NULL,
    customer INTEGER NOT NULL,
    space INTEGER NOT NULL,
    composite TEXT NOT NULL,
    template TEXT NOT NULL,
    status TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    document TEXT,
    image_count INTEGER,
    retired INTEGER,
    error TEXT
);
CREATE UNIQUE INDEX ingest_members_collection ON ingest_members (collection, position);
CREATE INDEX ingest_members_waiting ON ingest_members (customer) WHERE status NOT IN ('COMPLETED', 'ERROR');
CREATE INDEX ingest_members_composite ON ingest_members (customer, space, composite);

-- Which member a composite is made of: the last one that was posted.
CREATE TABLE ingest_composites (
    customer INTEGER NOT NULL,
    space INTEGER NOT NULL,
    composite TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (customer, space, composite)
);

CREATE TABLE ingest_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL,
    member TEXT,
    submitted INTEGER NOT NULL
);
CREATE INDEX ingest_batches_customer ON ingest_batches (customer, id);
CREATE INDEX ingest_batches_member ON ingest_batches (member);

-- What a batch was submitted with. An outcome is completed, error or superseded.
CREATE TABLE ingest_batch_assets (
    batch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    space INTEGER NOT NULL,
    asset TEXT NOT NULL,
    outcome TEXT,
    finished INTEGER,
    PRIMARY KEY (batch, position)
);
CREATE INDEX ingest_batch_assets_waiting ON ingest_batch_assets (batch) WHERE outcome IS NULL;
CREATE INDEX ingest_batch_assets_asset ON ingest_batch_assets (asset);

-- A row is never deleted: what is retired stays (retired = 1).
CREATE TABLE ingest_assets (
    customer INTEGER NOT NULL,
    space INTEGER NOT NULL,
    id TEXT NOT NULL,
    retired INTEGER NOT NULL,
    origin TEXT NOT NULL,
    string1 TEXT,
    string2 TEXT,
    string3 TEXT,
    number1 INTEGER,
    number2 INTEGER,
    number3 INTEGER,
    fields TEXT NOT NULL,
    location TEXT,
    page INTEGER,
    resolution INTEGER,
    box TEXT,
    width INTEGER,
    height INTEGER,
    composite TEXT,
    member TEXT,
    position INTEGER,
    batch INTEGER,
    created INTEGER NOT NULL,
    finished INTEGER,
    error TEXT,
    PRIMARY KEY (customer, space, id)
);
CREATE INDEX ingest_assets_batch ON ingest_assets (batch);
CREATE INDEX ingest_assets_composite ON ingest_assets (customer, space, composite);
-- Listings of what stands, ordered by what customers say, or those of which it is true.
CREATE INDEX ingest_assets_string1 ON ingest_assets (customer, space, string1, id) WHERE retired = 0;
CREATE INDEX ingest_assets_string2 ON ingest_assets (customer, space, string2, id) WHERE retired = 0;
CREATE INDEX ingest_assets_string3 ON ingest_assets (customer, space, string3, id) WHERE retired = 0;
CREATE INDEX ingest_assets_number1 ON ingest_assets (customer, space, number1, id) WHERE retired = 0;
CREATE INDEX ingest_assets_number2 ON ingest_assets (customer, space, number2, id) WHERE retired = 0;
CREATE INDEX ingest_assets_number3 ON ingest_assets (customer, space, number3, id) WHERE retired = 0;
