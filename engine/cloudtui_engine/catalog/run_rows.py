"""Rows of runs as records. A page is a few queries, however many runs it has."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.catalog.base import Row, dumps, loads_all
from cloudtui_engine.catalog.tally import to_summary
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import Artifact, Checkpoint, MetricSummary, Run, RunState

_FROM = "FROM run AS r LEFT JOIN dataset AS d ON d.id = r.dataset_id"
# First what is worked on, then what is taken as it is, in the order of the fields of `Run`: see `_run`.
_COLUMNS = (
    "r.seq, r.instance_ids, r.params, r.progress, r.since, r.past_s,"
    " r.id, r.name, r.kind, r.status, r.attempt,"
    " d.name, r.dataset_id, r.task, r.model,"
    " r.stale_since, r.created_at, r.started_at, r.ended_at,"
    " r.cost_usd, r.exit_code, r.reason,"
    " r.note, r.deleted_at, r.model_id"
)
ARTIFACT = "name, kind, size_bytes, sha256, pulled, wanted"
"""The columns that `artifact_of` takes."""
_STATES = {str(state): state for state in RunState}
_SUMMARIES = (
    "SELECT run, metric, goal, n, last, last_step, vmin, vmax, best, best_step, stride, spark FROM summary"
    " WHERE run IN (SELECT value FROM json_each(?))"
)


class Summaries(Mapping[str, MetricSummary]):
    """The summaries of one run, made into records when somebody looks: most rows of a page never are."""

    __slots__ = ("_made", "_names", "_rows")

    def __init__(self, rows: list[Row], names: Mapping[int, str]) -> None:
        self._rows = rows
        self._names = names
        self._made: dict[str, MetricSummary] | None = None

    def _all(self) -> dict[str, MetricSummary]:
        if self._made is None:
            made = {self._names[row[1]]: row[2:] for row in self._rows}
            self._made = {key: to_summary(key, *made[key]) for key in sorted(made)}
        return self._made

    def __getitem__(self, key: str) -> MetricSummary:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Summaries) and self._rows == other._rows and self._names == other._names:
            return True  # as of most runs between two reads: no record need be made to see it
        return self._all() == dict(other) if isinstance(other, Mapping) else NotImplemented

    def __repr__(self) -> str:
        return repr(self._all())


_NOTHING = Summaries([], {})


@dataclass(frozen=True, slots=True)
class _Beside:
    """What other tables say of the runs of a page, by the number of the run."""

    instances: Mapping[str, str]
    """Names by id."""
    specs: Mapping[int, str]
    summaries: Mapping[int, Summaries]
    artifacts: Mapping[int, tuple[Artifact, ...]]
    tags: Mapping[int, tuple[str, ...]]
    checkpoints: Mapping[str, Checkpoint]
    """By the id of the run."""


def select(rest: str) -> str:
    """The query whose rows `runs_of` takes; the `rest` knows the run as `r` and its dataset as `d`."""
    return f"SELECT {_COLUMNS} {_FROM} {rest}"


def runs_of(
    db: sqlite3.Connection, rows: Sequence[Row], paths: Paths, metrics: bool | Sequence[str], details: bool
) -> list[Run]:
    """The records of some rows.

    Args:
        db: a connection.
        rows: of a `select`.
        paths: where pulled files lie.
        metrics: all summaries, none, or those of some keys.
        details: specs and artifacts too, which lists do without.
    """
    if not rows:
        return []
    numbers = dumps([row[0] for row in rows])
    beside = _Beside(
        instances=dict(db.execute("SELECT id, name FROM instance").fetchall()),
        specs=_specs(db, numbers) if details else {},
        summaries=_summaries(db, numbers, metrics),
        artifacts=_artifacts(db, numbers, paths) if details else {},
        tags=_tags(db, numbers),
        checkpoints=_checkpoints(rows, paths) if details else {},
    )
    params, progress = (loads_all([row[column] for row in rows]) for column in (2, 3))
    now = time.time()
    return [_run(row, params[i], progress[i], beside, now) for i, row in enumerate(rows)]


def _run(row: Row, params: Any, progress: Any, beside: _Beside, now: float) -> Run:
    seq, instances, _, _, since, past, key, name, kind, status, attempt = row[:11]
    dataset, dataset_id, task, model, stale, created, started, ended = row[11:19]
    cost, exit_code, reason, note, deleted, model_id = row[19:]
    duration = None if started is None else past + (0.0 if since is None else (ended or now) - since)
    spec = json.loads(beside.specs[seq]) if beside.specs else {}
    hosts = tuple([beside.instances[one] for one in instances.split()])
    # By position, which is faster than by name: a page is thousands of these.
    return Run(
        *(key, name, kind, _STATES[status], attempt, hosts, dataset, dataset_id, task, model),
        *(params, spec, beside.summaries.get(seq, _NOTHING), progress),
        *(stale, created, started, ended, duration, cost, exit_code, reason),
        *(beside.artifacts.get(seq, ()), beside.tags.get(seq, ()), note, deleted),
        model_id=model_id,
        checkpoint=beside.checkpoints.get(key),
    )


def _specs(db: sqlite3.Connection, numbers: str) -> dict[int, str]:
    sql = "SELECT seq, spec FROM run WHERE seq IN (SELECT value FROM json_each(?))"
    return dict(db.execute(sql, (numbers,)).fetchall())


def _checkpoints(rows: Sequence[Row], paths: Paths) -> dict[str, Checkpoint]:
    from cloudtui_engine import kept  # lists, and so the first screen, do without

    kept_of = kept.runs_with(paths)
    found = {row[6]: kept.Kept(paths, row[6]).told for row in rows if row[6] in kept_of}
    return {key: one for key, one in found.items() if one is not None}


def _tags(db: sqlite3.Connection, numbers: str) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    for run, tag in db.execute(
        "SELECT run, tag FROM tag WHERE run IN (SELECT value FROM json_each(?)) ORDER BY tag", (numbers,)
    ):
        found.setdefault(run, []).append(tag)
    return {run: tuple(tags) for run, tags in found.items()}


def _summaries(db: sqlite3.Connection, numbers: str, metrics: bool | Sequence[str]) -> dict[int, Summaries]:
    if metrics is False:
        return {}
    names = dict(db.execute("SELECT id, key FROM metric").fetchall())
    if metrics is True:
        rows = db.execute(_SUMMARIES, (numbers,)).fetchall()
    else:
        wanted = set(metrics)
        chosen = dumps([number for number, key in names.items() if key in wanted])
        only = " AND metric IN (SELECT value FROM json_each(?))"
        rows = db.execute(_SUMMARIES + only, (numbers, chosen)).fetchall()
    grouped: dict[int, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return {run: Summaries(found, names) for run, found in grouped.items()}


def _artifacts(db: sqlite3.Connection, numbers: str, paths: Paths) -> dict[int, tuple[Artifact, ...]]:
    """Of every run the files of its attempts; of two with one name the newer one."""
    found: dict[int, dict[str, Artifact]] = {}
    for run, name, *rest in db.execute(
        f"SELECT run, {ARTIFACT} FROM artifact"
        " WHERE run IN (SELECT value FROM json_each(?)) ORDER BY run, attempt, name",
        (numbers,),
    ):
        found.setdefault(run, {})[name] = artifact_of((name, *rest), paths)
    return {run: tuple(files[name] for name in sorted(files)) for run, files in found.items()}


def artifact_of(row: Row, paths: Paths) -> Artifact:
    """The record of a row of `ARTIFACT`."""
    name, kind, size, sha256, pulled, wanted = row
    return Artifact(name, kind, size, sha256, str(paths.file(sha256)) if pulled else None, bool(wanted))


def flatten(params: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested parameters under dotted keys."""
    flat: dict[str, object] = {}
    for key, value in params.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def param_row(key: str, value: object) -> tuple[str, str, float | None]:
    """A parameter as it is searched: as text, and as a number where it is one."""
    if isinstance(value, str):
        text: str = value
        try:
            number = float(value) if len(value) < 32 else None
        except ValueError:
            number = None
    else:
        text = dumps(value)
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is not None and number - number != 0:
        number = None
    return key, text, number
