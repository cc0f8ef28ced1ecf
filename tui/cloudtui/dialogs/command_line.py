"""The line `:` at the foot of the screen, what may stand there above it, and below it what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input, Static

from cloudtui.commanding.offering import Known, Offer, accepted, offers
from cloudtui.commanding.words import LineError
from cloudtui.dialogs import STYLES
from cloudtui.widgets.choices import Choice, Choices
from cloudtui.widgets.line_parts import Hint, Mark, Offers, column_of
from cloudtui.widgets.ordered_input import OrderedInput

_KEYS = "tab what may stand here   ↑ used before   enter do it   esc leave"
SETTLE_S = 0.1
_ROOM = 10
"""Offers that are seen at once."""

Act = Callable[[], None]


class CommandLine(ModalScreen[Act | None]):
    """A line that is completed, and marked where it is wrong. Gives what `enter` is to do.

    Args:
        known: what is offered until more is known.
        check: raises `LineError` where a line cannot be carried out.
        find: what a line is to do, with all that it names found; raises `LineError`, and then the line stays.
    """

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Close", show=False, priority=True),
        Binding("tab", "take", "What may stand here", show=False, priority=True),
        Binding("down", "move(1)", "Down", show=False, priority=True),
        Binding("up", "move(-1)", "Up, or used before", show=False, priority=True),
        Binding("ctrl+r", "again", "Used before", show=False, priority=True),
    ]

    def __init__(
        self, known: Known, check: Callable[[str], object], find: Callable[[str], Awaitable[Act]]
    ) -> None:
        super().__init__()
        self.known = known
        self._check_line = check
        self._find = find
        self._mark = Mark()
        self.input = OrderedInput(
            placeholder="runs, run NAME, run tag NAME TAG, …", compact=True, select_on_focus=False,
            highlighter=self._mark,
        )  # fmt: skip
        self.hint = Hint(_KEYS)
        self.offers = Offers()
        self._start = 0
        self._busy = False
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Offers, the line, and what is said of it."""
        with Vertical(classes="command-line"):
            yield self.offers
            with Horizontal():
                yield Static(":", markup=False)
                yield self.input
            yield self.hint

    def on_mount(self) -> None:
        """Keys go to the line."""
        self.input.focus()

    def learn(self, known: Known) -> None:
        """More is known now; what is offered follows with the next key."""
        self.known = known

    def on_key(self, event: events.Key) -> None:
        """Who types fast has typed on before the line has the keys."""
        if not self.input.has_focus:
            event.stop()
            self.type_ahead(event)
            if event.key == "enter":
                self._enter()

    def type_ahead(self, event: events.Key) -> None:
        """A key that was on its way to what had the focus before; the line's own stay in the line."""
        if event.is_printable and event.character is not None:
            self.input.insert_text_at_cursor(event.character)
            self._look()

    # What is typed

    def on_input_changed(self, event: Input.Changed) -> None:
        """What may follow, and what is wrong but for the word that is being typed."""
        event.stop()
        self._look()

    def _look(self) -> None:
        """What may stand here, at once; what is wrong, when typing rests: the parser takes its time."""
        self._offer(by_itself=True)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLE_S, self._judge)

    def _judge(self) -> None:
        problem = self._problem()
        self._say(problem)
        if problem is not None and problem.more and self.input.value.strip() and not self.offers.display:
            self._offer(by_itself=False)

    def _problem(self) -> LineError | None:
        try:
            self._check_line(self.input.value)
        except LineError as error:
            return error
        return None

    def _say(self, error: LineError | None, *, whole: bool = False) -> None:
        """Mark the word that is wrong; while it is typed, only what is known to stay so."""
        typing = error is not None and (error.more or error.end >= self.input.cursor_position)
        self._mark.at = None
        if error is None or (typing and not whole):
            self.hint.say("")
        elif error.more:
            self.hint.say(error.message)
        else:
            self._mark.at, self._mark.length = error.at, error.end - error.at
            self.hint.say(
                f"{error.message} {error.hint}".strip(), lambda: column_of(self.input, error.at, self.hint)
            )
            self.call_after_refresh(self.hint.refresh)
        self.input.refresh()

    # What is offered

    def _offer(self, *, by_itself: bool) -> None:
        line, cursor = self.input.value, self.input.cursor_position
        start, found = offers(line, cursor, self.known)
        self._show(start, [] if by_itself and start == cursor else found)

    def _show(self, start: int, found: Sequence[Offer]) -> None:
        self._start = start
        width = max((cell_len(one.text) for one in found), default=0)
        self.offers.show([Choice(one.text, f"{one.text:<{width}}   {one.note}".rstrip()) for one in found])
        self.offers.styles.height = min(len(found), _ROOM)

    def action_take(self) -> None:
        """The line under the cursor, or the first; where none is shown, show them."""
        offered = self.offers.next
        if offered is None:
            self._offer(by_itself=False)
        else:
            self._accept(offered)

    def action_move(self, step: int) -> None:
        """Through the offers; up from an empty line to what was used before."""
        if not self.offers.display:
            if self.input.value.strip() or step > 0:
                self._offer(by_itself=False)
            else:
                self.action_again()
                return
        self.offers.step(step)

    def action_again(self) -> None:
        """What was used before and holds what is typed."""
        typed = self.input.value.strip().lower()
        found = [Offer(text, "") for text in self.known.history if typed in text.lower()]
        self._show(-1, found)
        if found:
            self.offers.move(1)
        else:
            self.hint.say("Nothing like it was used before." if typed else "No command was used before.")

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """An offer was clicked."""
        event.stop()
        self._accept(event.value)

    def _accept(self, chosen: str) -> None:
        if self._start < 0:  # of the history: a whole line
            line, cursor = chosen, len(chosen)
        else:
            line, cursor = accepted(self.input.value, self.input.cursor_position, self._start, chosen)
        self.offers.show(())
        self.input.value = line
        self.input.cursor_position = cursor
        self.input.focus()

    # How it ends

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The line was entered."""
        event.stop()
        self._enter()

    def _enter(self) -> None:
        """Take what is under the cursor; else do what the line says."""
        line = self.input.value.strip()
        if self._timer is not None:
            self._timer.stop()
        if self.offers.display and self.offers.cursor >= 0:
            self._accept(self.offers.choices[self.offers.cursor].value)
        elif not line:
            self.dismiss(None)
        elif not self._busy:
            self._busy = True
            self.app.run_worker(self._carry_out(line), group="action", exit_on_error=False)

    async def _carry_out(self, line: str) -> None:
        try:
            self._check_line(line)
            act = await self._find(line)
        except LineError as error:
            self._say(error, whole=True)
        else:
            if self.is_active:
                self.dismiss(act)
        finally:
            self._busy = False

    def action_give_up(self) -> None:
        """Out of the offers; else out of the line."""
        if self.offers.display and self.offers.cursor >= 0:
            self.offers.show(())
        else:
            self.dismiss(None)

    def on_click(self) -> None:
        """Beside it."""
        if not self.query_one(".command-line").is_mouse_over:
            self.dismiss(None)
