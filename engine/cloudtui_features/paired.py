"""Two models judged on the same rows: how far apart they are, how surely, and whether a drop is small enough.

Only rows where exactly one of the two is right tell anything. The interval is the score interval of
T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
design", Statistics in Medicine 17 (1998) 891-908: it holds where few rows differ, or none, which is where
Wald's interval shrinks to a point. The p-value is McNemar's, exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Z = 1.959963984540054
"""Of a two-sided 95% interval."""
_HALVINGS = 60


@dataclass(frozen=True)
class Paired:
    """What N rows say about a variant beside its baseline; shares, not points."""

    delta: float
    """Accuracy of the variant minus that of the baseline."""
    low: float
    high: float
    p: float
    """McNemar's exact two-sided p-value. A large one is no proof of anything."""
    n: int
    only_baseline: int
    """Rows that the baseline alone has right."""
    only_variant: int

    @property
    def discordance(self) -> float:
        """The share of rows on which the two differ in being right."""
        return (self.only_baseline + self.only_variant) / self.n if self.n else 0.0


def compare(baseline_right: npt.NDArray[Any], variant_right: npt.NDArray[Any]) -> Paired:
    """Hold two models against each other, row by row.

    Args:
        baseline_right: whether the baseline is right, a bool a row.
        variant_right: the same of the variant, on the same rows in the same order.

    Raises:
        ValueError: the rows are not the same.
    """
    left, right = np.asarray(baseline_right, dtype=bool), np.asarray(variant_right, dtype=bool)
    if left.shape != right.shape or left.ndim != 1:
        raise ValueError(f"rows of shape {left.shape} cannot be paired with {right.shape}")
    n, lost, won = len(left), int((left & ~right).sum()), int((right & ~left).sum())
    low, high = tango(won, lost, n)
    delta = (won - lost) / n if n else 0.0
    return Paired(delta, low, high, mcnemar(won, lost), n, lost, won)


def tango(won: float, lost: float, n: int) -> tuple[float, float]:
    """The 95% score interval of (won - lost) / n, where `won` and `lost` count the rows that differ."""
    if not n:
        return -1.0, 1.0
    middle = (won - lost) / n
    low = -1.0 if middle <= -1 else _crossing(won, lost, n, middle, -1.0)
    high = 1.0 if middle >= 1 else _crossing(won, lost, n, middle, 1.0)
    return low, high


def mcnemar(won: int, lost: int) -> float:
    """The exact two-sided p-value: a fair coin for each row that differs."""
    tosses, least = won + lost, min(won, lost)
    logs = [
        math.lgamma(tosses + 1) - math.lgamma(k + 1) - math.lgamma(tosses - k + 1) for k in range(least + 1)
    ]
    tail = math.fsum(math.exp(log - tosses * math.log(2)) for log in logs)
    return min(1.0, 2 * tail)


def verdict(paired: Paired, max_drop_points: float) -> tuple[str, str]:
    """Whether the variant loses no more than is allowed: passes, fails or undecided, and why.

    It passes when the whole interval lies above the allowed drop and fails when it lies below; else these
    rows cannot tell, which is no pass.

    Args:
        paired: the comparison.
        max_drop_points: the largest drop allowed, in points (hundredths of accuracy), above 0.
    """
    drop = max_drop_points / 100
    allowed, rows = _points(max_drop_points), _rows(paired.n)
    interval = f"{100 * paired.delta:+.2f} [{100 * paired.low:+.2f}, {100 * paired.high:+.2f}] points"
    if paired.low > -drop:
        return "passes", f"Loses less than {allowed} on {rows}: {interval}."
    if paired.high < -drop:
        return "fails", f"Loses more than {allowed} on {rows}: {interval}."
    enough = rows_needed(drop, paired.discordance)
    if enough <= paired.n or paired.delta <= -drop:
        return "undecided", f"{_capital(rows)} cannot tell whether it loses more than {allowed}: {interval}."
    return "undecided", f"{_capital(rows)} cannot tell a drop of {allowed}; {enough:,} could."


def rows_needed(drop: float, discordance: float) -> int:
    """How many rows would show that a variant which is just as good loses less than `drop`.

    Args:
        drop: the share that may be lost, above 0.
        discordance: the share of rows on which the two differ in being right, won and lost alike.

    Raises:
        ValueError: no number of rows could show that.
    """
    if not 0 < drop < 1 or not 0 <= discordance <= 1:
        raise ValueError(f"a drop of {drop} at a discordance of {discordance} cannot be shown")
    half = discordance / 2
    # The statistic at -drop grows with the root of the rows, and is larger than Z from here on.
    return math.floor((Z / _statistic(half, half, 1.0, -drop)) ** 2) + 1


def _crossing(won: float, lost: float, n: float, inside: float, outside: float) -> float:
    """Where the statistic, which falls as the difference grows, passes Z on its way from `inside` out."""
    for _ in range(_HALVINGS):
        between = (inside + outside) / 2
        if abs(_statistic(won, lost, n, between)) <= Z:
            inside = between
        else:
            outside = between
    return inside


def _statistic(won: float, lost: float, n: float, delta: float) -> float:
    """Tango's score statistic of a supposed difference: (won - lost)/n - delta over its deviation."""
    a = 2 * n
    b = -won - lost + (2 * n - won + lost) * delta
    c = -lost * delta * (1 - delta)
    lost_share = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * lost_share + delta * (1 - delta))
    off = won - lost - n * delta
    return off / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, off) if off else 0.0


def _points(value: float) -> str:
    return f"{value:g} point" if value <= 1 else f"{value:g} points"


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows" if n else "no rows"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
