"""The last line: the keys of what is focused, and at the right what the whole program is at."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events

from cloudtui.messages import Perform
from cloudtui.widgets.lines import OneLine, Runs


class StatusBar(OneLine):
    """` s stop  a again  / filter  ? help          ● 3 links  $1.90/h`."""

    DEFAULT_CSS = "StatusBar { height: 1; dock: bottom; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys: tuple[tuple[str, str, str], ...] = ()
        self._state: tuple[tuple[str, str], ...] = ()
        self._places: list[tuple[int, int, str]] = []

    def keys(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """(key, label, action id), the most useful first: what does not fit is left out."""
        if tuple(keys) != self._keys:
            self._keys = tuple(keys)
            self.refresh()

    def state(self, parts: Sequence[tuple[str, str]]) -> None:
        """(text, style) pairs at the right."""
        if tuple(parts) != self._state:
            self._state = tuple(parts)
            self.refresh()

    def line(self) -> Runs:
        """The one line."""
        width = self.size.width
        state = sum(cell_len(text) + 2 for text, _ in self._state)
        runs: list[tuple[str, str]] = [(" ", "")]
        used = 1
        self._places = []
        # `? help` is always there: it leads to everything that did not fit.
        kept = [key for key in self._keys if key[0] == "?"]
        for key, label, action in [*(k for k in self._keys if k[0] != "?"), *kept]:
            size = cell_len(key) + cell_len(label) + 3
            reserve = 0 if key == "?" else sum(cell_len(k) + cell_len(t) + 3 for k, t, _ in kept)
            if used + size + reserve > width - state:
                continue
            runs += [(key, "accent"), (f" {label}  ", "muted")]
            self._places.append((used, used + size, action))
            used += size
        runs.append((" " * max(1, width - used - state), ""))
        for text, style in self._state:
            runs += [(text, style), ("  ", "")]
        return runs

    def on_click(self, event: events.Click) -> None:
        """A click on a key is that key."""
        for start, end, action in self._places:
            if start <= event.x < end and action:
                self.post_message(Perform(action))
