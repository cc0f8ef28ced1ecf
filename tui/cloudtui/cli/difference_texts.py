"""The difference of two models as text for people."""

from __future__ import annotations

from cloudtui import format as words
from cloudtui.cli.tables import Column, pairs, table
from cloudtui.differing import Figure, ModelDifference, change, rows_of, sentences, shown
from cloudtui.reported import TITLES
from cloudtui_engine.sanitize import clean_line

Lines = list[str]
_MOST_CELLS = 10
_MARKS = {True: "✓ better", False: "✗ worse", None: ""}


def difference(found: ModelDifference, cells: int | None) -> Lines:
    """Both models, what follows, then metrics, classes and the cells that changed most."""
    said = pairs(
        [
            ("Model", clean_line(found.first.model)),
            ("Other", clean_line(found.second.model)),
            ("Rows", rows_of(found.first)),
        ]
    )
    said += ["", *(one for one in sentences(found) if one)]
    rows = [
        [TITLES.get(one.key, clean_line(one.key)), *_beside(one), _MARKS[one.better]] for one in found.metrics
    ]
    numbers = [Column(title, right=True) for title in ("Model", "Other", "Delta")]
    said += ["", *table([Column("Metric"), *numbers, Column("")], rows, cells)]
    for part in (_classes(found, cells), _cells(found, cells)):
        said += ["", *part] if part else []
    return said


def _beside(one: Figure) -> list[str]:
    return [shown(one.key, one.first), shown(one.key, one.second), change(one)]


def _classes(found: ModelDifference, cells: int | None) -> Lines:
    rows = [
        [clean_line(one.label), *(change(part) for part in one.figures), words.count(one.rows)]
        for one in found.classes
    ]
    titles = ("Precision", "Recall", "F1", "Rows")
    return (
        table([Column("Class, points"), *(Column(t, right=True) for t in titles)], rows, cells)
        if rows
        else []
    )


def _cells(found: ModelDifference, cells: int | None) -> Lines:
    """Mistakes that became more or fewer, the largest changes first."""
    changed = [
        (count, truth, said)
        for truth, row in zip(found.labels, found.cells, strict=True)
        for said, count in zip(found.labels, row, strict=True)
        if count and truth != said
    ]
    changed.sort(key=lambda one: (-abs(one[0]), one[1:]))
    rows = [[truth, said, f"{count:+,}"] for count, truth, said in changed[:_MOST_CELLS]]
    columns = [Column("Truth"), Column("Taken for"), Column("Rows", right=True)]
    return table(columns, rows, cells) if rows else []
