"""Menus, keys, forms and the palette's matching: pure, from the registry."""

from __future__ import annotations

import pytest

from cloudtui import menus
from cloudtui.actions import ACTIONS, DESKTOP, get
from cloudtui.app import CloudtuiApp
from cloudtui.areas.places import AREAS
from cloudtui.dialogs.fields import Option, arguments_of, fields_of, preview
from cloudtui.dialogs.help_text import help_facts
from cloudtui.dialogs.palette import Found, matches
from cloudtui.dialogs.searching import known
from cloudtui_engine.errors import UsageError
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.run import Run, RunState

LIVE = Run("c1", "one", "train", RunState.RUNNING, 1, ("box-1",))
DONE = Run("c2", "two", "train", RunState.SUCCEEDED, 1, ("box-1",))
OPTIONS = {
    "dataset": [Option("digits@1", "digits v1"), Option("news@2", "news v2")],
    "instance": [Option("local", "local"), Option("box-1", "box-1 · A100")],
}


def test_every_action_of_the_desktop_with_a_handler_can_be_reached() -> None:
    shown = {entry.action for menu in menus.menus("run", [LIVE], []) for entry in menu.entries}
    own = {"home.open", "home.back", "home.mark", "home.copy", "home.previous", "home.context",
           "home.narrower", "home.wider", "home.even"}  # fmt: skip
    assert {action.id for action in ACTIONS if DESKTOP in action.faces} - own <= shown


def test_keys_of_a_noun_mean_one_action() -> None:
    for noun in menus.NOUNS:
        keys = [key for action in menus.for_noun(noun, DESKTOP) for key in action.keys]
        assert len(keys) == len(set(keys)), noun
        assert not set(keys) & {"1", "2", "3", "5", "6", "7", "q", "y", "/", "?"}, noun


@pytest.mark.parametrize(
    ("action", "noun", "selected", "expected"),
    [
        ("run.stop", "run", [LIVE], True),
        ("run.stop", "run", [DONE], False),
        ("run.stop", "run", [LIVE, DONE], False),
        ("run.stop", "run", [], False),
        ("run.stop", "model", [LIVE], False),
        ("run.start", "model", [], True),
        ("run.compare", "run", [LIVE], False),
        ("run.compare", "run", [LIVE, DONE], True),
    ],
)
def test_what_is_possible(action: str, noun: str, selected: list[Run], expected: bool) -> None:
    assert menus.possible(get(action), noun, selected) is expected


def test_the_bar_begins_with_what_the_selection_allows() -> None:
    bar = menus.bar("run", [LIVE])
    assert ("s", "stop", "run.stop") in bar[:3]
    assert bar[-1] == ("?", "help", "home.help")
    assert "run.delete" not in {action for _, _, action in bar}


def test_what_is_used_most_has_the_first_place_in_the_bar() -> None:
    """What does not fit is left out: at 80 columns that is about five keys."""
    rented = Instance(
        "i1",
        "box",
        "aws",
        address=Address("h"),
        created_at=1.0,
        cloud_id="i-1",
        cloud_state="running",
        launch_id="l1",
    )
    assert [label for _, label, _ in menus.bar("instance", [rented])][:3] == ["stop", "add", "launch"]
    local = Instance("i2", "local", "local", created_at=1.0)
    assert [label for _, label, _ in menus.bar("instance", [local])][:2] == ["add", "launch"]
    assert [label for _, label, _ in menus.bar("run", [LIVE])][:3] == ["again", "stop", "train"]


def test_a_form_asks_for_what_is_missing_and_knows_the_choices() -> None:
    fields = {field.name: field for field in fields_of(get("run.start"), {}, OPTIONS)}
    assert [option.value for option in fields["dataset"].options] == ["digits@1", "news@2"]
    assert fields["dataset"].value == "digits@1"
    assert fields["on"].value == "local"
    assert fields["params.epochs"].value == "20"
    assert "follow" not in fields
    known = fields_of(get("dataset.push"), {"dataset": "c9"}, OPTIONS)
    assert [field.name for field in known] == ["instance"]


def test_what_is_predicted_is_asked_for_before_what_is_seldom_needed() -> None:
    first = [field.name for field in fields_of(get("dataset.add"), {}, OPTIONS) if not field.more]
    assert first == ["name", "source", "target"]


def test_what_is_filled_in_becomes_arguments_and_a_command() -> None:
    action = get("run.start")
    fields = fields_of(action, {}, OPTIONS)
    values = {"dataset": "news@2", "on": "box-1", "params.epochs": "7", "params.lr": "0.01", "name": ""}
    assert arguments_of(action, fields, values) == {
        "dataset": "news@2", "on": ["box-1"], "params": {"epochs": "7", "lr": "0.01"},
    }  # fmt: skip
    text = preview(action, fields, values, {})
    assert text == "cloudtui run start --dataset news@2 --on box-1 --set epochs=7 --set lr=0.01"


def test_words_and_pairs_are_read_as_a_shell_reads_them() -> None:
    action = get("run.script")
    fields = fields_of(action, {}, OPTIONS)
    found = arguments_of(
        action, fields, {"on": "local", "env": "A=1 B='x y'", "command": "python 'my train.py'"}
    )
    assert found["env"] == {"A": "1", "B": "x y"}
    assert found["command"] == ["python", "my train.py"]


@pytest.mark.parametrize(
    "values", [{}, {"on": "local", "command": "python 'x"}, {"on": "local", "env": "A", "command": "x"}]
)
def test_what_is_wrong_is_told_by_its_label(values: dict[str, str]) -> None:
    action = get("run.script")
    with pytest.raises(UsageError, match=r"On is missing|cannot be"):
        arguments_of(action, fields_of(action, {}, OPTIONS), values)


def test_the_palette_prefers_beginnings() -> None:
    found = [
        Found("1", "Run again"),
        Found("2", "Stop the engine"),
        Found("3", "Stop"),
        Found("4", "Restore"),
    ]
    assert [one.value for one in matches("sto", found)] == ["2", "3", "4"]
    assert [one.value for one in matches("rag", found)] == ["1"]
    assert matches("zzz", found) == []
    assert len(matches("", found)) == 4


def test_the_palette_begins_with_what_can_be_done_with_what_is_selected() -> None:
    areas = [("runs", "3", "Runs")]
    first = [one.value for one in known(menus.menus("run", [LIVE], areas))]
    assert first[0].startswith("action:run.")
    assert first.index("action:run.stop") < first.index("action:engine.stop") < first.index("runs:")
    assert "action:run.stop" not in [one.value for one in known(menus.menus("run", [DONE], areas))]


def test_help_tells_every_key_of_the_desktop() -> None:
    facts = help_facts("run", None, [one.place for one in AREAS.values()], CloudtuiApp.BINDINGS)
    told = {key for fact in facts for key in fact.name.split(", ")}
    assert {"q", "ctrl+q", "f1", "?", "f10", "[", "]", "/", "y", "ctrl+p", "1", "7"} <= told
