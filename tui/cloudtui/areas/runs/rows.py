"""A run as a row of the list."""

from __future__ import annotations

import math

from cloudtui import format as fmt
from cloudtui.widgets.sparkline import sparkline
from cloudtui.widgets.table import Cell, Column, Row
from cloudtui_engine.records.run import MetricSummary, Run
from cloudtui_engine.sanitize import clean_line

COLUMNS = (
    Column("Name", 16, sort="name", share=4),
    Column("Status", 12, sort="status"),
    Column("Epoch", 7, "right", rank=3),
    Column("Loss", 10, rank=4),
    Column("", 8, "right", sort="metric.validation/loss", rank=2),
    Column("Accuracy", 8, "right", sort="metric.validation/accuracy", rank=1),
    Column("On", 10, share=1, rank=5),
    Column("Elapsed", 8, "right", sort="duration", rank=6),
    Column("Cost $", 7, "right", sort="cost", rank=7),
)
LOSSES = ("validation/loss", "train/loss", "loss", "val_loss", "train_loss")
ACCURACIES = (
    "validation/accuracy", "test/accuracy", "train/accuracy", "accuracy", "val_accuracy", "acc",
)  # fmt: skip
LIST_METRICS = (*LOSSES, *ACCURACIES)
"""The keys that the list reads: the rest of a run's metrics are its detail's."""

TONES = {"good": "good", "busy": "busy", "warn": "warn", "bad": "bad", "quiet": "quiet"}


def first(run: Run, keys: tuple[str, ...]) -> MetricSummary | None:
    """The summary of the first of these keys that the run has."""
    return next((run.metrics[key] for key in keys if key in run.metrics), None)


def run_row(run: Run, now: float) -> Row:
    """The run's cells, in the order of `COLUMNS`."""
    loss, accuracy = first(run, LOSSES), first(run, ACCURACIES)
    dim = "muted" if run.status.is_finished else ""
    return Row(
        run.id,
        (
            (clean_line(run.name, 80), ""),
            status(run, now),
            (fmt.run_progress(run), dim),
            (
                sparkline(loss.spark, 10) if loss and loss.spark else fmt.MISSING,
                "accent" if not dim else "muted",
            ),
            _value(loss, dim),
            _value(accuracy, ""),
            (clean_line(", ".join(run.instances), 40) or fmt.MISSING, "muted"),
            (fmt.duration(fmt.elapsed(run, now)), dim),
            (fmt.money(run.cost_usd), dim),
        ),
    )


def status(run: Run, now: float) -> Cell:
    """Glyph, word and colour; a live run that no link confirms says since when."""
    mark = fmt.RUN_MARKS[run.status]
    if run.stale_since is not None and not run.status.is_finished:
        return f"{mark.glyph} stale {fmt.since(run.stale_since, now)}", "warn"
    return str(mark), TONES[mark.tone]


def _value(summary: MetricSummary | None, style: str) -> Cell:
    if summary is None:
        return fmt.MISSING, "muted"
    if not math.isfinite(summary.last):
        return fmt.number(summary.last), "bad"
    return fmt.number(summary.last), style
