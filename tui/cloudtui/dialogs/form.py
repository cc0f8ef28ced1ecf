"""A form for an action: a line a value, and below them the command line that does the same.

It stays until what it asks for was done: who is refused mends a line, and types none anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Select, Static

from cloudtui.actions import Action
from cloudtui.dialogs import STYLES
from cloudtui.dialogs.fields import arguments_of, preview
from cloudtui.dialogs.form_field import FormField, problem
from cloudtui.widgets.ordered_input import OrderedInput
from cloudtui.widgets.tick import Tick
from cloudtui_engine.errors import CloudtuiError, UsageError
from cloudtui_engine.sanitize import clean_line

Carry = Callable[[dict[str, Any]], Awaitable[Any]]
"""Does what a form was filled in for: gives what came of it, None where a person thought better of it."""


class FormDialog(ModalScreen[Any]):
    """Gives what came of its action, None where it was left."""

    CSS_PATH = STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", show=False),
        # Textual sends a key to what is focused when it arrives, but lets a line handle its tab after that:
        # of keys that come in a burst those behind a tab would land before it. With priority it moves now.
        Binding("tab", "app.focus_next", "Next line", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Line before", show=False, priority=True),
        Binding("ctrl+s", "start", "Start", show=False),
        Binding("ctrl+y", "copy", "Copy as command", show=False),
    ]

    def __init__(
        self, action: Action, fields: Sequence[FormField], known: Mapping[str, Any], verb: str, carry: Carry
    ) -> None:
        """Ask for the arguments of an action.

        Args:
            action: of the registry.
            fields: the lines.
            known: arguments that have a value already; the command has them, too.
            verb: what its button says.
            carry: does it with what was filled in; a CloudtuiError is shown, and the form stays.
        """
        super().__init__()
        self._carry = carry
        self._action = action
        self._fields = tuple(fields)
        self._known = dict(known)
        self._verb = verb
        self._more = False

    def compose(self) -> ComposeResult:
        """Lines, the command, buttons."""
        with Vertical(classes="dialog dialog-form") as box:
            box.border_title = self._action.title
            with VerticalScroll(classes="form-fields", can_focus=False):
                yield from (self._line(field) for field in self._fields)
                if any(field.more for field in self._fields):
                    yield Button(Text("▸ More"), id="more", compact=True)
            yield Static("", id="form-error", markup=False)
            yield from self.below()
            yield Static("", id="form-command", markup=False)
            with Horizontal(classes="dialog-buttons"):
                yield Button(Text("Copy  ctrl+y"), id="copy", compact=True)
                yield Button(Text("Cancel  esc"), id="cancel", compact=True)
                yield Button(Text(f"{self._verb}  ctrl+s"), id="start", variant="primary", compact=True)

    def below(self) -> Iterable[Widget]:
        """What a form says between its lines and its command."""
        return ()

    def _line(self, field: FormField) -> Horizontal:
        name = f"field-{field.key}"
        label = Static(Text(field.label), markup=False, classes="form-label")
        control: Select[str] | Input | Checkbox | Static
        if field.kind == "flag":
            control = Tick(Text(field.help), id=name)
        elif field.kind == "choice" and not field.options:
            control = Static(Text("There is none yet: add one first."), markup=False, id=name)
        elif field.kind == "choice":
            control = Select(
                [(Text(option.text), option.value) for option in field.options],
                value=field.value, allow_blank=False, id=name, compact=True,
            )  # fmt: skip
        else:
            control = OrderedInput(field.value, placeholder=field.help, id=name, compact=True)
        wrong = Static("", markup=False, id=f"problem-{field.key}", classes="form-problem")
        classes = "form-line form-more" if field.more else "form-line"
        return Horizontal(label, control, wrong, classes=classes, id=f"line-{field.key}")

    def on_mount(self) -> None:
        """The first line is ready to be filled in."""
        self._reveal()
        first = next(iter(self.query("Input, Select, Checkbox")), None)
        if first is not None:
            self.set_focus(first)  # now: `focus` of a widget comes late, and takes it from who went on
        self._preview()

    @property
    def fields(self) -> tuple[FormField, ...]:
        """The lines that count now."""
        return self._fields

    def _reveal(self) -> None:
        """Show the lines that count, those of More only when it is open."""
        self.query_one(".dialog-form").set_class(self._more, "-more")
        counting = {field.name for field in self.fields}
        for field in self._fields:
            shown = field.name in counting and (self._more or not field.more)
            self.query_one(f"#line-{field.key}").display = shown

    @property
    def values(self) -> dict[str, str]:
        """What is filled in, by the names of the fields."""
        found: dict[str, str] = {}
        for field in self.fields:
            control = self.query_one(f"#field-{field.key}")
            if isinstance(control, Checkbox):
                found[field.name] = "yes" if control.value else ""
            elif isinstance(control, Input):
                found[field.name] = control.value
            elif isinstance(control, Select):
                found[field.name] = str(control.value)
        return found

    def _preview(self) -> None:
        values = self.values
        for field in self.fields:
            # What is missing is said once, when it is tried; what is wrong at once, beside it.
            wrong = problem(field, values.get(field.name, "")) if values.get(field.name, "").strip() else ""
            self.query_one(f"#problem-{field.key}", Static).update(Text(wrong))
        self.query_one("#form-command", Static).update(Text(self.command(values)))

    def command(self, values: Mapping[str, str]) -> str:
        """The command line that does the same, or what is missing for one."""
        return preview(self._action, self.fields, values, self._known)

    def _changed(self) -> None:
        """What was wrong with other values is no word on these; what is read meanwhile takes no word away."""
        self.query_one("#form-error", Static).update("")
        self._preview()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The command follows."""
        event.stop()
        self._changed()

    def on_select_changed(self, event: Select.Changed) -> None:
        """The command follows."""
        event.stop()
        self._changed()

    def on_checkbox_changed(self, event: Checkbox.Changed) -> None:
        """The command follows."""
        event.stop()
        self._changed()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the last line starts; elsewhere it goes on to the next."""
        event.stop()
        inputs = [
            widget for widget in self.query(Input) if widget.parent is not None and widget.parent.display
        ]
        if inputs and event.input is inputs[-1]:
            self.action_start()
        else:
            self.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """What its label says."""
        event.stop()
        if event.button.id == "more":
            self._more = not self._more
            self._reveal()
            event.button.label = Text("▾ Less" if self._more else "▸ More")
        elif event.button.id == "copy":
            self.action_copy()
        elif event.button.id == "start":
            self.action_start()
        else:
            self.dismiss(None)

    def action_copy(self) -> None:
        """The command line goes to the clipboard."""
        self.app.copy_to_clipboard(self.command(self.values))
        self.notify("Copied the command.", timeout=3)

    def arguments(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The handler's arguments.

        Raises:
            UsageError: something is missing or wrong.
        """
        return arguments_of(self._action, self.fields, values)

    def action_start(self) -> None:
        """Do it, if nothing is missing."""
        button = self.query_one("#start", Button)
        if button.disabled:
            return
        try:
            found = self.arguments(self.values)
        except UsageError as error:
            self.query_one("#form-command", Static).update("")  # it would say the same
            self._say(error)
            self._show_wrong()
            return
        button.disabled = True
        self.run_worker(self._start(found), exit_on_error=False)

    async def _start(self, found: dict[str, Any]) -> None:
        try:
            done = await self._carry(found)
        except CloudtuiError as error:
            self._say(error)
        else:
            if done is not None:
                self.dismiss(done)
        finally:
            self.query_one("#start", Button).disabled = False

    def _say(self, error: CloudtuiError) -> None:
        text = " ".join(clean_line(part) for part in (error.message, error.hint) if part)
        self.query_one("#form-error", Static).update(Text(text))

    def _show_wrong(self) -> None:
        """Mark the first line that is wrong, and go there."""
        for field in self.fields:
            wrong = problem(field, self.values.get(field.name, ""))
            if wrong:
                self.query_one(f"#problem-{field.key}", Static).update(Text(wrong))
                self._more = self._more or field.more
                self._reveal()
                self.set_focus(self.query_one(f"#field-{field.key}"))
                return
