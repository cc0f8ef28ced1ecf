"""The rows tab: pictures with their labels, or the cells of a table, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cloudtui import format as fmt
from cloudtui.areas.datasets.detail import DatasetTab
from cloudtui.bridge import Bridge
from cloudtui.reported import label
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.picture import Gallery, Picture
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.sanitize import clean_line

_PICTURES, _ROWS = 32, 100
_MOST_COLUMNS = 24
_PICTURE_ROWS = 8


class Page(NamedTuple):
    """Some rows of a split."""

    dataset_id: str
    split: str
    first: int
    rows: Sequence[Any]
    targets: Sequence[str | float]


class PreviewTab(DatasetTab):
    """A gallery or a table, and a line that says which rows these are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "page(1)", "Next rows", show=False),
        Binding("left", "page(-1)", "Rows before", show=False),
        Binding("s", "split", "Another split", show=False),
    ]
    HINTS = (("← →", "other rows"), ("s", "other split"), ("esc", "list"))

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.gallery = Gallery(most_rows=_PICTURE_ROWS)
        self.table = Table((Column("Row", 7, "right"),))
        self.foot = Foot()
        self.split = ""
        self.first = 0
        self._of: str | None = None

    def compose(self) -> ComposeResult:
        """One of both, and the line."""
        self.table.display = False
        yield self.notice
        yield self.gallery
        yield self.table
        yield self.foot

    def load(self) -> None:
        """Read a page, in a thread."""
        dataset, paths = self.dataset, self.bridge.paths
        if dataset is None or not dataset.splits:
            return
        if self._of != dataset.id:
            self._of, self.first = dataset.id, 0
            self.split = self.split if self.split in dataset.splits else next(iter(dataset.splits))
        split, first = self.split, self.first
        self.reader.ask(lambda: read_page(paths, dataset, split, first), self._show)

    def focus_inside(self) -> None:
        """The table takes the keys; over pictures the tab itself."""
        (self.table if self.table.display else self).focus()

    def action_page(self, direction: int) -> None:
        """The rows after these, or before."""
        dataset = self.dataset
        if dataset is not None:
            last = max(0, dataset.splits.get(self.split, 0) - 1)
            step = page_size(dataset)
            self.first = min(max(0, self.first + direction * step), last // step * step)
            self.load()

    def action_split(self) -> None:
        """The next split, from its beginning."""
        if self.dataset is not None and self.dataset.splits:
            names = list(self.dataset.splits)
            self.split = (
                names[(names.index(self.split) + 1) % len(names)] if self.split in names else names[0]
            )
            self.first = 0
            self.load()

    def fail(self, error: CloudtuiError) -> None:
        """Its arrays are not here."""
        super().fail(error)
        self.gallery.display = self.table.display = False

    def _show(self, page: Page) -> None:
        dataset = self.dataset
        if dataset is None or (page.dataset_id, page.split, page.first) != (
            dataset.id,
            self.split,
            self.first,
        ):
            return
        self.notice.display = False
        cells = bool(page.rows) and isinstance(page.rows[0], dict)
        had_focus = self.has_focus_within
        self.gallery.display, self.table.display = not cells, cells
        if cells:
            names = list(page.rows[0])[:_MOST_COLUMNS]
            self.table.restructure(columns_for(dataset, names))
            self.table.show([table_row(page, place, names) for place in range(len(page.rows))])
        else:
            self.gallery.show(
                [Picture(p, label(t, 16)) for p, t in zip(page.rows, page.targets, strict=True)]
            )
        if had_focus:
            self.focus_inside()
        whole = dataset.splits.get(page.split, 0)
        last = page.first + len(page.rows)
        self.foot.show(
            f"{page.split}: rows {fmt.count(page.first)}–{fmt.count(last - 1)} of {fmt.count(whole)}",
            "← → other rows  s other split",
        )


def page_size(dataset: Dataset) -> int:
    """Rows that are read at once."""
    return _ROWS if dataset.task == "tabular" else _PICTURES


def read_page(paths: Paths, dataset: Dataset, split: str, first: int) -> Page:
    """Rows from `first` on. Runs in a thread.

    Raises:
        CloudtuiError: the arrays are not on this machine, or damaged.
    """
    from cloudtui_engine.data import read_rows, read_targets

    rows = range(first, min(first + page_size(dataset), dataset.splits.get(split, 0)))
    return Page(
        dataset.id, split, first,
        read_rows(paths, dataset, split, rows), read_targets(paths, dataset, split, rows),
    )  # fmt: skip


def columns_for(dataset: Dataset, names: Sequence[str]) -> list[Column]:
    """Row, target, then as many inputs as fit: those at the end go first."""
    target = clean_line(str(dataset.target.get("name") or "target"), 14)
    kinds = {str(one.get("name")): one.get("kind") for one in dataset.columns}
    inputs = [
        Column(
            clean_line(name, 20), min(18, max(9, len(name))),
            "left" if kinds.get(name) == "category" else "right", rank=place + 1,
        )
        for place, name in enumerate(names)
    ]  # fmt: skip
    return [Column("Row", 7, "right"), Column(target, max(9, len(target)), "right"), *inputs]


def table_row(page: Page, place: int, names: Sequence[str]) -> Row:
    """A row of the table as cells."""
    cells = page.rows[place]
    values = [cells[name] for name in names]
    shown = [label(one if isinstance(one, float | None) else str(one), 18) for one in values]
    return Row(
        f"{page.split}:{page.first + place}",
        (
            (fmt.count(page.first + place), "muted"),
            (label(page.targets[place], 14), "accent"),
            *((text, "warn" if text == fmt.MISSING else "") for text in shown),
        ),
    )
