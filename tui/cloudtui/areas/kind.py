"""What one area says of itself; what all do with it is in `area`."""

from __future__ import annotations

from typing import Any, ClassVar

from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.bridge import Bridge
from cloudtui.widgets.table import Column, Row


class Kind:
    """Which records an area lists, and how it shows, orders and names them."""

    ID: ClassVar[str]
    NOUN: ClassVar[str]
    """What its records are to the registry of actions."""
    TITLE: ClassVar[str]
    COLUMNS: ClassVar[tuple[Column, ...]]
    TOPICS: ClassVar[frozenset[str]]
    """Changes of these are changes of the list."""
    SORT: ClassVar[str] = ""
    """The order that it begins with."""
    EMPTY: ClassVar[tuple[str, str, str]] = ("", "", "")
    """What this is, a sentence more, the action to begin with."""

    def make_detail(self) -> Detail:
        """The widget for one record."""
        raise NotImplementedError

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """Read records; runs in a thread."""
        raise NotImplementedError

    def row(self, record: Any, now: float) -> Row:
        """A record as cells."""
        raise NotImplementedError

    def given(self, action: str) -> dict[str, Any]:  # noqa: ARG002 - for those that need it
        """What is known of an action's arguments beside what is selected."""
        return {}

    @property
    def title(self) -> str:
        """What is listed."""
        return self.TITLE

    @property
    def empty(self) -> tuple[str, str, str]:
        """What is said where nothing is listed."""
        return self.EMPTY

    def freshness(self, now: float) -> tuple[str, str]:  # noqa: ARG002 - for those that need it
        """How old what is shown may be, and its style, for the right end of the head."""
        return "", "muted"

    @classmethod
    def ordered(cls, request: Request) -> tuple[str, str]:
        """The order that counts, and the filter without one; UsageError where the filter cannot be read."""
        return request.sort, request.filter
