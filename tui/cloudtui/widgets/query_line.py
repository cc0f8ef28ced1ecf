"""The line in which a filter is typed: what may stand next, where it is wrong, and what was typed before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple, Self

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import DescendantBlur
from textual.timer import Timer
from textual.widgets import Input

from cloudtui.widgets.choices import Choice, Choices
from cloudtui.widgets.filter_bar import FilterBar
from cloudtui.widgets.line_parts import Hint, Mark, Offers, column_of
from cloudtui.widgets.ordered_input import OrderedInput
from cloudtui_engine.catalog.completion import Candidate, Vocabulary, accept, complete
from cloudtui_engine.catalog.query import compile_filter
from cloudtui_engine.errors import FilterError, UsageError
from cloudtui_engine.records.view import View
from cloudtui_engine.sanitize import clean_line

SETTLE_S = 0.15
"""How long typing rests before the list is read."""
_ROOM = 39
"""Cells of an offer for a view's name and filter."""
_KEYS = "tab what may stand here   ↑ used before   enter keep   esc show all"


class Known(NamedTuple):
    """What a line has to offer."""

    vocabulary: Vocabulary = Vocabulary()
    history: Sequence[str] = ()
    views: Sequence[View] = ()


class QueryLine(Vertical):
    """Text, its hint and its offers: applied while it is typed, kept by enter, given up by escape.

    Posts `FilterBar.Edited`, only with a text that can be read.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "do('take')", "What may stand here", priority=True),
        Binding("enter", "do('keep')", "Keep", priority=True),
        Binding("escape", "do('give_up')", "Show all", priority=True),
        Binding("down", "do('down')", "Down", priority=True),
        Binding("up", "do('up')", "Up, or used before", priority=True),
        Binding("ctrl+r", "do('again')", "Used before", priority=True),
    ]

    def __init__(self, text: str = "", known: Known | None = None) -> None:
        super().__init__(classes="query-line")
        self._mark = Mark()
        self.input = OrderedInput(
            text,
            placeholder="name, status:live, tag:vision, param.lr < 1e-3",
            compact=True,
            select_on_focus=False,
            highlighter=self._mark,
        )
        self.hint = Hint(_KEYS)
        self.offers = Offers()
        self.known = known or Known()
        self._good = self._heeded = text
        self._start = 0
        self._wholes: Sequence[str] = ()
        """What is offered in place of all that is typed."""
        self._timer: Timer | None = None
        self._ended = False

    def compose(self) -> ComposeResult:
        """The offers lie over what is below."""
        yield self.input
        yield self.hint
        yield self.offers

    def focus(self, scroll_visible: bool = True) -> Self:
        """Keys go to the text."""
        self.input.focus(scroll_visible)
        return self

    def learn(self, known: Known) -> None:
        """More is known now; what is offered follows with the next key."""
        self.known = known

    def action_do(self, name: str) -> None:
        """Do what a key stands for, after those that were typed before it: they go by way of the input."""
        works: Mapping[str, Callable[[], None]] = {
            "take": self._take, "keep": self._keep, "give_up": self._give_up, "again": self._again,
            "down": lambda: self._move(1), "up": lambda: self._move(-1),
        }  # fmt: skip

        def work() -> None:
            self._heed()
            works[name]()

        self.input.call_later(work)

    # What is typed

    def on_input_changed(self, event: Input.Changed) -> None:
        """A key was typed."""
        event.stop()
        self._heed()

    def _heed(self) -> None:
        """Say what may follow, at once, and once for each text; the list waits until typing rests."""
        if self.input.value == self._heeded:
            return
        self._heeded = self.input.value
        self._offer(by_itself=True)
        self._check()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLE_S, self._apply)

    def _check(self, *, whole: bool = False) -> UsageError | None:
        """Mark what is wrong."""
        text = self.input.value
        self._mark.at, error = None, self._problem(text)
        if error is None or (not whole and self._on_its_way(error)):
            self._mark.at = None
            self.hint.say("")
        else:
            at = error.at if isinstance(error, FilterError) else 0
            why = error.why.partition(" (")[0] if isinstance(error, FilterError) else error.message
            self._mark.at = at
            self.hint.say(f"cannot be read: {why}", lambda: column_of(self.input, at, self.hint))
            self.call_after_refresh(self.hint.refresh)  # the text may scroll first
        self.input.refresh()
        return error

    def _on_its_way(self, error: UsageError) -> bool:
        """What is offered would put it right."""
        return isinstance(error, FilterError) and self.offers.display and error.at >= self._start

    def _problem(self, text: str) -> UsageError | None:
        """Why it cannot be read."""
        try:
            compile_filter(text)
        except UsageError as error:
            return error
        return None

    def _apply(self) -> None:
        self._timer = None
        text = self.input.value.strip()
        if text != self._good and self._problem(self.input.value) is None:
            self._good = text
            self.post_message(FilterBar.Edited(text, closed=False))

    # What is offered

    def _offer(self, *, by_itself: bool) -> None:
        text, cursor = self.input.value, self.input.cursor_position
        start, found = complete(text, cursor, self.known.vocabulary)
        # After what is whole nothing is offered unasked: enter keeps it.
        whole = start == cursor and (not text.strip() or not found or found[0].text == "and ")
        typed = text.strip().casefold()
        named = [one for one in self.known.views if typed in one.name.casefold()]
        if by_itself:
            self._show(start, [] if whole else found, named if typed else [])
        else:
            self._show(start, found, named)

    def _show(self, start: int, found: Sequence[Candidate], views: Sequence[View] = ()) -> None:
        self._start = start
        self._wholes = [one.filter for one in views]
        self.offers.styles.offset = (column_of(self.input, start, self.hint), 0)
        named = [_named(one) for one in views]
        others = [Choice(one.text, one.text.strip(), one.note) for one in found]
        self.offers.show([*others, *named] if self.input.value.strip() else [*named, *others])

    def _take(self) -> None:
        """The line under the cursor, or the first; where none is shown, show them."""
        offered = self.offers.next
        if offered is None:
            self._offer(by_itself=False)
        else:
            self._accept(offered)

    def _move(self, step: int) -> None:
        """Into the offers and through them; up from an empty line to what was used before."""
        if not self.offers.display:
            if step > 0:
                self._offer(by_itself=False)
            elif not self.input.value.strip():
                self._again()
                return
            else:
                return
        self.offers.step(step)

    def _again(self) -> None:
        """What was used before and holds what is typed."""
        typed = self.input.value.strip().lower()
        found = [Candidate(text, "used before") for text in self.known.history if typed in text.lower()]
        self._show(0, found)
        self._wholes = [one.text for one in found]
        if found:
            self.input.cursor_position = len(self.input.value)
            self.offers.move(1)
        else:
            self.hint.say("Nothing like it was used before." if typed else "No filter was used before.")

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A line was clicked."""
        event.stop()
        self._accept(event.value)

    def _accept(self, chosen: str) -> None:
        text, cursor = accept(self.input.value, self.input.cursor_position, self._start, chosen)
        if chosen in self._wholes:
            text, cursor = chosen, len(chosen)
        self.offers.show(())
        self.input.value = text
        self.input.cursor_position = cursor
        self.focus()

    # How it ends

    def _keep(self) -> None:
        """Take what is under the cursor; else keep the filter, if it can be read."""
        if self.offers.display and self.offers.cursor >= 0:
            self._accept(self.offers.choices[self.offers.cursor].value)
        elif self._check(whole=True) is None:
            self._close(self.input.value.strip())

    def _give_up(self) -> None:
        """Out of the offers; else no filter."""
        if self.offers.display and self.offers.cursor >= 0:
            self.offers.show(())
        else:
            self._close("")

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        """The focus went elsewhere: keep what can be read."""
        event.stop()
        text = self.input.value.strip()
        self._close(text if self._problem(text) is None else self._good)

    def _close(self, text: str) -> None:
        if self._timer is not None:
            self._timer.stop()
        if not self._ended:
            self._ended = True
            self.post_message(FilterBar.Edited(text, closed=True))


def _named(view: View) -> Choice:
    """A view as a line: its name, and of its filter what there is room for."""
    text = f"View: {clean_line(view.name)}"
    room = _ROOM - cell_len(text)
    return Choice(view.filter, text, clean_line(view.filter, room) if room > 8 else "")
