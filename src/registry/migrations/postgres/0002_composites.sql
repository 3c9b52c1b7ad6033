-- Times are milliseconds since 1970.
CREATE TABLE ingest_collections (
    id TEXT PRIMARY KEY NOT NULL,
    customer BIGINT NOT NULL,
    created BIGINT NOT NULL
);

-- One composite of a collection, as it was posted, and how far it is.
CREATE TABLE ingest_members (
    id TEXT PRIMARY KEY NOT NULL,
    collection TEXT NOT NULL,
    position BIGINT NOT NULL,
    customer BIGINT NOT NULL,
    space BIGINT NOT NULL,
    composite TEXT NOT NULL,
    template TEXT NOT NULL,
    status TEXT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    document TEXT,
    image_count BIGINT,
    retired BIGINT,
    error TEXT
);
CREATE UNIQUE INDEX ingest_members_collection ON ingest_members (collection, position);
CREATE INDEX ingest_members_waiting ON ingest_members (customer) WHERE status NOT IN ('COMPLETED', 'ERROR');
CREATE INDEX ingest_members_composite ON ingest_members (customer, space, composite);

-- Which member a composite is made of: the last one that was posted.
CREATE TABLE ingest_composites (
    customer BIGINT NOT NULL,
    space BIGINT NOT NULL,
    composite TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (customer, space, composite)
);

CREATE TABLE ingest_batches (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer BIGINT NOT NULL,
    member TEXT,
    submitted BIGINT NOT NULL
);
CREATE INDEX ingest_batches_customer ON ingest_batches (customer, id);
CREATE INDEX ingest_batches_member ON ingest_batches (member);

-- What a batch was submitted with. An outcome is completed, error or superseded.
CREATE TABLE ingest_batch_assets (
    batch BIGINT NOT NULL,
    position BIGINT NOT NULL,
    space BIGINT NOT NULL,
    asset TEXT NOT NULL,
    outcome TEXT,
    finished BIGINT,
    PRIMARY KEY (batch, position)
);
CREATE INDEX ingest_batch_assets_waiting ON ingest_batch_assets (batch) WHERE outcome IS NULL;
CREATE INDEX ingest_batch_assets_asset ON ingest_batch_assets (asset);

-- A row is never deleted: what is retired stays (retired = 1).
CREATE TABLE ingest_assets (
    customer BIGINT NOT NULL,
    space BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    retired BIGINT NOT NULL,
    origin TEXT NOT NULL,
    string1 TEXT,
    string2 TEXT,
    string3 TEXT,
    number1 BIGINT,
    number2 BIGINT,
    number3 BIGINT,
    fields TEXT NOT NULL,
    location TEXT,
    page BIGINT,
    resolution BIGINT,
    box TEXT,
    width BIGINT,
    height BIGINT,
    composite TEXT,
    member TEXT,
    position BIGINT,
    batch BIGINT,
    created BIGINT NOT NULL,
    finished BIGINT,
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
