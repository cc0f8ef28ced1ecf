"""The line above a panel: what and how many at the left, what is shown of it, how old at the right."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from cloudtui.widgets.lines import OneLine, Runs


class Head(OneLine):
    """`Runs 214 · 3 live ────────── / status:live ────────── seen 2s ago`."""

    DEFAULT_CSS = "Head { height: 1; }"

    def __init__(self, title: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: tuple[str, str, str, str, bool] = (title, "", "", "muted", False)

    def show(self, title: str, middle: str = "", right: str = "", right_style: str = "muted") -> None:
        """Draw these parts, if they are others than before."""
        self._set((title, middle, right, right_style, self._parts[4]))

    def focused(self, value: bool) -> None:
        """The panel below has the focus."""
        self._set((*self._parts[:4], value))

    def _set(self, parts: tuple[str, str, str, str, bool]) -> None:
        if parts != self._parts:
            self._parts = parts
            self.refresh()

    def line(self) -> Runs:
        """The one line."""
        title, middle, right, right_style, focused = self._parts
        width = self.size.width
        rule = "accent" if focused else "rule"
        room = max(0, width - cell_len(title) - 3)
        right = right if cell_len(right) + 2 <= room else ""
        room -= cell_len(right) + 2 if right else 0
        if middle and cell_len(middle) + 4 > room:
            middle = set_cell_size(middle, room - 5) + "…" if room > 12 else ""
        name, _, rest = title.partition(" ")
        runs = [(" ", ""), (name, "*accent" if focused else "title"), (f" {rest} " if rest else " ", "muted")]
        fill = width - sum(cell_len(text) for text, _ in runs) - (cell_len(right) + 2 if right else 0)
        if middle:
            runs += [("─ ", rule), (middle, "accent"), (" ", "")]
            fill -= cell_len(middle) + 3
        runs.append(("─" * max(0, fill - (0 if right else 1)), rule))
        if right:
            runs += [(f" {right} ", right_style)]
        return runs
