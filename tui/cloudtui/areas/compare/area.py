"""The area of comparisons: the runs that were marked, beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from cloudtui.areas.area import Area
from cloudtui.areas.compare import chosen as memory
from cloudtui.areas.compare import rows
from cloudtui.areas.compare.chosen import Chosen
from cloudtui.areas.compare.compared import Compared, Member, read, without
from cloudtui.areas.compare.detail import CompareDetail
from cloudtui.areas.compare.look import FocusRun, LookAt
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.areas.wishing import WishingTable
from cloudtui.bridge import Bridge
from cloudtui.messages import OpenArea
from cloudtui.widgets.table import Row, Table

KEYS = {
    "b": ("baseline", "Measure the others against this run"),
    "g": ("group", "Group by another setting"),
    "v": ("metric", "View another metric"),
    "x": ("take_out", "Take this run out"),
    "delete": ("take_out", "Take this run out"),
    "o": ("open_run", "Go to this run"),
}
_EVERYWHERE = frozenset("gv")
"""Those that concern no single run work in the tabs, too."""


class CompareTable(WishingTable):
    """The compared runs; its own keys do what is said of the area."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"wish('{name}')", text, show=False) for key, (name, text) in KEYS.items()
    ]
    HINTS = (("b", "baseline"), ("g", "group"), ("v", "metric"), ("x", "take out"), ("o", "go to it"))


