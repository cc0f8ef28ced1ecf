"""The tables of money: the fourth step of `migrations`."""

# cost_interval: what was paid for, for how long, at how many micro-dollars an hour; times in milliseconds.
# is_open: at its end it was still paid for. price: what providers said last. cost_due: runs that began or
# ended since their share was computed; the trigger sees whoever writes an attempt.
FOURTH = """
CREATE TABLE cost_interval (
    instance_id TEXT NOT NULL REFERENCES instance (id),
    what TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL CHECK (ended_ms >= started_ms),
    rate INTEGER NOT NULL CHECK (rate >= 0),
    ground TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    PRIMARY KEY (instance_id, what, started_ms)
) WITHOUT ROWID;
CREATE INDEX cost_interval_end ON cost_interval (ended_ms);

CREATE TABLE price (
    provider TEXT NOT NULL,
    region TEXT NOT NULL,
    type TEXT NOT NULL,
    spot INTEGER NOT NULL,
    rate INTEGER NOT NULL,
    as_of TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (provider, region, type, spot)
) WITHOUT ROWID;

CREATE TABLE cost_due (
    run INTEGER PRIMARY KEY REFERENCES run (seq)
);
CREATE TRIGGER attempt_cost_due AFTER UPDATE OF started_at, ended_at ON attempt
    BEGIN INSERT OR IGNORE INTO cost_due (run) VALUES (NEW.run); END;
"""
