"""The tables of the fleet: the third step of `migrations`."""

# missing_since: since when complete listings have not had it. host_key: the line that is pinned to it.
# launch.wish: what was asked for; launch_attempt.payload: the exact request, written before it is sent.
# absent_since: since when the cloud knows no machine of a request whose answer was lost.
# listing: the newest look at a region; orphan: machines with our owner tag and without a row.
THIRD = """
ALTER TABLE instance ADD COLUMN cloud_id TEXT NOT NULL DEFAULT '';
ALTER TABLE instance ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE instance ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE instance ADD COLUMN machine_type TEXT NOT NULL DEFAULT '';
ALTER TABLE instance ADD COLUMN spot INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instance ADD COLUMN launch_id TEXT NOT NULL DEFAULT '';
ALTER TABLE instance ADD COLUMN deadline_at REAL;
ALTER TABLE instance ADD COLUMN cloud_seen_at REAL;
ALTER TABLE instance ADD COLUMN cloud_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE instance ADD COLUMN missing_since REAL;
ALTER TABLE instance ADD COLUMN host_key TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX instance_cloud ON instance (provider, cloud_id) WHERE cloud_id != '';

CREATE TABLE launch (
    id TEXT PRIMARY KEY,
    group_id TEXT NOT NULL,
    instance_id TEXT NOT NULL REFERENCES instance (id),
    provider TEXT NOT NULL,
    wish TEXT NOT NULL DEFAULT '{}',
    state TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT '{}',
    created_at REAL NOT NULL,
    ended_at REAL
) WITHOUT ROWID;
CREATE INDEX launch_group ON launch (group_id);
CREATE INDEX launch_instance ON launch (instance_id);
CREATE INDEX launch_open ON launch (state) WHERE ended_at IS NULL;

CREATE TABLE launch_attempt (
    launch_id TEXT NOT NULL REFERENCES launch (id),
    number INTEGER NOT NULL,
    region TEXT NOT NULL,
    zone TEXT NOT NULL,
    type TEXT NOT NULL,
    spot INTEGER NOT NULL,
    price REAL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    machine_id TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '{}',
    planned_at REAL NOT NULL,
    sent_at REAL,
    absent_since REAL,
    resolved_at REAL,
    PRIMARY KEY (launch_id, number)
);
CREATE INDEX launch_attempt_state ON launch_attempt (state);

CREATE TABLE listing (
    provider TEXT NOT NULL,
    region TEXT NOT NULL,
    asked_at REAL NOT NULL,
    complete INTEGER NOT NULL,
    problem TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (provider, region)
) WITHOUT ROWID;

CREATE TABLE orphan (
    provider TEXT NOT NULL,
    region TEXT NOT NULL,
    cloud_id TEXT NOT NULL,
    token TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL DEFAULT '',
    type TEXT NOT NULL DEFAULT '',
    spot INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '{}',
    price REAL,
    first_seen_at REAL NOT NULL,
    seen_at REAL NOT NULL,
    missing_since REAL,
    PRIMARY KEY (provider, cloud_id)
) WITHOUT ROWID;
"""