class CompareArea(Area):
    """The compared runs, and what differs, their curves and what each reached."""

    ID = "compare"
    NOUN = "run"
    TITLE = "Compare"
    COLUMNS = rows.COLUMNS
    TOPICS: ClassVar[frozenset[str]] = frozenset({"run", "setting"})
    EMPTY = (
        "Nothing is compared yet",
        "Here runs stand beside each other: what differs in their settings, their curves, what each reached.",
        "3 runs: space marks those to compare, then c",
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.pane.table = CompareTable(self.COLUMNS)
        self._unsaved: Chosen | None = None

    def make_detail(self) -> Detail:
        """Tabs of the comparison."""
        return CompareDetail(self.bridge)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """The chosen runs whose name holds the filter, in the wanted order."""
        catalog = bridge.catalog
        compared = read(catalog, memory.load(catalog))
        members = [Member(compared, place) for place in range(len(compared.found.runs))]
        shown = [one for one in members if request.filter.lower() in one.name.lower()]
        key = _SORTS.get(request.sort.removeprefix("-"))
        if key is not None:
            shown.sort(key=key, reverse=request.sort.startswith("-"))
        gone = f"{compared.gone} not in this catalog any more" if compared.gone else ""
        return Listing(shown, 0, len(shown), gone, extra=compared)

    def row(self, record: Member, now: float) -> Row:
        """A run as cells."""
        return rows.member_row(record, now)

    def freshness(self, now: float) -> tuple[str, str]:  # noqa: ARG002 - as the area has it
        """Which metric the figures are of."""
        compared = self.compared
        return (rows.title(compared) if compared else ""), "muted"

    @property
    def compared(self) -> Compared | None:
        """What is compared, once it has been read."""
        found = self.listing.extra if self.listing else None
        return found if isinstance(found, Compared) else None

    def selected(self) -> list[Any]:
        """The runs: actions go to them."""
        return [member.run for member in super().selected()]

    def meant(self, action: str) -> list[Any]:
        """The whole comparison is exported, unless some of its runs are marked."""
        if action == "run.export" and self.compared is not None and not self.pane.table.marked:
            return list(self.compared.found.runs)
        return self.selected()

    def select(self, key: str) -> None:
        """Put the cursor on this run of what is compared by now: a read-only desktop announces no change."""
        super().select(key)
        if self.listing is not None:
            self.reload()

    # Reading, and remembering what was chosen

    def changed(self, topics: frozenset[str]) -> None:
        """Points of a live run change its figures, too."""
        runs = self.compared.found.runs if self.compared else ()
        if topics & self.TOPICS or any(f"metric:{run.id}" in topics for run in runs):
            self.reload()
        self.detail.changed(topics)

    def reload(self) -> None:
        """Remember what was chosen here, then read it: one after the other, whatever comes between."""
        request, unsaved = self.request, self._unsaved

        def work() -> Listing:
            if unsaved is not None:
                memory.save(self.bridge.catalog, unsaved)
            return self.fetch(self.bridge, request)

        self._reader.ask(work, self._loaded)

    def _loaded(self, listing: Listing) -> None:
        if isinstance(listing.extra, Compared) and listing.extra.chosen == self._unsaved:
            self._unsaved = None
        self.pane.table.marked &= {member.id for member in listing.records}
        super()._loaded(listing)

    def _choose(self, change: Callable[[Chosen], Chosen]) -> None:
        if self.compared is not None:
            self._unsaved = change(self._unsaved or self.compared.chosen)
            self.reload()

    def _as_chosen(self) -> Compared | None:
        """The comparison with what was chosen since it was read."""
        if self.compared is None or self._unsaved is None:
            return self.compared
        return replace(self.compared, chosen=self._unsaved)

    # What its keys ask for

    def on_key(self, event: events.Key) -> None:
        """Its own keys come before the registry's, which the app carries out before it looks at bindings."""
        everywhere = event.key in _EVERYWHERE and self.detail.has_focus_within
        if event.key in KEYS and (everywhere or self.pane.table.has_focus):
            event.stop()
            event.prevent_default()
            self.wish(KEYS[event.key][0])

    def on_wishing_table_wished(self, event: WishingTable.Wished) -> None:
        """A key of the table."""
        event.stop()
        self.wish(event.name)

    def wish(self, name: str) -> None:
        """Do what one of `KEYS` stands for."""
        compared, at = self._as_chosen(), self.pane.table.cursor_key
        if compared is None or at is None:
            return
        if name == "baseline":
            self._choose(lambda chosen: replace(chosen, baseline=at))
        elif name == "take_out":
            taken = sorted(self.pane.table.marked) or [at]
            self._choose(lambda chosen: _without_all(chosen, taken))
        elif name == "group":
            way = _after(compared.ways, compared.way)
            self._choose(lambda chosen: replace(chosen, way=way))
        elif name == "metric":
            keys = [one.key for one in compared.found.metrics]
            if compared.metric is not None:
                self.look_at(_after(keys, compared.metric))
        else:
            self.post_message(OpenArea("runs", at))

    def look_at(self, metric: str) -> None:
        """Show this metric."""
        self._choose(lambda chosen: replace(chosen, metric=metric))

    def on_look_at(self, event: LookAt) -> None:
        """A metric was opened in a tab."""
        event.stop()
        self.look_at(event.metric)

    def on_focus_run(self, event: FocusRun) -> None:
        """A tab went to another run."""
        event.stop()
        self.pane.table.select(event.run)

    def on_table_opened(self, event: Table.Opened) -> None:
        """To the run; where the comparison is not beside the list, to the comparison."""
        if event.table is self.pane.table:
            event.stop()
            if self.detail.display:
                self.post_message(OpenArea("runs", event.key))
            else:
                self.open_detail()


def _after(names: list[str], name: str) -> str:
    return names[(names.index(name) + 1) % len(names)]


def _without_all(chosen: Chosen, taken: list[str]) -> Chosen:
    for one in taken:
        chosen = without(chosen, one)
    return chosen


def _number(value: float | None) -> tuple[bool, float]:
    return (value is None or not math.isfinite(value), value if value is not None else 0.0)


def _last(member: Member) -> tuple[bool, float]:
    outcome = member.compared.outcome
    return _number(outcome.last[member.place] if outcome else None)


def _best(member: Member) -> tuple[bool, float]:
    outcome = member.compared.outcome
    return _number(outcome.figures[member.place] if outcome else None)


_SORTS: dict[str, Callable[[Member], Any]] = {
    "name": lambda member: member.name.lower(),
    "last": _last,
    "best": _best,
    "delta": _best,
}
