"""What two models answered on the same rows, where the files that say so lie on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data.rows import read_targets
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.dataset import Dataset
from cloudtui_features.paired import Paired, compare, rows_needed
from cloudtui_features.paired_errors import PairedErrors, compare_errors

__all__ = [
    "MOST_BYTES", "Answered", "Paired", "PairedErrors", "pair_answers", "pair_numbers", "rows_that_could",
]  # fmt: skip
_ROUNDED = 1e-4
"""Answers are written with seven digits: so far, as a share, their error may be from the report's."""

MOST_BYTES = 256 * 2**20
"""A file with the answers of more rows is not read."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model left about a split: the file with its answers, and the report that they have to fit."""

    name: str
    file: Path
    report: Mapping[str, Any]


def pair_answers(paths: Paths, dataset: Dataset, split: str, first: Answered, second: Answered) -> Paired:
    """How much more often the second one is right than the first, and how surely.

    Raises:
        NotFoundError: the truth lies only on a host.
        BadInputError: the truth or the answers are not here, or do not fit their report.
    """
    rows = range(int(dataset.splits.get(split, 0)))
    truth = [str(label) for label in read_targets(paths, dataset, split, rows)]
    return compare(*(_right(one, split, truth) for one in (first, second)))


def pair_numbers(
    paths: Paths, dataset: Dataset, split: str, first: Answered, second: Answered
) -> PairedErrors:
    """How much smaller the second one's errors are than the first one's, and how surely.

    Raises:
        NotFoundError: the truth lies only on a host.
        BadInputError: the truth or the answers are not here, or do not fit their report.
    """
    rows = range(int(dataset.splits.get(split, 0)))
    truth = np.array(read_targets(paths, dataset, split, rows), dtype=np.float64)
    return compare_errors(truth, _near(first, split, truth), _near(second, split, truth))


def _near(one: Answered, split: str, truth: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What it predicted. A host wrote all of this: it has to fit the report's mean error."""
    said = _answers(one, split, "iuf").astype(np.float64)
    metrics = one.report.get("metrics")
    told = metrics.get("mae") if isinstance(metrics, Mapping) else None
    if (
        len(said) != len(truth)
        or not len(said)
        or not np.isfinite(said).all()
        or not isinstance(told, int | float)
    ):
        raise _unfit(one)
    if not np.isclose(np.abs(said - truth).mean(), told, rtol=_ROUNDED, atol=_ROUNDED * np.abs(truth).max()):
        raise _unfit(one)
    return said


def rows_that_could(found: Paired, points: float) -> int:
    """How many rows would show that a model which is just as good loses less than so many points."""
    return rows_needed(points / 100, found.discordance)


def _right(one: Answered, split: str, truth: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows it had right. A host wrote all of this: it has to fit itself, row by row."""
    classes, confusion = one.report.get("classes"), one.report.get("confusion")
    labels = (
        [str(c.get("label")) for c in classes if isinstance(c, Mapping)] if isinstance(classes, list) else []
    )
    places = {label: place for place, label in enumerate(labels)}
    said = _answers(one, split, "i").astype(np.int64)
    known = all(label in places for label in set(truth))
    within = not len(said) or 0 <= int(said.min()) <= int(said.max()) < len(labels)
    if len(said) != len(truth) or not known or not within:
        raise _unfit(one)
    true = np.array([places[label] for label in truth], dtype=np.int64)
    counted = np.bincount(true * len(labels) + said, minlength=len(labels) ** 2)
    if counted.reshape(len(labels), len(labels)).tolist() != confusion:
        raise _unfit(one)
    right: npt.NDArray[np.bool_] = true == said
    return right


def _answers(one: Answered, split: str, kinds: str) -> npt.NDArray[Any]:
    """A number a row, of these kinds of numpy's."""
    try:
        if one.file.stat().st_size > MOST_BYTES:
            raise BadInputError(f"The answers of {one.name} are too many to be read here.", "")
        found = json.loads(one.file.read_bytes())["predictions"][split]
        answers = np.array(found)
    except OSError as error:
        raise BadInputError(
            f"The answers of {one.name} cannot be read: {error.strerror or error}.", "Fetch its files again."
        ) from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _unfit(one) from None
    if answers.ndim != 1 or (len(answers) and answers.dtype.kind not in kinds):
        raise _unfit(one)
    return answers


def _unfit(one: Answered) -> BadInputError:
    return BadInputError(f"The answers that {one.name} left do not fit its report.", "Evaluate it again.")
