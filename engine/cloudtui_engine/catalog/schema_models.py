"""The second step of the schema: variants of models, jobs that act on one, files that stay on their host."""

# Models of one run: what it trained, and the variants that a compression left (`variant`: the folder of its
# files). wanted: 0 where a file stays on its host until it is asked for. model_id: what a job acts on, or
# began from.
SECOND = """
CREATE TABLE old_alias AS SELECT alias, model_id FROM model_alias;
DROP TABLE model_alias;
ALTER TABLE model RENAME TO old_model;
CREATE TABLE model (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    run INTEGER NOT NULL REFERENCES run (seq),
    attempt INTEGER NOT NULL,
    task TEXT NOT NULL,
    architecture TEXT NOT NULL DEFAULT '',
    dataset_id TEXT REFERENCES dataset (id),
    created_at REAL NOT NULL,
    variant TEXT NOT NULL DEFAULT '',
    parent_id TEXT REFERENCES model (id),
    UNIQUE (run, variant),
    UNIQUE (name, version)
);
INSERT INTO model (rowid, id, name, version, run, attempt, task, architecture, dataset_id, created_at)
    SELECT rowid, id, name, version, run, attempt, task, architecture, dataset_id, created_at FROM old_model;
DROP TABLE old_model;
CREATE INDEX model_parent ON model (parent_id);
CREATE TABLE model_alias (
    alias TEXT PRIMARY KEY,
    model_id TEXT NOT NULL REFERENCES model (id)
) WITHOUT ROWID;
INSERT INTO model_alias (alias, model_id) SELECT alias, model_id FROM old_alias;
DROP TABLE old_alias;

ALTER TABLE run ADD COLUMN model_id TEXT REFERENCES model (id);
CREATE INDEX run_model ON run (model_id) WHERE model_id IS NOT NULL;
CREATE INDEX run_kind ON run (kind, seq);

ALTER TABLE artifact ADD COLUMN wanted INTEGER NOT NULL DEFAULT 1;
DROP INDEX artifact_unpulled;
CREATE INDEX artifact_unpulled ON artifact (run, attempt) WHERE pulled = 0 AND wanted = 1;
"""
