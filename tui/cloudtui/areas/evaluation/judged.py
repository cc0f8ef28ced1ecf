"""What the area lists: evaluations that were reported, and those that are still measured or failed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cloudtui import format as fmt
from cloudtui.areas.evaluation import beside
from cloudtui.areas.runs.rows import status
from cloudtui.differing import identity
from cloudtui.reported import TITLES, confidence, figure, interval, mapping, mappings, number
from cloudtui.widgets.table import Cell, Column, Row
from cloudtui_engine.records.evaluation import Evaluation
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

COLUMNS = (
    Column("Model", 16, share=3),
    Column("Rows of", 18, rank=1, share=2),
    Column("Rows", 7, "right", rank=5),
    Column("Measure", 8, rank=3),
    Column("Value", 8, "right"),
    Column("95%", 16, rank=2),
    Column("Baseline", 8, "right", rank=3),
    Column("State", 12),
    Column("Made", 5, "right", rank=4),
)
_MAIN = ("accuracy", "r2", "auc", "mae", "loss")
_POINT = 0.005
"""The difference that people ask for: half a point of accuracy."""
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Judged:
    """One evaluation, or a job that is to become one."""

    id: str
    name: str
    model: Model | None
    run: Run | None
    dataset: str
    split: str
    t: float
    report: Mapping[str, Any]
    dataset_id: str | None
    cell: tuple[str, str] | None = None
    """Truth and prediction whose errors are looked at; all, if None."""
    beside: Evaluation | None = None
    """Another one that a person holds beside it."""

    @property
    def evaluation(self) -> Evaluation:
        """The same as the catalog has it."""
        return Evaluation(
            self.name, self.model.id if self.model else "", self.dataset, self.split,
            self.id.partition("/")[0], self.t, self.report, self.dataset_id,
        )  # fmt: skip

    @property
    def is_regression(self) -> bool:
        """A number was predicted."""
        return "residuals" in self.report or "r2" in mapping(self.report.get("metrics"))


def read(catalog: Catalog, text: str) -> list[Judged]:
    """All of them, newest first, whose model or data holds the text."""
    from cloudtui_engine.catalog.runs import RunQuery

    models = {one.id: one for one in catalog.models.list()}
    runs = {one.id: one for one in catalog.runs.list(RunQuery(kinds=("evaluate",), metrics=False))}
    found = [
        _reported(one, models.get(one.model_id), runs.get(one.run_id)) for one in catalog.models.evaluations()
    ]
    told = {one.run.id for one in found if one.run is not None}
    found += [
        _waited_for(run, models[run.model_id])
        for run in runs.values()
        if run.id not in told and run.model_id in models
    ]
    found.sort(key=lambda one: -one.t)
    found = _held_beside(found, beside.load(catalog))
    wanted = text.lower()
    return [one for one in found if wanted in f"{one.name} {one.dataset}".lower()]


def _held_beside(found: list[Judged], pair: tuple[str, str] | None) -> list[Judged]:
    other = next((one for one in found if pair is not None and one.id == pair[1] and one.report), None)
    if pair is None or other is None:
        return found
    return [replace(one, beside=other.evaluation) if one.id == pair[0] else one for one in found]


def _reported(one: Evaluation, model: Model | None, run: Run | None) -> Judged:
    return Judged(
        identity(one), one.model, model, run, one.dataset, one.split, one.t, one.report,
        one.dataset_id,
    )  # fmt: skip


def _waited_for(run: Run, model: Model) -> Judged:
    split = str(run.spec.get("split") or "test")
    return Judged(
        f"{run.id}/{split}",
        model.label,
        model,
        run,
        run.dataset or "",
        split,
        run.created_at,
        {},
        run.dataset_id,
    )


def judged_row(one: Judged, now: float) -> Row:
    """Its cells, in the order of `COLUMNS`."""
    metrics = mapping(one.report.get("metrics"))
    key = main_metric(one.report)
    return Row(
        one.id,
        (
            (clean_line(one.name, 80), ""),
            (clean_line(f"{one.dataset} {one.split}", 60), "muted"),
            (fmt.count(number(one.report.get("n"))), ""),
            (TITLES.get(key, fmt.MISSING), "muted"),
            (figure(key, metrics.get(key)), ""),
            (interval(key, one.report) or fmt.MISSING, "muted"),
            (figure(key, best_baseline(one.report, key)), "muted"),
            state(one, now),
            (fmt.since(one.t, now), "muted"),
        ),
    )


def state(one: Judged, now: float) -> Cell:
    """Measured, or how the job stands."""
    if one.report:
        return "✓ measured", "good"
    return status(one.run, now) if one.run is not None else (fmt.MISSING, "muted")


def main_metric(report: Mapping[str, Any]) -> str:
    """The one metric that a list shows."""
    metrics = mapping(report.get("metrics"))
    return next((key for key in _MAIN if key in metrics), "")


def best_baseline(report: Mapping[str, Any], key: str) -> float | None:
    """The best that a baseline has of a metric."""
    found = [number(mapping(one.get("metrics")).get(key)) for one in mappings(report.get("baselines"))]
    values = [value for value in found if value is not None]
    if not values:
        return None
    return min(values) if key in {"mae", "rmse", "loss", "ece"} else max(values)


def headline(report: Mapping[str, Any]) -> str:
    """`93.57% [93.07, 94.03]  F1 0.9352`, for the right end of a head."""
    metrics = mapping(report.get("metrics"))
    key = main_metric(report)
    if not key:
        return ""
    name = "" if key == "accuracy" else f"{TITLES[key]} "
    parts = [f"{name}{figure(key, metrics[key])} {interval(key, report)}".rstrip()]
    for other, title in (("macro_f1", "F1"), ("mae", "MAE")):
        if other in metrics and other != key:
            parts.append(f"{title} {fmt.number(number(metrics[other]))}")
    return " · ".join(parts)


def too_small(report: Mapping[str, Any]) -> str:
    """A sentence where the rows cannot tell half a point of accuracy from nothing; else empty."""
    rows, accuracy = number(report.get("n")), number(mapping(report.get("metrics")).get("accuracy"))
    between = confidence("accuracy", report)
    if not rows or accuracy is None or between is None or between[1] - between[0] <= 2 * _POINT:
        return ""
    spread = max(accuracy * (1 - accuracy), 1.0 / (rows + 2))
    needed = math.ceil(_Z**2 * spread / _POINT**2)
    needed = round(needed, -max(0, len(str(needed)) - 2))
    return (
        f"{fmt.count(rows)} {'row' if rows == 1 else 'rows'} cannot tell a difference of 0.5 point;"
        f" about {fmt.count(max(needed, rows + 1))} could."
    )


def waiting(one: Judged) -> tuple[str, str]:
    """What is said of an evaluation without a report, and a sentence more."""
    run = one.run
    if run is None or not run.status.is_finished:
        text = run.progress.get("text") if run is not None else None
        said = clean_line(text, 120) if isinstance(text, str) else "The figures appear here when they are in."
        return "Not measured yet", said
    if run.status is RunState.SUCCEEDED:
        return "It left no report", "Its log says more: 3 opens the runs."
    return f"{fmt.RUN_MARKS[run.status]}", clean_line(run.reason, 300) or "Its log says more."
