"""What was taken of a dataset's source in a store of objects: the seventh step of `migrations`."""

# JSON: `objects`, `bytes`, `etag`, `version`, `listing`; empty for sources that are in no store.
SEVENTH = """
ALTER TABLE dataset ADD COLUMN taken TEXT NOT NULL DEFAULT '{}';
"""
