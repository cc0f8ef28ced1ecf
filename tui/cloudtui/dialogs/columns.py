"""Which columns the list of runs has, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from cloudtui import run_columns
from cloudtui.bridge import Bridge
from cloudtui.dialogs import STYLES
from cloudtui.widgets.choices import Choice, Choices
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

_LINES = 18


class ColumnsDialog(ModalScreen[tuple[str, ...] | None]):
    """Gives the names of the columns that are to be shown, in order; none: as they are without a choice."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("space", "turn", "Show or hide", show=False),
        Binding("shift+up,K", "carry(-1)", "Further left", show=False),
        Binding("shift+down,J", "carry(1)", "Further right", show=False),
        Binding("0", "dismiss(())", "As without a choice", show=False),
        Binding("enter", "take", "Take them", show=False),
    ]

    def __init__(self, shown: Sequence[str], known: Sequence[tuple[str, str]], view: str = "") -> None:
        """Choose columns.

        Args:
            shown: the names of those that are shown now, in order.
            known: the names of all, and what each of them is.
            view: whose they are; empty: of all runs.
        """
        super().__init__()
        about = dict(known)
        self._shown, self._before = list(shown), list(shown)
        self._about = {**{name: about.get(name, "") for name in shown}, **about}
        self._view = view

    def compose(self) -> ComposeResult:
        """Those that are shown first, as they stand; then the rest."""
        with Vertical(classes="dialog") as box:
            box.border_title = (
                f"Columns of the view {clean_line(self._view, 30)}" if self._view else "Columns of runs"
            )
            box.border_subtitle = "space show  J K move  0 reset  enter take"
            self._list = Choices(self._lines())
            self._list.styles.height = min(_LINES, len(self._about))
            yield self._list

    @property
    def _names(self) -> list[str]:
        return [*self._shown, *(name for name in self._about if name not in self._shown)]

    def _lines(self) -> list[Choice]:
        return [
            Choice(name, f"{'✓' if name in self._shown else ' '} {clean_line(name, 60)}", self._about[name])
            for name in self._names
        ]

    def _draw(self, name: str) -> None:
        """Draw it anew, with the cursor on this one."""
        self._list.show(self._lines())
        self._list.go(self._names.index(name))

    def action_move(self, step: int) -> None:
        """Another line."""
        last = len(self._list.choices) - 1
        self._list.go(max(0, min(self._list.cursor + step, last)))

    def action_turn(self) -> None:
        """Show what is under the cursor behind the others, or hide it."""
        name = self._list.chosen
        if name is not None:
            self._turn(name)

    def _turn(self, name: str) -> None:
        place = self._list.cursor
        if name in self._shown:
            self._shown.remove(name)
            self._draw(self._names[place])  # the next one is under the cursor
        else:
            self._shown.append(name)
            self._draw(name)  # the cursor goes with it: it may be wanted further left

    def action_carry(self, step: int) -> None:
        """Further to the left or to the right."""
        name = self._list.chosen
        if name in self._shown:
            place = self._shown.index(name)
            self._shown.remove(name)
            self._shown.insert(max(0, place + step), name)
            self._draw(name)

    def action_take(self) -> None:
        """These; where none is left, those without a choice; where nothing changed, all stays as it is."""
        self.dismiss(None if self._shown == self._before else tuple(self._shown))

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A line was clicked."""
        self._turn(event.value)

    def on_key(self, event: events.Key) -> None:
        """A letter: the next name that begins with it, or whose last part does."""
        letter = event.character or ""
        if not letter.isalpha() or not letter.islower():
            return
        names, here = self._names, self._list.cursor
        for name in [*names[here + 1 :], *names[: here + 1]]:
            if name.startswith(letter) or name.partition(".")[2].startswith(letter):
                event.stop()
                self._list.go(names.index(name))
                return


def _read(catalog: Catalog, view: str) -> ColumnsDialog:
    from cloudtui_engine.catalog import finding, views

    words = finding.vocabulary(catalog)
    known = [(one.id, one.about) for one in run_columns.known(words.params, words.metrics)]
    own = run_columns.usable(views.find(catalog, view).columns) if view else ()
    return ColumnsDialog(own or run_columns.kept(catalog.settings.get(run_columns.KEY)), known, view)


async def ask(app: App[Any], bridge: Bridge, view: str = "") -> dict[str, Any] | None:
    """What the person chose, as arguments of `view.columns`; None leaves all as it is."""
    dialog = await bridge.in_thread(_read, bridge.catalog, view)
    chosen: tuple[str, ...] | None = await app.push_screen_wait(dialog)
    if chosen is None:
        return None
    return {"columns": ",".join(chosen)} if chosen else {"reset": True}
