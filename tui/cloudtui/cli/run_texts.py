"""Runs and their points as text for people. All text from hosts is cleaned here."""

from __future__ import annotations

import time
from collections.abc import Sequence

from cloudtui import format as words
from cloudtui import run_columns
from cloudtui.cli.tables import Column, pairs, table
from cloudtui_engine.records.run import Artifact, Run, Series
from cloudtui_engine.sanitize import clean_line

Lines = list[str]


def runs(records: Sequence[Run], cells: int | None) -> Lines:
    """The list of runs; in the columns that were asked for, where some were."""
    now = time.time()
    asked = run_columns.columns(getattr(records, "columns", ()))
    if asked:
        heads = [Column(one.title or one.id.capitalize(), one.right, shrinks=not one.right) for one in asked]
        return table(heads, [[one.cell(run, now)[0] for one in asked] for run in records], cells)
    shown = _shown_metrics(records)
    columns = [
        Column("Name", shrinks=True),
        Column("Status"),
        Column("Epoch", right=True),
        *(Column(key, right=True) for key in shown),
        Column("On", shrinks=True),
        Column("Elapsed", right=True),
        Column("Cost", right=True),
        Column("Age", right=True),
        Column("Id"),
    ]
    rows = [
        [
            clean_line(run.name),
            words.run_state(run, now),
            words.run_progress(run),
            *(words.number(run.metrics[key].last) if key in run.metrics else words.MISSING for key in shown),
            clean_line(", ".join(run.instances)),
            words.duration(words.elapsed(run, now)),
            words.money(run.cost_usd),
            words.since(run.created_at, now),
            run.id,
        ]
        for run in records
    ]
    return table(columns, rows, cells)


def _shown_metrics(records: Sequence[Run]) -> list[str]:
    """At most a loss and an accuracy: those that the most runs have."""
    counts: dict[str, int] = {}
    for run in records:
        for key in run.metrics:
            counts[key] = counts.get(key, 0) + 1
    chosen = []
    for ending in ("loss", "accuracy"):
        fitting = [key for key in counts if key.rpartition("/")[2] == ending]
        preferred = {"train/loss": 1, "validation/accuracy": 1}
        if fitting:
            chosen.append(max(fitting, key=lambda key: (preferred.get(key, 0), counts[key])))
    return chosen


def run(record: Run) -> Lines:
    """One run."""
    now = time.time()
    settings = "  ".join(f"{clean_line(k)}={words.setting(v)}" for k, v in record.params.items())
    lines = pairs(
        [
            ("Run", f"{clean_line(record.name)}  {record.id}"),
            ("Status", words.run_state(record, now)),
            ("Reason", clean_line(record.reason)),
            ("Attempt", str(record.attempt) if record.attempt > 1 else ""),
            ("On", clean_line(", ".join(record.instances))),
            ("Dataset", clean_line(record.dataset or "")),
            ("Model", clean_line(record.model or "")),
            ("Settings", settings),
            ("Epoch", words.run_progress(record)),
            ("Created", words.moment(record.created_at)),
            ("Elapsed", words.duration(words.elapsed(record, now))),
            ("Cost", words.money(record.cost_usd)),
            ("Tags", ", ".join(record.tags)),
            ("Note", clean_line(record.note)),
            ("Checkpoint here", words.checkpoint(record.checkpoint)),
            ("In the trash", words.moment(record.deleted_at)),
        ]
    )
    if record.metrics:
        columns = [
            Column("Metric"),
            *(Column(t, right=True) for t in ("Last", "Best", "Step", "Points")),
            Column(""),
        ]
        rows = [
            [
                clean_line(k),
                words.number(m.last),
                words.number(m.best),
                words.count(m.step),
                words.count(m.count),
                words.spark(m.spark),
            ]
            for k, m in record.metrics.items()
        ]
        lines += ["", *table(columns, rows)]
    if record.artifacts:
        rows = [[clean_line(a.name), a.kind, words.size(a.size_bytes), place(a)] for a in record.artifacts]
        columns = [Column("File"), Column("Kind"), Column("Size", right=True), Column("Where")]
        lines += ["", *table(columns, rows)]
    left = sum(1 for one in record.artifacts if one.local is None and not one.wanted)
    if left:
        lines += ["", f"{left} left on the host. Fetch them: cloudtui run pull {record.id}"]
    return lines


def place(artifact: Artifact) -> str:
    """Where a file lies: here, or on the host, and then whether it comes by itself."""
    return artifact.local or ("on the host, to be fetched" if artifact.wanted else "left on the host")


def series(records: Sequence[Series], cells: int | None) -> Lines:
    """Points in columns: step, then a column a key."""
    steps = sorted({int(step) for one in records for step in one.steps})
    by_key = [dict(zip((int(step) for step in one.steps), one.values, strict=True)) for one in records]
    columns = [Column("Step", right=True), *(Column(clean_line(one.key), right=True) for one in records)]
    rows = [[words.count(step), *(words.number(values.get(step)) for values in by_key)] for step in steps]
    return table(columns, rows, cells)
