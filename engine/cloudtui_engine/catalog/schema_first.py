"""The first step of the schema: everything that the first release keeps."""

FIRST = """
-- version: one count for all topics, so that a reader may ask what changed after the last one it saw.
CREATE TABLE topic (
    name TEXT PRIMARY KEY, version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX topic_version ON topic (version);

CREATE TABLE setting (
    key TEXT PRIMARY KEY, value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE instance (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '{}',
    root TEXT NOT NULL DEFAULT '',
    wanted TEXT NOT NULL DEFAULT 'running',
    cloud_state TEXT,
    link_state TEXT NOT NULL DEFAULT 'down',
    link_detail TEXT NOT NULL DEFAULT '',
    link_since REAL,
    price_usd_per_hour REAL,
    facts TEXT NOT NULL DEFAULT '{}',
    gpus TEXT NOT NULL DEFAULT '[]',
    machine_id TEXT NOT NULL DEFAULT '',
    clock_offset_s REAL NOT NULL DEFAULT 0,
    seen_at REAL,
    created_at REAL NOT NULL,
    forgotten_at REAL
);
CREATE UNIQUE INDEX instance_name ON instance (name) WHERE forgotten_at IS NULL;

CREATE TABLE dataset (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    task TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    size_bytes INTEGER NOT NULL,
    splits TEXT NOT NULL DEFAULT '{}',
    classes TEXT NOT NULL DEFAULT '[]',
    source TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    manifest TEXT NOT NULL,
    UNIQUE (name, version)
);

CREATE TABLE dataset_copy (
    dataset_id TEXT NOT NULL REFERENCES dataset (id),
    instance_id TEXT NOT NULL REFERENCES instance (id),
    verified_at REAL NOT NULL,
    PRIMARY KEY (dataset_id, instance_id)
) WITHOUT ROWID;

-- instance_ids: those of the newest attempt. since: when the newest attempt started; past_s: how long the
-- earlier ones
-- ran. goals: what the run declared of its metrics. spec is last: lists do not read it.
CREATE TABLE run (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    instance_ids TEXT NOT NULL DEFAULT '',
    dataset_id TEXT REFERENCES dataset (id),
    task TEXT,
    model TEXT,
    params TEXT NOT NULL DEFAULT '{}',
    progress TEXT NOT NULL DEFAULT '{}',
    stale_since REAL,
    created_at REAL NOT NULL,
    started_at REAL,
    since REAL,
    ended_at REAL,
    past_s REAL NOT NULL DEFAULT 0,
    cost_usd REAL,
    exit_code INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    deleted_at REAL,
    goals TEXT NOT NULL DEFAULT '{}',
    spec TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX run_name ON run (name);
CREATE INDEX run_created ON run (created_at);
CREATE INDEX run_status ON run (status, seq);

CREATE TABLE attempt (
    run INTEGER NOT NULL REFERENCES run (seq),
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    instance_id TEXT NOT NULL REFERENCES instance (id),
    from_step INTEGER,
    created_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    stop_requested_at REAL,
    exit_code INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    machine_id TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE INDEX attempt_state ON attempt (state);

CREATE TABLE placement (
    run INTEGER NOT NULL REFERENCES run (seq),
    attempt INTEGER NOT NULL,
    instance_id TEXT NOT NULL REFERENCES instance (id),
    rank INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run, attempt, rank)
) WITHOUT ROWID;
CREATE INDEX placement_instance ON placement (instance_id, run);

CREATE TABLE param (
    run INTEGER NOT NULL REFERENCES run (seq),
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    num REAL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX param_key ON param (key, num, text);

CREATE TABLE tag (
    run INTEGER NOT NULL REFERENCES run (seq),
    tag TEXT NOT NULL,
    PRIMARY KEY (run, tag)
) WITHOUT ROWID;
CREATE INDEX tag_tag ON tag (tag, run);

CREATE TABLE metric (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE
);

-- Lists read these rows and never a history. goal: 'min', 'max' or NULL. last: NULL is NaN. vmin, vmax and
-- best are of
-- the finite values, NULL where there is none. spark: every stride-th value, at most 15, as float64.
CREATE TABLE summary (
    run INTEGER NOT NULL REFERENCES run (seq),
    metric INTEGER NOT NULL REFERENCES metric (id),
    goal TEXT,
    n INTEGER NOT NULL,
    last REAL,
    last_step INTEGER NOT NULL,
    vmin REAL,
    vmax REAL,
    best REAL,
    best_step INTEGER,
    stride INTEGER NOT NULL,
    spark BLOB NOT NULL,
    PRIMARY KEY (run, metric)
) WITHOUT ROWID;

-- n: all points; sealed: those in chunks; pieces: rows of `tail` that hold the rest.
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (seq),
    attempt INTEGER NOT NULL,
    scope TEXT NOT NULL,
    metric INTEGER NOT NULL REFERENCES metric (id),
    n INTEGER NOT NULL DEFAULT 0,
    sealed INTEGER NOT NULL DEFAULT 0,
    pieces INTEGER NOT NULL DEFAULT 0,
    UNIQUE (run, attempt, scope, metric)
);

-- The newest points of a series: a row is what one commit brought, until 1,024 points are sealed into a
-- chunk.
-- seq0: the place of its first point in the series. The columns are packed as in `chunk`.
CREATE TABLE tail (
    series INTEGER NOT NULL REFERENCES series (id),
    seq0 INTEGER NOT NULL,
    n INTEGER NOT NULL,
    step0 INTEGER NOT NULL,
    stride INTEGER NOT NULL,
    t0 REAL NOT NULL,
    steps BLOB,
    times BLOB,
    vals BLOB NOT NULL,
    PRIMARY KEY (series, seq0)
) WITHOUT ROWID;

-- Immutable. Steps are step0 + i * stride and `steps` is NULL, or else `steps` holds int32 after step0 or
-- int64.
-- times: float32 seconds after t0, NULL for one point. vals: float64, so that NaN and infinities are what
-- they are.
-- vmin, vmax, vsum and finite speak of the finite values.
CREATE TABLE chunk (
    series INTEGER NOT NULL REFERENCES series (id),
    seq0 INTEGER NOT NULL,
    n INTEGER NOT NULL,
    step0 INTEGER NOT NULL,
    stride INTEGER NOT NULL,
    t0 REAL NOT NULL,
    step_min INTEGER NOT NULL,
    step_max INTEGER NOT NULL,
    vmin REAL,
    vmax REAL,
    vsum REAL,
    finite INTEGER NOT NULL,
    steps BLOB,
    times BLOB,
    vals BLOB NOT NULL,
    PRIMARY KEY (series, seq0)
);

CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    instance_id TEXT NOT NULL REFERENCES instance (id),
    run INTEGER NOT NULL REFERENCES run (seq),
    attempt INTEGER NOT NULL,
    name TEXT NOT NULL,
    offset INTEGER NOT NULL DEFAULT 0,
    tail BLOB NOT NULL DEFAULT x'',
    damaged INTEGER NOT NULL DEFAULT 0,
    alarm TEXT NOT NULL DEFAULT '',
    UNIQUE (instance_id, run, attempt, name)
);

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    t REAL NOT NULL,
    subject TEXT NOT NULL,
    level TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    data TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX event_subject ON event (subject, id);

CREATE TABLE artifact (
    run INTEGER NOT NULL REFERENCES run (seq),
    attempt INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    pulled INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, attempt, name)
) WITHOUT ROWID;
CREATE INDEX artifact_unpulled ON artifact (run, attempt) WHERE pulled = 0;

CREATE TABLE report (
    run INTEGER NOT NULL REFERENCES run (seq),
    attempt INTEGER NOT NULL,
    name TEXT NOT NULL,
    t REAL NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (run, attempt, name)
) WITHOUT ROWID;

CREATE TABLE model (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    run INTEGER NOT NULL UNIQUE REFERENCES run (seq),
    attempt INTEGER NOT NULL,
    task TEXT NOT NULL,
    architecture TEXT NOT NULL DEFAULT '',
    dataset_id TEXT REFERENCES dataset (id),
    created_at REAL NOT NULL,
    UNIQUE (name, version)
);

CREATE TABLE model_alias (
    alias TEXT PRIMARY KEY,
    model_id TEXT NOT NULL REFERENCES model (id)
) WITHOUT ROWID;

CREATE TABLE operation (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    args TEXT NOT NULL DEFAULT '{}',
    key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'pending',
    question TEXT NOT NULL DEFAULT '{}',
    answer TEXT NOT NULL DEFAULT '{}',
    progress TEXT NOT NULL DEFAULT '{}',
    result TEXT NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT '{}',
    pickups INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL
);
CREATE INDEX operation_state ON operation (state, seq);
CREATE INDEX operation_target ON operation (target, seq);

-- One row an engine process: an end that was not written is a crash.
CREATE TABLE engine_session (
    id INTEGER PRIMARY KEY,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    reason TEXT NOT NULL DEFAULT ''
);
"""
