"""What differs between runs, what came of each, and what groups of them have in common. Pure."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cloudtui import format as fmt
from cloudtui_engine.records.run import Goal, MetricSummary, Run

FEW = 6
"""So many runs are told one by one; more of them are told in groups."""
ALIKE = "settings"
"""Grouped by all that differs but the seed: a group is one experiment, repeated."""
_SEEDS = frozenset({"seed", "random_seed", "random_state"})
_HUGE = 1e150
"""The square of less is a number still."""
_PREFERRED = ("accuracy", "acc", "auc", "r2", "f1", "loss", "rmse", "mae")
_SPLITS = ("validation", "val", "test", "", "train")


@dataclass(frozen=True)
class Difference:
    """One setting over several runs."""

    key: str
    values: tuple[Any, ...]

    @cached_property
    def identities(self) -> tuple[str, ...]:
        """Of each value: the same for two that are the same."""
        return tuple(map(_identity, self.values))

    @property
    def differs(self) -> bool:
        """The runs do not agree."""
        return len(set(self.identities)) > 1

    @property
    def is_seed(self) -> bool:
        """It only draws other random numbers."""
        return is_seed(self.key)

    def counted(self) -> list[tuple[str, int]]:
        """Each value as text and how many runs have it, numbers by size."""
        return [(fmt.setting(value), self.identities.count(_identity(value))) for value in self.distinct()]

    def distinct(self) -> list[Any]:
        """Each value once, numbers by size, then words, then what is missing."""
        return sorted(dict(zip(self.identities, self.values, strict=True)).values(), key=_order)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One metric over several runs; None where a run has none of it."""

    key: str
    goal: Goal | None
    last: tuple[float | None, ...]
    best: tuple[float | None, ...]

    @property
    def figures(self) -> tuple[float | None, ...]:
        """What counts: the best where it is known which is better, else the last."""
        return self.best if self.goal else self.last

    @property
    def winners(self) -> frozenset[int]:
        """The places of the best of all; none where nothing says which is better, or there is one only."""
        known = {place: value for place, value in enumerate(self.figures) if _finite(value)}
        if self.goal is None or len(known) < 2:
            return frozenset()
        top = (min if self.goal == "min" else max)(value for value in known.values() if value is not None)
        return frozenset(place for place, value in known.items() if value == top)

    @property
    def having(self) -> int:
        """How many runs have it."""
        return sum(value is not None for value in self.last)

    def delta(self, place: int, baseline: int) -> float | None:
        """What a run is above the baseline; None where one of the two is unknown, or it is the baseline."""
        mine, theirs = self.figures[place], self.figures[baseline]
        if place == baseline or mine is None or theirs is None or not _finite(mine - theirs):
            return None
        return mine - theirs

    def improves(self, delta: float | None) -> bool | None:
        """Whether that much more is better; None where nothing says so."""
        if self.goal is None or not delta:
            return None
        return (delta > 0) == (self.goal == "max")


