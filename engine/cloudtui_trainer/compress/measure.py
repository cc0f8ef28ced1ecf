"""What a file is worth, from the file alone: its answers and its time beside the baseline's."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_trainer.compress import files
from cloudtui_trainer.compress.rows import Judge

_LEAST_S = 0.003
"""CPU seconds of one reading of the clock: shorter work is repeated until it takes as long."""
_MOST_REPEATS = 200
_DRAWS = 4000


@dataclass(frozen=True)
class Answers:
    """What a file says of a split."""

    predicted: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    finite: bool

    @property
    def constant(self) -> bool:
        """All rows get the same class."""
        return len(np.unique(self.predicted)) < 2

    @property
    def accuracy(self) -> float:
        """The share of rows that are right."""
        return float(self.right.mean()) if len(self.right) else float("nan")


def answers(content: bytes, judge: Judge, split: str, look: Callable[[], None] = lambda: None) -> Answers:
    """Ask the file for every row of a split; `look` is called at each batch, and ends it by raising."""
    session = files.session(content)
    name = session.get_inputs()[0].name
    predicted, right, finite = [], [], True
    for inputs, truth in judge.batches(split):
        look()
        (logits,) = session.run(None, {name: inputs})
        finite = finite and bool(np.isfinite(logits).all())
        predicted.append(logits.argmax(1).astype(np.int64))
        right.append(predicted[-1] == truth)
    return Answers(np.concatenate(predicted), np.concatenate(right), finite)


@dataclass
class Timing:
    """Rounds of the baseline and a candidate at one batch size; each round is in seconds of one call."""

    batch: int
    baseline: list[float] = field(default_factory=list)
    candidate: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    """A second session of the baseline's file: the control."""

    @property
    def ratio(self) -> float:
        """How many times as fast the candidate is: the median over the rounds."""
        return statistics.median(a / b for a, b in zip(self.baseline, self.candidate, strict=True))

    @property
    def control(self) -> list[float]:
        """The baseline beside itself, a ratio a round: what noise alone makes."""
        return [a / b for a, b in zip(self.baseline, self.again, strict=True)]


def clock(threads: int) -> Callable[[], float]:
    """CPU time of this thread where it does all the work: other work on the machine does not count.

    Several threads are timed by the wall, for their CPU times add up to no latency.
    """
    return time.thread_time if threads == 1 else time.perf_counter


def timed(
    baseline: bytes,
    candidate: bytes,
    inputs: dict[int, npt.NDArray[Any]],
    rounds: int,
    threads: int = 1,
    *,
    look: Callable[[], None] = lambda: None,
) -> dict[int, Timing]:
    """Time a candidate beside the baseline and the baseline beside itself, round by round.

    Args:
        baseline: the file that is compared with.
        candidate: the file that is compared.
        inputs: a batch for each size.
        rounds: how many.
        threads: of ONNX Runtime.
        look: called at each round; ends it by raising.
    """
    found = {size: Timing(size) for size in inputs}
    contents, orders = (baseline, candidate, baseline), list(itertools.permutations(range(3)))
    for begun in range(0, rounds, len(orders)):
        # New sessions now and then: where a session's weights lie makes it faster or slower for as long as it
        # lives, by half for one row of a few megabytes.
        sessions = [files.session(content, threads) for content in contents]
        name = sessions[0].get_inputs()[0].name
        for size, batch in inputs.items():
            runs = [_call(session, name, batch, threads) for session in sessions]
            rows = (found[size].baseline, found[size].candidate, found[size].again)
            # Each goes first, second and last as often: what comes after a larger one finds a colder cache.
            for order in orders[: rounds - begun]:
                look()
                for place in order:
                    rows[place].append(runs[place]())
    return found


def band(controls: Sequence[Sequence[float]]) -> list[float]:
    """Where the baseline's median ratio to itself lies: a speed-up inside of it may be noise.

    What would be claimed is a median over rounds, so the control is one, too: the middle 99.8% of medians
    drawn from all rounds (a ratio counts both ways, as the control has no first; so wide, for there are two
    claims a candidate), widened to hold every median that was really found.

    Args:
        controls: the baseline beside itself, a list of rounds for each candidate.
    """
    rounds = np.array([ratio for control in controls for ratio in control])
    if not len(rounds):
        return [1.0, 1.0]
    both = np.concatenate([rounds, 1 / rounds])
    size = max(len(control) for control in controls)
    drawn = np.median(np.random.default_rng(0).choice(both, (_DRAWS, size)), axis=1)
    found = [statistics.median(control) for control in controls]
    edges = [*np.quantile(drawn, [0.001, 0.999]), *found, *(1 / ratio for ratio in found)]
    return [float(min(edges)), float(max(edges))]


def _call(session: Any, name: str, batch: npt.NDArray[Any], threads: int) -> Callable[[], float]:
    """A function that gives the seconds of one call, averaged over enough of them for the clock."""
    now, feed = clock(threads), {name: batch}
    for _ in range(3):
        session.run(None, feed)
    begun = now()
    session.run(None, feed)
    repeats = max(1, min(_MOST_REPEATS, round(_LEAST_S / max(now() - begun, 1e-6))))

    def call() -> float:
        begun = now()
        for _ in range(repeats):
            session.run(None, feed)
        return (now() - begun) / repeats

    return call
