"""The tables of what machines' GPUs did of late: the fifth step of `migrations`."""

# idle_since: since when each look found no job of ours and quiet GPUs; looked_at: when the newest look was.
# gpu_minute: one row a GPU and minute, of the last hours alone; `used` is a sum over `n` samples.
FIFTH = """
ALTER TABLE instance ADD COLUMN idle_since REAL;
ALTER TABLE instance ADD COLUMN looked_at REAL;

CREATE TABLE gpu_minute (
    instance_id TEXT NOT NULL REFERENCES instance (id),
    minute INTEGER NOT NULL,
    gpu INTEGER NOT NULL,
    n INTEGER NOT NULL,
    used REAL NOT NULL,
    memory REAL,
    whole REAL,
    PRIMARY KEY (instance_id, minute, gpu)
) WITHOUT ROWID;
"""
