"""What can be told of runs in a list, a column each: on the desktop and on the command line. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cloudtui import format as fmt
from cloudtui.sparkline import sparkline
from cloudtui_engine.catalog.query_tokens import quoted
from cloudtui_engine.errors import UsageError
from cloudtui_engine.records.run import MetricSummary, Run
from cloudtui_engine.sanitize import clean_line

KEY = "desktop.columns"
"""The setting that keeps which are shown."""
MOST = 40
"""So many beside each other."""
LOSSES = ("validation/loss", "train/loss", "loss", "val_loss", "train_loss")
ACCURACIES = (
    "validation/accuracy", "test/accuracy", "train/accuracy", "accuracy", "val_accuracy", "acc",
)  # fmt: skip
_BARS = 10
_NARROW, _WIDE = 9, 18
TONES = {"good": "good", "busy": "busy", "warn": "warn", "bad": "bad", "quiet": "quiet"}
Cell = tuple[str, str]


class RunColumn(NamedTuple):
    """A column: what it is called, and what it says of a run."""

    id: str
    title: str
    about: str
    width: int
    cell: Callable[[Run, float], Cell]
    """Clean text and a style, at this time."""
    right: bool = False
    sort: str = ""
    share: int = 0
    rank: int = 0
    metrics: tuple[str, ...] = ()
    """The metrics that it needs."""


def status(run: Run, now: float) -> Cell:
    """Glyph, word and colour; a live run that no link confirms says since when."""
    mark = fmt.RUN_MARKS[run.status]
    if run.stale_since is not None and not run.status.is_finished:
        return f"{mark.glyph} stale {fmt.since(run.stale_since, now)}", "warn"
    return str(mark), TONES[mark.tone]


def first(run: Run, keys: Iterable[str]) -> MetricSummary | None:
    """The summary of the first of these keys that the run has."""
    return next((run.metrics[key] for key in keys if key in run.metrics), None)


def _dim(run: Run) -> str:
    return "muted" if run.status.is_finished else ""


def _said(of: Callable[[Run], Any], longest: int = 60) -> Callable[[Run, float], Cell]:
    def cell(run: Run, _now: float) -> Cell:
        text = of(run)
        return clean_line(str(text), longest) if text not in {None, ""} else fmt.MISSING, "muted"

    return cell


def _value(keys: tuple[str, ...], *, dims: bool = True) -> Callable[[Run, float], Cell]:
    def cell(run: Run, _now: float) -> Cell:
        found = first(run, keys)
        if found is None:
            return fmt.MISSING, "muted"
        if not math.isfinite(found.last):
            return fmt.number(found.last), "bad"
        return fmt.number(found.last), _dim(run) if dims else ""

    return cell


def _curve(run: Run, _now: float) -> Cell:
    found = first(run, LOSSES)
    drawn = sparkline(found.spark, _BARS) if found and found.spark else fmt.MISSING
    return drawn, _dim(run) or "accent"


def _param(key: str) -> Callable[[Run, float], Cell]:
    return lambda run, _now: (fmt.setting(run.params.get(key)), _dim(run))


_EVERY = (
    RunColumn("name", "Name", "what it is called", 16, lambda run, _: (clean_line(run.name, 80), ""),
              sort="name", share=4),
    RunColumn("status", "Status", "where it stands", 12, status, sort="status"),
    RunColumn("epoch", "Epoch", "how far it is", 7, lambda run, _: (fmt.run_progress(run), _dim(run)),
              right=True, rank=3),
    RunColumn("curve", "Loss", "its loss as a curve", 10, _curve, rank=4, metrics=LOSSES),
    RunColumn("loss", "", "its last loss", 8, _value(LOSSES), right=True, sort="metric.validation/loss",
              rank=2, metrics=LOSSES),
    RunColumn("accuracy", "Accuracy", "its last accuracy", 8, _value(ACCURACIES, dims=False), right=True,
              sort="metric.validation/accuracy", rank=1, metrics=ACCURACIES),
    RunColumn("on", "On", "its machines", 10, _said(lambda run: ", ".join(run.instances), 40), share=1,
              rank=5),
    RunColumn("elapsed", "Elapsed", "how long it took", 8,
              lambda run, now: (fmt.duration(fmt.elapsed(run, now)), _dim(run)), right=True, sort="duration",
              rank=6),
    RunColumn("cost", "Cost $", "its share of its machines", 7,
              lambda run, _: (fmt.money(run.cost_usd), _dim(run)), right=True, sort="cost", rank=7),
    RunColumn("age", "Age", "since it was asked for", 5,
              lambda run, now: (fmt.since(run.created_at, now), "muted"), right=True, sort="created"),
    RunColumn("dataset", "Dataset", "what it learned from", 14, _said(lambda run: run.dataset),
              sort="dataset"),
    RunColumn("model", "Model", "architecture", 12, _said(lambda run: run.model), sort="model"),
    RunColumn("task", "Task", "image, tabular", 8, _said(lambda run: run.task), sort="task"),
    RunColumn("kind", "Kind", "train or script", 7, _said(lambda run: run.kind)),
    RunColumn("attempt", "Attempt", "how often it was begun", 7, lambda run, _: (str(run.attempt), _dim(run)),
              right=True, sort="attempt"),
    RunColumn("tags", "Tags", "its tags", 14, _said(lambda run: ", ".join(run.tags)), share=1),
    RunColumn("note", "Note", "its note", 20, _said(lambda run: run.note, 200), share=2),
    RunColumn("reason", "Why", "why it ended", 20, _said(lambda run: run.reason, 200), share=2),
    RunColumn("id", "Id", "its id", 26, _said(lambda run: run.id), sort="id"),
)  # fmt: skip
_BY_ID: Mapping[str, RunColumn] = {one.id: one for one in _EVERY}
DEFAULT = ("name", "status", "epoch", "curve", "loss", "accuracy", "on", "elapsed", "cost")
"""What is shown where nobody chose."""


def known(params: Iterable[str] = (), metrics: Iterable[str] = ()) -> list[RunColumn]:
    """All that can be chosen; settings and metrics by their keys."""
    of_runs = [*(f"param.{key}" for key in params), *(f"metric.{key}" for key in metrics)]
    return [*_EVERY, *(column(name) for name in of_runs if "," not in name)]


def column(name: str) -> RunColumn:
    """The column with this id; `param.lr` and `metric.validation/loss` are of any run that has such.

    Raises:
        UsageError: there is none.
    """
    found = _BY_ID.get(name.strip().lower())
    if found is not None:
        return found
    kind, _, key = name.strip().partition(".")
    if key and key == clean_line(key, 200):
        width = min(max(_NARROW, len(key)), _WIDE)
        if kind in {"param", "params"}:
            return RunColumn(f"param.{key}", key, "setting", width, _param(key), right=True,
                             sort=f"param.{quoted(key)}")  # fmt: skip
        if kind in {"metric", "metrics"}:
            return RunColumn(f"metric.{key}", key, "last value", width, _value((key,)), right=True,
                             sort=f"metric.{quoted(key)}", metrics=(key,))  # fmt: skip
    raise UsageError(
        f"There is no column {clean_line(name, 60)!r}.",
        f"Columns are {', '.join(_BY_ID)}, param.NAME and metric.KEY.",
    )


def columns(names: Sequence[str]) -> list[RunColumn]:
    """Those with these ids, in this order; the later a chosen one stands the sooner it gives way.

    The last loss stands under the head of its curve, where that is beside it.

    Raises:
        UsageError: one is none, stands there twice, or they are too many.
    """
    found = [column(name) for name in names]
    ids = tuple(one.id for one in found)
    twice = next((one for i, one in enumerate(ids) if one in ids[:i]), None)
    if twice is not None:
        raise UsageError(f"The column {twice} is named twice.", "Name each once.")
    if len(found) > MOST:
        raise UsageError(f"More than {MOST} columns.", "Leave some out.")
    if ids == DEFAULT:
        return found
    headed = [
        one._replace(title="Loss") if one.id == "loss" and "curve" not in ids[:place][-1:] else one
        for place, one in enumerate(found)
    ]
    return [one._replace(rank=place) for place, one in enumerate(headed)]


def named(text: str) -> list[str]:
    """The names in `name,status,param.lr`."""
    return [name.strip() for name in text.split(",") if name.strip()]


def kept(value: Any) -> tuple[str, ...]:
    """The ids that a setting holds; `DEFAULT` where it holds none that can be shown."""
    names = value.get("runs") if isinstance(value, dict) else None
    return usable(names) or DEFAULT


def usable(names: Any) -> tuple[str, ...]:
    """Of what somebody kept the ids that are columns, each once."""
    found: dict[str, None] = {}
    for name in names if isinstance(names, list | tuple) else ():
        try:
            found[column(name).id] = None
        except (UsageError, AttributeError):  # of another version, or nothing of ours
            continue
    return tuple(found)[:MOST]
