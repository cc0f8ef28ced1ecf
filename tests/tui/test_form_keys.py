"""A form: keys that come in a burst while it is only just there, and what it keeps when it is refused."""

from __future__ import annotations

from typing import Any

from tests.tui.desk import screen, wait_until
from textual.app import App
from textual.widgets import Input

from cloudtui.actions import get
from cloudtui.dialogs.form import FormDialog
from cloudtui.dialogs.form_field import FormField
from cloudtui.theme import DEFAULT, dress
from cloudtui_engine.errors import BadInputError

LINES = [FormField(name, name, "text") for name in ("name", "note", "seed")]


class _Eager(FormDialog):
    """The form of a user who went on to the second line before the screen had settled."""

    def on_mount(self) -> None:
        self.call_next(self.focus_next)


async def nothing(_filled: dict[str, Any]) -> None:
    """Carry nothing out."""


async def test_who_goes_on_at_once_is_not_taken_back_to_the_first_line() -> None:
    app: App[None] = App()
    dress(app, DEFAULT)
    async with app.run_test() as pilot:
        form = _Eager(get("run.rename"), LINES, {}, "Rename", nothing)
        await app.push_screen(form)
        await pilot.pause()
        assert form.focused is not None
        assert form.focused.id == "field-note"


async def test_who_is_refused_types_nothing_anew() -> None:
    tried: list[dict[str, Any]] = []

    async def carry(filled: dict[str, Any]) -> str | None:
        tried.append(filled)
        if len(tried) == 1:
            raise BadInputError("Nobody is called [b]Ann.", "Say who it is.")
        return "done" if len(tried) > 2 else None  # at first a person thinks better of it

    app: App[None] = App()
    dress(app, DEFAULT)
    came: list[Any] = []
    async with app.run_test() as pilot:
        form = FormDialog(get("run.rename"), LINES[:1], {}, "Rename", carry)
        await app.push_screen(form, came.append)
        await pilot.press(*"Ann", "ctrl+s")
        await wait_until(pilot, lambda: "Nobody is called [b]Ann. Say who it is." in screen(app))
        assert form.query_one(Input).value == "Ann"
        await pilot.press(*"a")
        assert "Nobody" not in screen(app)
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: len(tried) == 2)
        await pilot.pause()
        assert app.screen is form
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: came == ["done"])
    assert [one["name"] for one in tried] == ["Ann", "Anna", "Anna"]
