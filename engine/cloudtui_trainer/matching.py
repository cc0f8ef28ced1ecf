"""Whether a model can be judged on a dataset, and how the dataset's rows and labels become the model's.

Names decide, not places: the same labels or columns in another order are the same. What the model has never
seen is refused where it would be an answer (a label), and counts as missing where it is a question (a word).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.given import GivenModel

Rows = npt.NDArray[Any]


class IncompatibleError(TrainerError):
    """The model cannot be judged on this dataset."""


@dataclass
class Matched:
    """How to turn a dataset's rows and targets into the model's."""

    rows: Callable[[Rows], Rows]
    targets: Callable[[Rows], Rows]
    unseen: dict[str, int] = field(default_factory=dict)
    """Cells so far, by column, with a word that the model has never seen."""
    notes: list[str] = field(default_factory=list)

    def told(self) -> list[str]:
        """All that is to be known of the match, in sentences."""
        words = [
            f"Column {name!r} has {count:,} cell{'s' if count > 1 else ''} with a category that the model "
            "has never seen, taken as missing."
            for name, count in self.unseen.items()
            if count
        ]
        return [*self.notes, *words]


def match(
    model: GivenModel, manifest_features: dict[str, Any], labels: Sequence[str], target: Any
) -> Matched:
    """How a dataset becomes the model's.

    Args:
        model: what is to be judged.
        manifest_features: the dataset's fitted numbers.
        labels: the dataset's classes.
        target: of a table: its name and kind; else nothing.

    Raises:
        IncompatibleError: it cannot be judged there; the message names what is in the way.
    """
    if model.task == "image":
        _same_shape(model.features["shape"], manifest_features["shape"])
        return Matched(lambda rows: rows, _labels(model.labels, labels))
    kind, name = target.get("kind"), target.get("name")
    if kind != model.target.get("kind") or (model.is_number and name != model.target.get("name")):
        raise IncompatibleError(
            f"The model predicts {_told(model.target)}, the target of the dataset is {_told(target)}."
        )
    found = Matched(lambda rows: rows, (lambda y: y) if model.is_number else _labels(model.labels, labels))
    found.rows = _columns(model.features["columns"], manifest_features["columns"], found)
    return found


def _same_shape(wanted: Sequence[int], given: Sequence[int]) -> None:
    if list(wanted) != list(given):
        raise IncompatibleError(
            f"The model takes pictures of {_sides(wanted)} (channels x height x width), the dataset has "
            f"{_sides(given)}.",
            "Prepare the dataset in the model's size.",
        )


def _labels(wanted: Sequence[str], given: Sequence[str]) -> Callable[[Rows], Rows]:
    number = {label: at for at, label in enumerate(wanted)}
    unknown = [label for label in given if label not in number]
    if unknown:
        raise IncompatibleError(
            f"The model does not know the label{'s' if len(unknown) > 1 else ''} {_listed(unknown)}.",
            f"It knows {_listed(wanted)}.",
        )
    places = np.array([number[label] for label in given], dtype=np.int64)
    return lambda targets: places[targets]


def _columns(
    wanted: Sequence[dict[str, Any]], given: Sequence[dict[str, Any]], matched: Matched
) -> Callable[[Rows], Rows]:
    place = {column["name"]: at for at, column in enumerate(given)}
    missing = [column["name"] for column in wanted if column["name"] not in place]
    if missing:
        raise IncompatibleError(
            f"The dataset lacks the column{'s' if len(missing) > 1 else ''} {_listed(missing)} of the model.",
            f"It has {_listed(list(place))}.",
        )
    for column in wanted:
        other = given[place[column["name"]]]
        if (other["kind"], other.get("unit")) != (column["kind"], column.get("unit")):
            raise IncompatibleError(
                f"Column {column['name']!r} is a {_kind(column)} for the model, but a {_kind(other)} here."
            )
    names = {column["name"] for column in wanted}
    if passed := [name for name in place if name not in names]:
        matched.notes.append(f"Columns that the model does not take: {_listed(passed)}.")
    places = [place[column["name"]] for column in wanted]
    codes = {
        at: (column["name"], _codes(column["vocabulary"], given[places[at]]["vocabulary"]))
        for at, column in enumerate(wanted)
        if column["kind"] == "category"
    }

    def turned(rows: Rows) -> Rows:
        done = rows[:, places]
        for at, (name, table) in codes.items():
            before = done[:, at].astype(np.int64)
            done[:, at] = table[before]
            unseen = int(((before > 0) & (done[:, at] == 0)).sum())
            matched.unseen[name] = matched.unseen.get(name, 0) + unseen
        return done

    return turned


def _codes(wanted: Sequence[str], given: Sequence[str]) -> npt.NDArray[np.float32]:
    """The model's code of each of the dataset's codes; 0 where it knows no such word."""
    number = {word: at + 1 for at, word in enumerate(wanted)}
    return np.array([0, *(number.get(word, 0) for word in given)], dtype=np.float32)


def _told(target: dict[str, Any]) -> str:
    return f"{target.get('name')!r}, {'a number' if target.get('kind') == 'number' else 'classes'}"


def _kind(column: dict[str, Any]) -> str:
    return f"{column['kind']} ({column['unit']})" if column.get("unit") else str(column["kind"])


def _sides(shape: Sequence[int]) -> str:
    return " x ".join(str(side) for side in shape)


def _listed(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