@dataclass(frozen=True)
class Comparison:
    """What several runs were given and what came of it."""

    runs: tuple[Run, ...]
    params: tuple[Difference, ...]
    metrics: tuple[Outcome, ...]
    baseline: int = 0
    """The place of the run that the others are measured against."""
    way: str = ""
    """What they are grouped by; empty where they are told one by one."""

    @cached_property
    def different(self) -> tuple[Difference, ...]:
        """The settings in which they differ."""
        return tuple(one for one in self.params if one.differs)

    @property
    def equal(self) -> int:
        """How many settings are the same in all of them."""
        return len(self.params) - len(self.different)

    def outcome(self, key: str) -> Outcome | None:
        """One metric."""
        return next((one for one in self.metrics if one.key == key), None)


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that have something in common."""

    label: str
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the runs of a group."""

    n: int
    mean: float | None
    deviation: float | None
    """Of the sample; None for fewer than two."""


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Settings and results side by side; nested settings under dotted keys."""
    given = [_given(run) for run in runs]
    settings = dict.fromkeys(key for one in given for key in one)
    keys = dict.fromkeys(key for run in runs for key in run.metrics)
    return Comparison(
        tuple(runs),
        tuple(Difference(key, tuple(one.get(key) for one in given)) for key in settings),
        tuple(_outcome(runs, key) for key in keys),
    )


def is_seed(key: str) -> bool:
    """A setting of this name only draws other random numbers."""
    return key.rpartition(".")[2].lower() in _SEEDS


def main_metric(found: Comparison) -> str | None:
    """The metric to begin with: one that most runs have, an accuracy of unseen rows before a loss."""

    def rank(one: Outcome) -> tuple[int, int, int, str]:
        split, _, name = one.key.rpartition("/")
        return (-one.having, _place(_PREFERRED, name), _place(_SPLITS, split), one.key)

    return min(found.metrics, key=rank).key if found.metrics else None


def ways(found: Comparison) -> list[str]:
    """By what runs can be grouped: all but the seed, then each setting that differs, seeds last."""
    different = sorted(found.different, key=lambda one: one.is_seed)
    return [ALIKE, *(one.key for one in different)]


def usual_way(found: Comparison) -> str:
    """How many runs are grouped first: repeated experiments where there are few, else by one setting."""
    if len(groups(found, ALIKE)) <= FEW:
        return ALIKE
    counts = {one.key: len(one.distinct()) for one in found.different if not one.is_seed}
    fitting = [key for key, count in counts.items() if count <= FEW]
    return fitting[0] if fitting else min(counts, key=lambda key: counts[key])


def groups(found: Comparison, way: str) -> tuple[Group, ...]:
    """The runs by a setting, or by all of them but the seed; every run is in one group."""
    told = [one for one in found.different if (not one.is_seed if way == ALIKE else one.key == way)]
    members: dict[tuple[str, ...], list[int]] = {}
    for place in range(len(found.runs)):
        members.setdefault(tuple(one.identities[place] for one in told), []).append(place)

    def order(places: list[int]) -> list[tuple[int, float, str]]:
        return [_order(one.values[places[0]]) for one in told]

    return tuple(
        Group(_label(told, places[0]), tuple(places)) for places in sorted(members.values(), key=order)
    )


def settings_of(found: Comparison, place: int) -> str:
    """How a run differs from the others, on one line; what it was not given is left out."""
    told = [one for one in found.different if one.values[place] is not None]
    return _label(told, place, "")


def spread(values: Sequence[float | None]) -> Spread:
    """Mean and deviation of what is known, finite and small enough to be summed and squared."""
    known = [value for value in values if value is not None and abs(value) < _HUGE]
    if not known:
        return Spread(0, None, None)
    return Spread(len(known), statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None)


def above(delta: float | None, digits: int = 3) -> str:
    """A difference with its sign."""
    if delta is None:
        return fmt.MISSING
    size = abs(delta)
    text = f"{size:#.{digits}g}" if 1e-4 <= size < 99 else fmt.number(size)
    return f"{'+' if delta > 0 else '-' if delta < 0 else '±'}{text}"


def ranked(found: Sequence[Group], outcome: Outcome | None) -> list[int]:
    """The places of groups, the best mean first where it is known which is better; without a mean last."""
    if outcome is None or outcome.goal is None:
        return list(range(len(found)))
    sign = 1 if outcome.goal == "min" else -1
    means = [spread([outcome.figures[place] for place in one.places]).mean for one in found]
    return sorted(range(len(found)), key=lambda i: (means[i] is None, sign * (means[i] or 0.0)))


def _given(run: Run) -> dict[str, Any]:
    given: dict[str, Any] = {"model": run.model, "dataset": run.dataset}
    command = run.spec.get("command")
    if command:
        given["command"] = " ".join(map(str, command)) if isinstance(command, list | tuple) else command
    return given | _flat(run.params)


def _flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in params.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _outcome(runs: Sequence[Run], key: str) -> Outcome:
    of_runs: list[MetricSummary | None] = [run.metrics.get(key) for run in runs]
    goals = {summary.goal for summary in of_runs if summary and summary.goal}
    return Outcome(
        key,
        goals.pop() if len(goals) == 1 else None,  # where runs disagree nothing says which is better
        tuple(summary.last if summary else None for summary in of_runs),
        tuple(summary.best if summary else None for summary in of_runs),
    )


def _label(told: Sequence[Difference], place: int, nothing: str = "all alike") -> str:
    return " ".join(f"{one.key}={fmt.setting(one.values[place])}" for one in told) or nothing


def _identity(value: Any) -> str:
    """Tells 1 from "1" and from true, nothing from a dash and long texts by their ends; 1.0 is 1."""
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value, sort_keys=True, default=str)


def _order(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float) and abs(value) < 1e300:
        return 0, float(value), ""
    return (2, 0.0, "") if value is None else (1, 0.0, fmt.setting(value))


def _place(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
