"""What parts of the screen tell each other. A message carries names and ids, never widgets of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.geometry import Offset
from textual.message import Message


class OpenArea(Message):
    """Go to an area, and there to one object if `key` says which."""

    def __init__(self, area: str, key: str | None = None) -> None:
        super().__init__()
        self.area = area
        self.key = key


class Perform(Message):
    """Carry out an action of the registry on what is selected; `arguments` are already known."""

    def __init__(self, action: str, arguments: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.action = action
        self.arguments = dict(arguments or {})


class ContextChanged(Message):
    """Something else is selected or focused: keys and menus may differ."""


class OpenContext(Message):
    """Open the menu of what is selected, beside this place of the screen."""

    def __init__(self, place: Offset) -> None:
        super().__init__()
        self.place = place


class OpenMenu(Message):
    """Open the menu at this place of the menu bar; the palette, if None."""

    def __init__(self, index: int | None) -> None:
        super().__init__()
        self.index = index
