"""Dataset versions and where copies of them lie."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

from cloudtui_engine.catalog.base import Repository, Row, dumps, prefix_end, the_one
from cloudtui_engine.errors import NotFoundError, RefusedError
from cloudtui_engine.records.dataset import Dataset

Rows = list[Row]
Found = list[Dataset]
_HEAD = "id, name, version, task, sha256, size_bytes, splits, classes, source, created_at, taken"
MANIFEST = "manifest.json"
_SELECT = f"SELECT {_HEAD}, manifest FROM dataset"


class Datasets(Repository):
    """The rows of `dataset` and `dataset_copy`."""

    def add(self, dataset: Dataset) -> Dataset:
        """Keep a new version.

        Raises:
            RefusedError: this content, or this version of the name, is already there.
        """
        row = (
            dataset.id,
            dataset.name,
            dataset.version,
            dataset.task,
            dataset.sha256,
            dataset.size_bytes,
            dumps(dataset.splits),
            dumps(dataset.classes),
            dataset.source,
            dataset.created_at,
            dumps(dataset.taken),
            dumps(dataset.manifest),
        )
        try:
            with self._catalog.write("dataset") as db:
                db.execute(f"INSERT INTO dataset ({_HEAD}, manifest) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", row)
        except sqlite3.IntegrityError as error:
            raise RefusedError(
                f"Dataset {dataset.name}@{dataset.version} or its content is already there.",
                "See `cloudtui dataset list`.",
                code="name_taken",
            ) from error
        return dataset

    def get(self, dataset_id: str) -> Dataset:
        """The version with this id."""
        found = self._first("id = ?", dataset_id)
        if found is None:
            raise NotFoundError(f"There is no dataset {dataset_id!r}.", "See `cloudtui dataset list`.")
        return found

    def by_sha(self, sha256: str) -> Dataset | None:
        """The version with this content, if there is one."""
        return self._first("sha256 = ?", sha256)

    def find(self, text: str) -> Dataset:
        """`name` (its newest version), `name@2`, or an id or sha256 or the beginning of one."""
        name, at, version = text.rpartition("@")
        if at and version.isascii() and version.isdigit() and len(version) < 10:
            found = self._first("name = ? AND version = ?", name, int(version))
        else:
            found = self._first("name = ? ORDER BY version DESC", text)
        if found is not None:
            return found
        end = prefix_end(text)
        with self._catalog.read() as db:
            rows = db.execute(
                f"{_SELECT} WHERE (id >= ? AND id < ?) OR (sha256 >= ? AND sha256 < ?)",
                (text, end, text, end),
            ).fetchall()
            return self._records(db, [the_one(rows if text else [], "dataset", text)])[0]

    def list(self) -> Found:
        """All versions by name, newest first, without their manifests (which may hold vocabularies)."""
        with self._catalog.read() as db:
            rows = db.execute(f"SELECT {_HEAD}, '{{}}' FROM dataset ORDER BY name, version DESC").fetchall()
            return self._records(db, rows)

    def lying_only_on(self, instance_id: str) -> Found:
        """Versions that this instance has, and neither this machine nor another instance that is there.

        Without their manifests.
        """
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT {_HEAD}, '{{}}' FROM dataset d WHERE EXISTS"
                " (SELECT 1 FROM dataset_copy WHERE dataset_id = d.id AND instance_id = ?) AND NOT EXISTS"
                " (SELECT 1 FROM dataset_copy c JOIN instance i ON i.id = c.instance_id"
                " WHERE c.dataset_id = d.id AND c.instance_id != ? AND i.forgotten_at IS NULL"
                " AND COALESCE(i.cloud_state, '') NOT IN ('terminated', 'vanished'))"
                " ORDER BY name, version DESC",
                (instance_id, instance_id),
            ).fetchall()
            return [one for one in self._records(db, rows) if not one.is_here]

    def next_version(self, name: str) -> int:
        """The number that a new version of the name gets."""
        with self._catalog.read() as db:
            row = db.execute(
                "SELECT COALESCE(MAX(version), 0) + 1 FROM dataset WHERE name = ?", (name,)
            ).fetchone()
        return int(row[0])

    def add_copy(self, dataset_id: str, instance_id: str, at: float) -> None:
        """A copy on this instance was verified."""
        with self._catalog.write("dataset") as db:
            db.execute("INSERT OR REPLACE INTO dataset_copy VALUES (?, ?, ?)", (dataset_id, instance_id, at))

    def drop_copy(self, dataset_id: str, instance_id: str) -> None:
        """There is none on this instance any more."""
        with self._catalog.write("dataset") as db:
            db.execute(
                "DELETE FROM dataset_copy WHERE dataset_id = ? AND instance_id = ?", (dataset_id, instance_id)
            )

    def _first(self, where: str, *values: object) -> Dataset | None:
        with self._catalog.read() as db:
            rows = db.execute(f"{_SELECT} WHERE {where} LIMIT 1", values).fetchall()
            return self._records(db, rows)[0] if rows else None

    def _records(self, db: sqlite3.Connection, rows: Rows) -> Found:
        """The rows with the copies of each, and whether it is here, which only the disk knows."""
        data = self._catalog.paths.data
        copies: dict[str, list[str]] = {}
        where, values = ("WHERE c.dataset_id = ?", (rows[0][0],)) if len(rows) == 1 else ("", ())
        for dataset, name in db.execute(
            "SELECT c.dataset_id, i.name FROM dataset_copy c JOIN instance i ON i.id = c.instance_id"
            f" AND i.forgotten_at IS NULL {where} ORDER BY i.name",
            values,
        ):
            copies.setdefault(dataset, []).append(name)
        found = [_dataset(row, tuple(copies.get(row[0], ()))) for row in rows]
        return [
            replace(one, is_here=False)
            if one.is_in_place and not (data / one.sha256 / MANIFEST).is_file()
            else one
            for one in found
        ]


def _dataset(row: Row, instances: tuple[str, ...]) -> Dataset:
    key, name, version, task, sha256, size, splits, classes, source, created_at, taken, manifest = row
    return Dataset(
        key,
        name,
        version,
        task,
        sha256,
        size,
        json.loads(splits),
        tuple(json.loads(classes)),
        json.loads(manifest),
        source,
        created_at,
        instances,
        json.loads(taken),
    )
