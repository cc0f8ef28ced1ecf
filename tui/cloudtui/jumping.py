"""Where one can jump to on the screen: what takes keys, and the tabs above it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from textual.app import App
from textual.geometry import Offset
from textual.screen import Screen

from cloudtui.areas.tabbed import TabbedDetail
from cloudtui.dialogs.jump import LETTERS, JumpScreen, Mark


class Target(NamedTuple):
    """A place of the screen, and what going there is."""

    place: Offset
    go: Callable[[], object]


def targets(screen: Screen[Any]) -> list[Target]:
    """All of the screen, from top to bottom and from left to right."""
    found = [*_parts(screen), *_tabs(screen)]
    return sorted(found, key=lambda one: (one.place.y, one.place.x))[: len(LETTERS)]


def _parts(screen: Screen[Any]) -> Iterator[Target]:
    chain = screen.focus_chain
    around = {parent for widget in chain for parent in widget.ancestors}
    for widget in chain:
        seen = widget.region.intersection(screen.region)
        if seen and widget.is_on_screen and widget not in around:  # what is in it has a letter of its own
            yield Target(seen.offset, widget.focus)


def _tabs(screen: Screen[Any]) -> Iterator[Target]:
    for detail in screen.query(TabbedDetail):
        strip = detail.strip
        if detail.record is None or not strip.is_on_screen or not strip.region:
            continue
        for left, tab in strip.places():
            yield Target(strip.region.offset + Offset(left - 1, 0), _opener(detail, tab))


def _opener(detail: TabbedDetail, tab: str) -> Callable[[], None]:
    def go() -> None:
        detail.open_tab(tab)
        detail.focus_inside()

    return go


def jump(app: App[Any]) -> None:
    """Show a letter on each place, and go where the typed one stands."""
    there = dict(zip(LETTERS, targets(app.screen), strict=False))

    def chosen(letter: str | None) -> None:
        if letter in there:
            there[letter].go()

    app.push_screen(JumpScreen([Mark(letter, one.place) for letter, one in there.items()]), chosen)
