"""Runs: found, listed, and what a person does to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from cloudtui_engine.catalog.attempts import Attempts
from cloudtui_engine.catalog.base import dumps, marks, prefix_end, the_one
from cloudtui_engine.catalog.run_keys import run_seq
from cloudtui_engine.catalog.run_pages import RunQuery, select_count, select_page
from cloudtui_engine.catalog.run_results import Results
from cloudtui_engine.catalog.run_rows import runs_of, select
from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.records.run import Run, RunState

__all__ = ["RunQuery", "Runs", "key_of"]


def key_of(run: Run, _sort: str = "-created") -> tuple[str, ...]:
    """The `offset_key` of the page that goes on behind this run, in any order."""
    return RunQuery.after(run)


class Runs(Attempts, Results):
    """The rows of `run`, `tag` and `param`."""

    def create(self, run: Run, instance_ids: Sequence[str]) -> Run:
        """Keep a new run; its first attempt is queued on these instances, the first of them rank 0."""
        with self._catalog.write("run"):
            self._insert(run, instance_ids)
            return self.get(run.id)

    def get(self, run_id: str) -> Run:
        """The run with this id, with everything; deleted or not."""
        with self._catalog.read() as db:
            rows = db.execute(select("WHERE r.id = ?"), (run_id,)).fetchall()
            if not rows:
                raise NotFoundError(f"There is no run {run_id!r}.", "See `cloudtui run list`.")
            return runs_of(db, rows, self._catalog.paths, metrics=True, details=True)[0]

    def find(self, text: str) -> Run:
        """The run with this name, id or beginning of an id; a deleted one only where no other fits."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT id, name, deleted_at FROM run WHERE id = ? OR name = ? ORDER BY seq DESC",
                (text, text),
            ).fetchall()
            if not rows and text:
                rows = db.execute(
                    "SELECT id, name, deleted_at FROM run WHERE id >= ? AND id < ? ORDER BY seq DESC",
                    (text, prefix_end(text)),
                ).fetchall()
            rows = [row for row in rows if row[0] == text] or [row for row in rows if row[2] is None] or rows
            return self.get(the_one(rows, "run", text)[0])

    def stale(self, before: float) -> list[tuple[str, int, float]]:
        """(id, attempt, since when) of live runs that nothing has confirmed since before then."""
        live = [str(state) for state in RunState if not state.is_finished]
        with self._catalog.read() as db:
            return db.execute(
                f"SELECT id, attempt, stale_since FROM run WHERE status IN ({marks(live)})"
                " AND stale_since < ?",
                (*live, before),
            ).fetchall()

    def succeeded(self, run_ids: Iterable[str]) -> list[str]:
        """Those of them that have."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT id FROM run WHERE status = ? AND id IN (SELECT value FROM json_each(?))",
                (str(RunState.SUCCEEDED), dumps(list(run_ids))),
            ).fetchall()
        return [row[0] for row in rows]

    def list(self, query: RunQuery | None = None) -> list[Run]:
        """A page of runs, from summaries only; without specs and artifacts unless the query asks for details.

        Raises:
            UsageError: the filter or sort cannot be read; it says where.
        """
        query = query or RunQuery()
        sql, values = select_page(query)
        with self._catalog.read() as db:
            rows = db.execute(sql, values).fetchall()
            return runs_of(db, rows, self._catalog.paths, query.metrics, query.details)

    def free_name(self, base: str) -> str:
        """`base-N` with the first N that no run has, the deleted ones included."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT name FROM run WHERE name >= ? AND name < ?", (f"{base}-", prefix_end(f"{base}-"))
            ).fetchall()
        taken = {row[0] for row in rows}
        return next(name for number in count(1) if (name := f"{base}-{number}") not in taken)

    def count(self, query: RunQuery | None = None) -> int:
        """How many runs the query's filter finds, whatever its limit."""
        sql, values = select_count(query or RunQuery())
        with self._catalog.read() as db:
            return int(db.execute(sql, values).fetchone()[0])

    def set_stale(self, run_ids: Iterable[str], since: float | None) -> None:
        """No link has confirmed their live status since then; None: it is confirmed."""
        found = dumps(list(run_ids))
        with self._catalog.write("run") as db:
            db.execute(
                "UPDATE run SET stale_since = ? WHERE id IN (SELECT value FROM json_each(?))"
                " AND stale_since IS NOT ?",
                (since, found, since),
            )

    def set_progress(self, run_id: str, progress: Mapping[str, Any]) -> None:
        """The last that the run said of its progress."""
        with self._catalog.write(f"metric:{run_id}") as db:
            db.execute("UPDATE run SET progress = ? WHERE id = ?", (dumps(progress), run_id))

    def tag(self, run_id: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Put tags on and take tags off."""
        with self._catalog.write("run") as db:
            seq = run_seq(db, run_id)
            db.executemany("DELETE FROM tag WHERE run = ? AND tag = ?", [(seq, tag) for tag in remove])
            db.executemany("INSERT OR IGNORE INTO tag VALUES (?, ?)", [(seq, tag) for tag in add])

    def set_note(self, run_id: str, note: str) -> None:
        """Replace the note."""
        self._set(run_id, note=note)

    def rename(self, run_id: str, name: str) -> None:
        """Give it another name."""
        self._set(run_id, name=name)

    def delete(self, run_id: str, at: float) -> None:
        """Put it into the trash: nothing of it is lost."""
        self._set(run_id, deleted_at=at)

    def restore(self, run_id: str) -> None:
        """Take it out of the trash."""
        self._set(run_id, deleted_at=None)

    def _set(self, run_id: str, **fields: Any) -> None:
        assigned = ", ".join(f"{name} = ?" for name in fields)
        with self._catalog.write("run") as db:
            db.execute(f"UPDATE run SET {assigned} WHERE seq = ?", (*fields.values(), run_seq(db, run_id)))
