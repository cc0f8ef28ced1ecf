"""What the model was shown where it erred: pictures, or the cells of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudtui.areas.evaluation.judged import Judged
from cloudtui.reported import label, mappings, number

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

MOST = 8
"""Pictures that are read at once."""


class Inputs(NamedTuple):
    """What the model was shown: pictures, or the cells of one row."""

    key: tuple[str, tuple[int, ...]]
    pictures: tuple[Any, ...] = ()
    cells: Mapping[str, Any] | None = None


def errors_of(judged: Judged) -> list[Mapping[str, Any]]:
    """The errors that are looked at, worst first."""
    found = mappings(judged.report.get("errors"))
    if judged.cell is None:
        return found
    return [
        one for one in found if (label(one.get("truth"), 24), label(one.get("predicted"), 24)) == judged.cell
    ]


def rows_of(errors: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """Which rows of the split they are."""
    return tuple(one["index"] for one in errors if isinstance(one.get("index"), int))


def read_inputs(catalog: Catalog, judged: Judged, rows: Sequence[int]) -> Inputs:
    """The raw inputs of some rows. Runs in a thread.

    Raises:
        CloudtuiError: the data are not in this catalog, not on this machine, or have no such row.
    """
    from cloudtui_engine.data import read_rows
    from cloudtui_engine.errors import NotFoundError

    if judged.dataset_id is None:
        raise NotFoundError("It is not known which rows these are.", "The run names no dataset.")
    dataset = catalog.datasets.get(judged.dataset_id)
    if dataset.task == "tabular":
        found = read_rows(catalog.paths, dataset, judged.split, rows[:1])
        cells = found[0]
        return Inputs((judged.id, tuple(rows)), cells=cells if isinstance(cells, dict) else {})
    return Inputs((judged.id, tuple(rows)), tuple(read_rows(catalog.paths, dataset, judged.split, rows)))


def caption(error: Mapping[str, Any]) -> str:
    """How sure it was, and of what."""
    sure = number(error.get("confidence"))
    text = label(error.get("predicted"), 12)
    return f"{sure:.2f} {text}" if sure is not None else text
