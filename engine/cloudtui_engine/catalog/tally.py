"""The summary of a series as its points come: what lists show instead of the history. Pure.

It is a function of the visible points in order, however they were cut into batches: `add` in one piece and in
many
give the same. The sparkline holds every stride-th value; the stride doubles when there are more than fifteen.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from cloudtui_engine.catalog.chunks import finite_range
from cloudtui_engine.records.run import Goal, MetricSummary

SPARK = 15
NAN = float("nan")


@dataclass(slots=True)
class Tally:
    """A summary that can still grow."""

    goal: Goal | None = None
    n: int = 0
    last: float = NAN
    last_step: int = 0
    vmin: float | None = None
    vmax: float | None = None
    best: float | None = None
    best_step: int | None = None
    stride: int = 1
    spark: array[float] = field(default_factory=lambda: array("d"))

    def add(self, steps: array[int], values: array[float], top: int) -> None:
        """Count some more points in; `top` is their greatest step."""
        if top >= self.last_step or not self.n:
            self.last_step = top
            self.last = values[-1] if steps[-1] == top else values[_last_index(steps, top)]
        low, high, _, _ = finite_range(values)
        if low is not None and high is not None:
            self._range(low, high, steps, values)
        self._sample(values)
        self.n += len(values)

    def _range(self, low: float, high: float, steps: array[int], values: array[float]) -> None:
        self.vmin = low if self.vmin is None or low < self.vmin else self.vmin
        self.vmax = high if self.vmax is None or high > self.vmax else self.vmax
        if self.goal == "min" and (self.best is None or low < self.best):
            self.best, self.best_step = low, steps[values.index(low)]
        elif self.goal == "max" and (self.best is None or high > self.best):
            self.best, self.best_step = high, steps[values.index(high)]

    def _sample(self, values: array[float]) -> None:
        n, stride = self.n + len(values), self.stride
        while -(-n // stride) > SPARK:
            stride *= 2
        if stride != self.stride:
            self.spark = self.spark[:: stride // self.stride]
            self.stride = stride
        self.spark.extend(values[-self.n % stride :: stride])

    def summary(self, key: str) -> MetricSummary:
        """As readers get it; the sparkline ends with the last value."""
        return to_summary(
            key,
            self.goal,
            self.n,
            self.last,
            self.last_step,
            self.vmin,
            self.vmax,
            self.best,
            self.best_step,
            self.stride,
            self.spark.tobytes(),
        )


def to_summary(  # noqa: PLR0917 - the columns of its row, in their order
    key: str,
    goal: Goal | None,
    n: int,
    last: float | None,
    last_step: int,
    vmin: float | None,
    vmax: float | None,
    best: float | None,
    best_step: int | None,
    stride: int,
    packed: bytes,
) -> MetricSummary:
    """A summary from the columns of its row."""
    value = NAN if last is None else last
    spark = tuple(array("d", packed))
    if n and (n - 1) % stride:
        spark = (*spark, value)
    return MetricSummary(key, goal, n, last_step, value, best, best_step, vmin, vmax, spark)


def _last_index(steps: array[int], top: int) -> int:
    return max(i for i, step in enumerate(steps) if step == top)
