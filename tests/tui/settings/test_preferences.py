"""Settings as values: what they may be, what is wrong with them, keys that clash, and what is only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import open_catalog
from textual.binding import Binding

from cloudtui import actions, menus
from cloudtui.actions import keys, settled
from cloudtui.actions.preferences import every, is_key, preference
from cloudtui.bindings import BINDINGS
from cloudtui.cli.main import main
from cloudtui.dialogs.help_text import _KEYS
from cloudtui.handlers import settings
from cloudtui.handlers.session import Session
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import NotFoundError, UsageError


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("desktop.theme", "light", "light"),
        ("desktop.read_only", "Yes", True),
        ("notify.bell", "off", False),
        ("notify.about", "nan, lost", ["nan", "lost"]),
        ("notify.about", "", []),
        ("notify.idle_minutes", "45", 45),
        ("notify.idle_minutes", "0", 0),
        ("notify.command", "notify-send 'it is done'", "notify-send 'it is done'"),
        ("notify.webhook", "https://h.example:8443/x?y", "https://h.example:8443/x?y"),
        ("keys.run.stop", "x, ctrl+x", ["x", "ctrl+x"]),
        ("keys.run.stop", "", []),
    ],
)
def test_a_text_becomes_a_value_and_that_the_same_text(key: str, text: str, value: object) -> None:
    one = preference(key)
    assert one.parse(text) == value
    assert one.parse(one.written(value)) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("desktop.theme", "pink"),
        ("notify.bell", "1"),
        ("notify.about", "nan, x"),
        ("notify.idle_minutes", "-1"),
        ("notify.idle_minutes", "20000"),
        ("notify.command", "say 'x"),
        ("notify.command", "a\x1b[31m"),
        ("notify.webhook", "file:///etc/passwd"),
        ("notify.webhook", "http://"),
        ("notify.webhook", "http://[x"),
        ("keys.run.stop", "ctrl+nonsense"),
        ("keys.run.stop", "xx"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(key: str, text: str) -> None:
    with pytest.raises(UsageError) as raised:
        preference(key).parse(text)
    assert preference(key).allowed in raised.value.hint
    if key == "notify.webhook":
        assert text not in raised.value.message


def test_there_is_no_such_setting() -> None:
    for key in ("nope", "keys.nope", "keys.home.open"):
        with pytest.raises(NotFoundError):
            preference(key)


def test_an_address_is_shown_without_what_makes_it_secret() -> None:
    assert preference("notify.webhook").shown("https://u:p@h.example/secret?token=1") == "https://h.example/…"


def test_a_kept_value_that_cannot_be_is_the_default(catalog: Catalog) -> None:
    catalog.settings.set("desktop.theme", {"x": 1})
    catalog.settings.set("keys.run.stop", ["nonsense"])
    catalog.settings.set("notify.about", 3)
    found = {one.id: one.value for one in settled.settings(catalog.settings.all())}
    assert found["desktop.theme"] == "dark"
    assert found["keys.run.stop"] == ["s"]
    assert "nan" in found["notify.about"]


def test_a_theme_of_before_is_understood(catalog: Catalog) -> None:
    catalog.settings.set("desktop.theme", "cloudtui-light")
    assert settled.value(catalog.settings.all(), "desktop.theme") == "light"


def test_set_get_and_reset(catalog: Catalog) -> None:
    session = Session(catalog.paths, catalog)
    assert settings.set_value(session, "notify.bell", "no").value is False
    assert settings.get_value(session, "notify.bell").changed
    assert settings.reset(session, "notify.bell").value is True


def test_no_keys_clash_without_the_user() -> None:
    assert keys.clashes(actions.ACTIONS) == []


def test_every_key_that_the_desktop_binds_is_known_where_clashes_are_looked_for() -> None:
    for one in BINDINGS:
        assert isinstance(one, Binding)
        if one.id is not None:
            bound = {_KEYS.get(key, key) for key in one.key.split(",")}
            assert bound <= {*actions.get(one.id).keys, *keys.FIXED}, one.id


def test_clashes_are_told_of_both_and_only_where_they_meet(catalog: Catalog) -> None:
    catalog.settings.set("keys.run.stop", ["a"])
    catalog.settings.set("keys.model.evaluate", ["x"])  # an action of runs has it, never here
    catalog.settings.set("keys.home.help", ["v"])  # everywhere, so among models too
    catalog.settings.set("keys.run.note", ["up"])
    problems = settled.key_problems(catalog.settings.all())
    assert problems["run.stop"] == "a is run.again"
    assert problems["run.again"] == "a is run.stop"
    assert problems["run.note"] == "up is moving"
    assert "model.evaluate" not in problems
    assert {one.id: one.problem for one in settled.settings(catalog.settings.all())}[
        "keys.run.stop"
    ] == "a is run.again"


def test_the_whole_program_sees_changed_keys() -> None:
    actions.adapt({"run.stop": ("x1", "f9"), "home.help": ("f2",)})
    assert menus.by_key("run", "f9", None) is actions.get("run.stop")
    assert menus.by_key("run", "s", "s") is None
    assert ("f2", "help", "home.help") in menus.bar("run", [])
    shown = {entry.action: entry.key for menu in menus.menus("run", [], []) for entry in menu.entries}
    assert shown["run.stop"] == "x1"


def test_a_read_only_desktop_only_reads() -> None:
    off = [one.id for one in actions.ACTIONS if actions.changes(one)]
    actions.adapt({}, read_only="This desktop is read-only.")
    assert {"run.stop", "run.start", "instance.add", "model.alias", "engine.stop"} <= set(off)
    assert not menus.possible(actions.get("run.start"), "run", [])
    enabled = {e.action for menu in menus.menus("run", [], []) for e in menu.entries if e.enabled}
    lists = {one.id for one in actions.ACTIONS if one.lists}
    assert enabled & set(off) - {"settings.set", "settings.reset"} == lists
    assert "home.doctor" in enabled


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("s", True),
        ("ctrl+s", True),
        ("f12", True),
        ("shift+f1", True),
        (",", False),
        (" ", False),
        ("f13", False),
    ],
)
def test_names_of_keys(text: str, fits: bool) -> None:
    assert is_key(text) is fits


def test_every_setting_has_a_default_that_it_may_be() -> None:
    for one in every():
        assert one.valid(one.default) == one.default


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ("--home", str(tmp_path / "h"))
    assert main([*home, "settings", "set", "desktop.theme", "light"]) == 0
    assert main([*home, "settings", "get", "desktop.theme"]) == 0
    assert "light" in capsys.readouterr().out
    assert main([*home, "settings", "set", "desktop.theme", "pink"]) == 2
    assert "dark, light, colour-blind, 16-colours" in capsys.readouterr().err
    assert main([*home, "settings", "set", "keys.run.stop", "a"]) == 0
    assert main([*home, "settings", "list"]) == 0
    assert "⚠ a is run.again" in capsys.readouterr().out
    assert main([*home, "--json", "settings", "reset", "keys.run.stop"]) == 0
