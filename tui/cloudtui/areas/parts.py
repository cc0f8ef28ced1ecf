"""What an area is made of: a request, the listing that answers it, and the detail of one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from textual.widget import Widget


class Listing(NamedTuple):
    """A window of an area's records."""

    records: Sequence[Any]
    base: int = 0
    total: int = 0
    note: str = ""
    """What the title says beside the number: `3 live`."""
    view: str = ""
    """The name under which somebody saved this filter."""
    filtered: bool = False
    extra: Any = None


class Request(NamedTuple):
    """Which records are wanted."""

    filter: str = ""
    sort: str = ""
    first: int = 0
    trash: bool = False
    """Those that were deleted, instead of the rest."""


class Detail(Widget):
    """What is shown of one record."""

    ALLOW_MAXIMIZE = True

    def show(self, record: Any) -> None:
        """Show this record, which may be the one that is shown, or None."""
        raise NotImplementedError

    def changed(self, topics: frozenset[str]) -> None:
        """Something was written: look at what concerns the record."""

    def tick(self) -> None:
        """A second went by: ages are older."""

    @property
    def tab(self) -> str:
        """The tab that was chosen; empty where there are none, or nobody chose."""
        return ""

    def begin(self, tab: str) -> None:
        """Begin with this tab, where there is such a one."""

    def focus_inside(self) -> None:
        """Take the focus."""
        self.focus()

    def turn(self, step: int) -> None:
        """The tab before or after the one that is shown, where there are tabs."""
