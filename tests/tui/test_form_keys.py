"""Keys that come in a burst, while a form is only just there."""

from __future__ import annotations

from textual.app import App

from cloudtui.actions import get
from cloudtui.dialogs.form import FormDialog
from cloudtui.dialogs.form_field import FormField
from cloudtui.theme import DEFAULT, dress

LINES = [FormField(name, name, "text") for name in ("name", "note", "seed")]


class _Eager(FormDialog):
    """The form of a user who went on to the second line before the screen had settled."""

    def on_mount(self) -> None:
        self.call_next(self.focus_next)


async def test_who_goes_on_at_once_is_not_taken_back_to_the_first_line() -> None:
    app: App[None] = App()
    dress(app, DEFAULT)
    async with app.run_test() as pilot:
        form = _Eager(get("run.rename"), LINES, {}, "Rename")
        await app.push_screen(form)
        await pilot.pause()
        assert form.focused is not None
        assert form.focused.id == "field-note"
