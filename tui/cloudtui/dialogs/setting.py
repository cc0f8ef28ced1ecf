"""One setting, changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from cloudtui.actions.preferences import KEYS
from cloudtui.actions.settled import Setting, key_problems
from cloudtui.bridge import Bridge
from cloudtui.dialogs import STYLES
from cloudtui.widgets.choices import Choice, Choices
from cloudtui.widgets.ordered_input import OrderedInput
from cloudtui_engine.errors import CloudtuiError


class SettingDialog(ModalScreen[str | None]):
    """Gives the text of the new value: chosen from what it may be, or typed and judged meanwhile."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    def __init__(self, setting: Setting, judge: Callable[[str], str]) -> None:
        """Change a setting.

        Args:
            setting: as it is.
            judge: what is wrong with a text; empty where nothing is.
        """
        super().__init__()
        self._setting = setting
        self._judge = judge
        about = setting.preference
        self._choices = (
            ("yes", "no") if about.kind == "flag" else about.choices if about.kind == "choice" else ()
        )

    def compose(self) -> ComposeResult:
        """What it is, its choices or a line, and what is wrong."""
        about = self._setting.preference
        with Vertical(classes="dialog") as box:
            box.border_title = about.title
            box.border_subtitle = "enter takes it   esc leaves it"
            yield Static(
                Text(f"{about.help[:1].upper()}{about.help[1:]}."), markup=False, classes="dialog-title"
            )
            if self._choices:
                yield Choices([Choice(one, one) for one in self._choices], id="choices")
            else:
                value = "" if about.kind == "address" else about.written(self._setting.value)
                yield OrderedInput(value, placeholder=self._setting.shown, id="value", compact=True)
                yield Static(Text(f"It takes {about.allowed}."), markup=False, classes="dialog-hint")
            yield Static("", id="form-error", markup=False)

    def on_mount(self) -> None:
        """At what it is now."""
        if self._choices:
            now = self._setting.preference.written(self._setting.value)
            self.query_one(Choices).styles.height = len(self._choices)
            self.query_one(Choices).move(self._choices.index(now) if now in self._choices else 0)
        else:
            self.set_focus(self.query_one(Input))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is wrong while it is typed."""
        self.query_one("#form-error", Static).update(Text(self._judge(event.value)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it."""
        self.dismiss(event.value)

    def action_move(self, step: int) -> None:
        """Another choice."""
        for choices in self.query(Choices):
            choices.move(step)

    def action_choose(self) -> None:
        """This one."""
        for choices in self.query(Choices):
            self.dismiss(choices.chosen)

    def on_choices_chosen(self, event: Choices.Chosen) -> None:
        """A line was clicked."""
        self.dismiss(event.value)


async def ask(app: App[Any], bridge: Bridge, setting: Setting) -> str | None:
    """The new value of a setting as text; None leaves it."""
    kept = await bridge.in_thread(bridge.catalog.settings.all)
    about = setting.preference

    def judge(text: str) -> str:
        try:
            value = about.parse(text)
        except CloudtuiError as error:
            return error.message
        clash = key_problems({**kept, about.key: value}).get(about.key.removeprefix(KEYS), "")
        return f"{clash[:1].upper()}{clash[1:]} already." if about.kind == "keys" and clash else ""

    answer: str | None = await app.push_screen_wait(SettingDialog(setting, judge))
    return answer
