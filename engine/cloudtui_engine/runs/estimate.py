"""How long a training will take, from what trainings took, and what that rests on. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cloudtui_engine.records.run import Run, RunState

VALIDATED = "validation/loss"
"""A point of it is an epoch: read it with the runs."""
_NEWEST = 3
"""Measurements that are looked at: an older one may be of other code."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A training that is to be estimated."""

    dataset_id: str | None
    rows: int
    """Of its training split."""
    model: str
    instance: str
    epochs: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds in all, where something is known."""

    seconds: float | None
    epoch_s: float | None
    ground: Literal["measured", "scaled", "none"]
    """Measured with these data, this model, this machine; scaled by rows from other data; nothing known."""
    run: str = ""
    """The newest run that it rests on."""

    def usd(self, price_usd_per_hour: float | None) -> float | None:
        """What it costs; None where no price or no time is known."""
        if self.seconds is None or price_usd_per_hour is None:
            return None
        return self.seconds / 3600 * price_usd_per_hour


def estimate(wanted: Wanted, runs: Sequence[Run], rows: Mapping[str, int]) -> Estimate:
    """Seconds of a training, from finished ones.

    Args:
        wanted: what is to be trained on.
        runs: the runs of the catalog, newest first.
        rows: the training rows of each dataset, by its id.
    """
    alike = [run for run in runs if run.model == wanted.model and wanted.instance in run.instances]
    timed = [(run, epoch) for run in alike if (epoch := seconds_an_epoch(run)) is not None]
    same = [(run, epoch) for run, epoch in timed if run.dataset_id and run.dataset_id == wanted.dataset_id]
    if same:
        return _of(same[:_NEWEST], wanted.epochs, "measured")
    other = [
        (run, epoch * wanted.rows / known)
        for run, epoch in timed
        if wanted.rows > 0 and (known := rows.get(run.dataset_id or "", 0)) > 0
    ]
    if other:
        return _of(other[:_NEWEST], wanted.epochs, "scaled")
    return Estimate(None, None, "none")


def seconds_an_epoch(run: Run) -> float | None:
    """What an epoch of a finished training took, start and evaluation shared out; None where not known."""
    epochs = epochs_done(run)
    if run.kind != "train" or run.status is not RunState.SUCCEEDED or run.attempt != 1:
        return None
    if epochs is None or not epochs >= 1:
        return None
    return run.duration_s / epochs if run.duration_s and run.duration_s > 0 else None


def epochs_done(run: Run) -> float | None:
    """What it says of its epochs; where its last word was of something else, how often it was validated."""
    told = run.progress.get("epoch")
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    validated = run.metrics.get(VALIDATED)
    return float(validated.count) if validated is not None else None


def _of(found: Sequence[tuple[Run, float]], epochs: int, ground: Literal["measured", "scaled"]) -> Estimate:
    epoch = statistics.median(seconds for _, seconds in found)
    return Estimate(epoch * epochs, epoch, ground, found[0][0].name)
