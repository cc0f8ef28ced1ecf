"""What the measured figures are worth: one word and one sentence a candidate, and which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cloudtui_features import paired
from cloudtui_features.paired import Paired
from cloudtui_trainer.compress.int8 import ENOUGH

SOLD_FOR_SPEED = frozenset({"int8", "prune", "prune-int8", "dynamic", "sparse"})
_SMALLER = 1.1
"""Size ratio from which a file is smaller in earnest."""


@dataclass(frozen=True)
class Measured:
    """A candidate, from its file alone."""

    id: str
    kind: str
    method: str
    settings: Mapping[str, Any]
    sha256: str
    size_bytes: int
    size_ratio: float
    coverage: float | None
    validation: Paired
    accuracy: float
    """On validation."""
    predictions: Sequence[int]
    broken: str
    """Why its answers are none at all, or nothing."""
    latency_ms: float
    throughput: float
    latency_ratio: float
    throughput_ratio: float
    control: Mapping[str, Sequence[float]]
    """The baseline beside itself in the same rounds, by batch size."""
    baseline_seconds: Mapping[str, float]
    notes: Sequence[str] = ()
    sensitivity: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Measured:
        """What `to_json` gave.

        Raises:
            TypeError, KeyError: it is something else.
        """
        return cls(**{**data, "validation": Paired(**data["validation"])})


@dataclass(frozen=True)
class Verdict:
    """What is said of a candidate."""

    word: str
    """passes, fails, undecided, dominated or no speed-up."""
    why: str
    eligible: bool
    """It may be chosen."""


def judge(
    one: Measured,
    others: Sequence[Measured],
    *,
    max_drop: float,
    goal: str,
    bands: Mapping[str, Sequence[float]],
    on: Paired | None = None,
) -> Verdict:
    """The verdict on one candidate.

    Args:
        one: the candidate.
        others: all of them.
        max_drop: the largest drop allowed, in points.
        goal: smallest or fastest.
        bands: between what the baseline's own ratios lie, for `batch1` and `batch64`.
        on: a comparison on other rows than validation, which then decides.
    """
    if one.broken:
        return Verdict("fails", one.broken, eligible=False)
    word, why = paired.verdict(on or one.validation, max_drop)
    if one.coverage is not None and one.coverage < ENOUGH and one.kind != "dynamic":
        why += f" Only {one.coverage:.0%} of its heavy layers run in integers."
    if word == "fails":
        return Verdict(word, why, eligible=False)
    speed = _speed(one, bands)
    by = None if on else _dominator(one, others, max_drop)
    if speed and one.kind in SOLD_FOR_SPEED:
        if by and "slower" in speed and one.kind != "sparse":
            return Verdict("dominated", f"{_no_worse(by)} {speed}", eligible=False)
        if goal == "fastest" or one.size_ratio < _SMALLER or "slower" in speed:
            return Verdict("no speed-up", speed, eligible=False)
        why += f" {speed}"
    if by:
        return Verdict("dominated", _no_worse(by), eligible=False)
    return Verdict(word, why, eligible=one.validation.delta >= -max_drop / 100)


def choose(candidates: Sequence[Measured], verdicts: Mapping[str, Verdict], goal: str) -> Measured | None:
    """The best that may be chosen: one proven on validation before one that only looks fine there."""
    eligible = [one for one in candidates if verdicts[one.id].eligible]
    proven = [one for one in eligible if verdicts[one.id].word == "passes"]

    def order(one: Measured) -> tuple[float, float]:
        speed = one.latency_ratio * one.throughput_ratio
        return (one.size_bytes, -speed) if goal == "smallest" else (-speed, one.size_bytes)

    return min(proven or eligible, key=order, default=None)


def _speed(one: Measured, bands: Mapping[str, Sequence[float]]) -> str:
    """Nothing where a speed-up may be claimed; else why not."""
    ratios = {"batch1": one.latency_ratio, "batch64": one.throughput_ratio}
    if any(ratios[batch] > bands[batch][1] for batch in ratios):
        return ""
    shown = f"{one.latency_ratio:.2f}x for one row and {one.throughput_ratio:.2f}x for a batch"
    if all(ratios[batch] < bands[batch][0] for batch in ratios):
        return f"It is slower: {shown}."
    return f"It is no faster than the noise of the baseline beside itself: {shown}."


def _dominator(one: Measured, others: Sequence[Measured], max_drop: float) -> Measured | None:
    """Another candidate that is no worse in anything and better in something."""
    mine = _figures(one)
    for other in others:
        theirs = _figures(other)
        fine = not other.broken and paired.verdict(other.validation, max_drop)[0] != "fails"
        no_worse = all(left >= right for left, right in zip(theirs, mine, strict=True))
        if other.id != one.id and fine and theirs != mine and no_worse:
            return other
    return None


def _figures(one: Measured) -> tuple[float, float, float, float]:
    """More is better."""
    return one.accuracy, -one.size_bytes, one.latency_ratio, one.throughput_ratio


def _no_worse(by: Measured) -> str:
    return f"{by.id} is no worse in accuracy, size and both latencies."
