"""What the user chose, applied to the desktop: its theme, its keys, and whether it only reads."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.keys import _character_to_key

from cloudtui import actions, layout
from cloudtui.actions import settled
from cloudtui.actions.preferences import READ_ONLY, THEME
from cloudtui.bridge import Bridge
from cloudtui.layout import Layout
from cloudtui.menus import OWN
from cloudtui_engine.errors import RefusedError

_SEALED = "This desktop is read-only. Start it without --read-only to change something."
_SET = "This desktop is read-only. Settings, Read only, lets it change things again."


class Chosen:
    """The settings of one desktop; read once before the first paint, and after each change of them."""

    def __init__(self, app: App[Any], bridge: Bridge, *, sealed: bool) -> None:
        self._app = app
        self._bridge = bridge
        self._sealed = sealed
        self.kept: dict[str, Any] = bridge.catalog.settings.all()
        self._adapt()

    @property
    def read_only(self) -> bool:
        """This desktop changes nothing."""
        return self._sealed or bool(self.value(READ_ONLY))

    @property
    def look(self) -> str:
        """The name of the theme."""
        return f"cloudtui-{self.value(THEME)}"

    @property
    def layout(self) -> Layout:
        """How the desktop was left."""
        return layout.read(self.kept.get(layout.KEY))

    def value(self, key: str) -> Any:
        """A setting, or what it is without the user."""
        return settled.value(self.kept, key)

    def heed(self, topics: frozenset[str]) -> None:
        """Something was written: settings may be others."""
        if "setting" not in topics:
            return
        before, self.kept = self.kept, self._bridge.catalog.settings.all()
        keys = (before.keys() | self.kept.keys()) - {layout.KEY}
        if any(before.get(key) != self.kept.get(key) for key in keys):
            self._adapt()
            self.apply()
            if before.get(THEME) != self.kept.get(THEME):
                self._app.theme = self.look

    def apply(self) -> None:
        """Give the desktop's own bindings the user's keys."""
        self._app.set_keymap({
            name: ",".join(_key(one) for one in keys) or _NO_KEY
            for name, keys in settled.rebound(self.kept).items()
            if name in OWN
        })  # fmt: skip

    def remember(self, key: str, value: Any) -> None:
        """Keep a value of the desktop itself, where it may be kept.

        Raises:
            CatalogError: it cannot be written; the desktop goes on without.
        """
        if not self._sealed:
            self._bridge.catalog.settings.set(key, value)

    def turn_theme(self) -> None:
        """The light one, or from it the dark one.

        Raises:
            CatalogError: it is so until the desktop closes, and not kept.
        """
        look = "light" if self._app.theme != "cloudtui-light" else "dark"
        self._app.theme = f"cloudtui-{look}"
        self.kept = {**self.kept, THEME: look}
        self.remember(THEME, look)

    def _adapt(self) -> None:
        why = _SEALED if self._sealed else _SET if self.value(READ_ONLY) else ""
        actions.adapt(settled.rebound(self.kept), read_only=why, sealed=self._sealed)
        catalog = self._bridge.catalog
        catalog.open_topics = frozenset() if self._sealed else frozenset({"setting", "action"})
        catalog.sealed = RefusedError(*why.split(". ", 1), code="read_only") if why else None


_NO_KEY = "f24"
"""A key that no keyboard has: Textual takes an empty one for the default."""


def _key(text: str) -> str:
    """A key as Textual calls it."""
    return _character_to_key(text) if len(text) == 1 else text
