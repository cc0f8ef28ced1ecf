"""The line `:` without a screen: what it means, where it is wrong, what is offered."""

from __future__ import annotations

import pytest

from cloudtui.actions import get
from cloudtui.commanding.offering import Known, accepted, offers
from cloudtui.commanding.reading import Do, Go, Own, read
from cloudtui.commanding.words import LineError, split

AREAS = {"instances": "Instances", "datasets": "Datasets", "runs": "Runs", "models": "Models",
         "evaluation": "Evaluate", "cost": "Cost", "settings": "Settings"}  # fmt: skip
KNOWN = Known(AREAS, {"run": ["vit-small", "vit 2", "resnet"], "instance": ["local", "box-1"]})


def names(line: str) -> list[str]:
    """What is offered at the end of a line."""
    return [one.text for one in offers(line, len(line), KNOWN)[1]]


@pytest.mark.parametrize(
    ("line", "area", "name", "tab"),
    [
        ("runs", "runs", "", ""),
        ("run", "runs", "", ""),
        ("evaluate", "evaluation", "", ""),
        ("settings", "settings", "", ""),
        ("run vit-small", "runs", "vit-small", ""),
        ("run 'vit 2'", "runs", "vit 2", ""),
        ("cloudtui model show resnet@2", "models", "resnet@2", ""),
        ("instance list", "instances", "", ""),
        ("run logs vit-small --tail 3", "runs", "vit-small", "Log"),
        ("settings get desktop.theme", "settings", "desktop.theme", ""),
        ("cost --by run", "cost", "", ""),
    ],
)
def test_places_and_what_only_prints_lead_there(line: str, area: str, name: str, tab: str) -> None:
    meant = read(line, AREAS)
    assert isinstance(meant, Go)
    assert (meant.area, meant.name, meant.tab) == (area, name, tab)


def test_a_list_brings_its_filter_and_order() -> None:
    meant = read("run list --filter 'status:live and lr<1' --sort=-name", AREAS)
    assert isinstance(meant, Go)
    assert (meant.area, meant.filter, meant.sort) == ("runs", "status:live and lr<1", "-name")
    assert (meant.word.at, meant.word.end) == (18, 40)
    assert read("run list --deleted", AREAS) == Go("runs", trash=True)
    meant = read("run list --view 'the best' --filter tag:a", AREAS)
    assert isinstance(meant, Go)
    assert (meant.view, meant.filter, meant.word.text) == ("the best", "tag:a", "the best")


def test_a_command_is_its_action_with_what_the_parser_read() -> None:
    meant = read("run tag vit-3 good --remove bad", AREAS)
    assert isinstance(meant, Do)
    assert meant.action is get("run.tag")
    assert meant.arguments == {"add": ["good"], "remove": ["bad"]}
    assert [word[:2] for word in meant.targets] == [("vit-3", 8)]
    meant = read("run script --on box-1 --follow -- python a.py --help", AREAS)
    assert isinstance(meant, Do)
    assert meant.arguments["command"] == ["python", "a.py", "--help"]
    assert meant.arguments["follow"] is False
    meant = read("run compare a b", AREAS)
    assert isinstance(meant, Do)
    assert [word.text for word in meant.targets] == ["a", "b"]
    assert read("q", AREAS) == Own("home.quit")
    assert read("doctor", AREAS) == Do(get("home.doctor"), {})


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("nothing such", "nothing"),
        ("run sotp vit now", "sotp"),
        ("run stop vit --fast", "--fast"),
        ("run start --dataset d --max-drop x", "x"),
        ("run start --dataset d --then nothing", "nothing"),
        ("run start --dataset d --set lr", "lr"),
        ("run list --json", "--json"),
        ("run list -h", "-h"),
        ("watch --install", "watch --install"),
        ("view list", "view list"),  # no area shows what it prints
    ],
)
def test_the_word_that_is_wrong_is_known(line: str, wrong: str) -> None:
    with pytest.raises(LineError) as caught:
        read(line, AREAS)
    assert line[caught.value.at : caught.value.end] == wrong
    assert not caught.value.more
    assert "choose from" not in caught.value.message
    assert "invalid choice" not in caught.value.message


@pytest.mark.parametrize("line", ["", "run stop", "run start --dataset", "run tag 'a"])
def test_what_is_missing_is_no_wrong_word(line: str) -> None:
    with pytest.raises(LineError) as caught:
        read(line, AREAS)
    assert caught.value.more


def test_what_is_offered() -> None:
    assert {"run", "runs", "models", "doctor", "help"} <= set(names(""))
    assert "watch" not in names("wa")
    assert names("run st")[:2] == ["start", "stop"]
    assert names("run vit") == ["vit-small", "vit 2"]
    assert names("run stop ") == ["vit-small", "vit 2", "resnet"]
    assert names("run stop resnet ") == []
    assert names("run start --on b") == ["box-1"]
    assert "--dataset" in names("run start ")
    assert "--dataset" not in names("run start --dataset d ")
    assert names("run start --dataset d --pull ") == ["none", "best", "all"]
    assert names("run script --on local -- ") == []
    assert names("cloudtui engine st") == ["status", "stop"]


def test_what_is_taken_is_one_word() -> None:
    line = "run stop vi now"
    start, found = offers(line, 11, KNOWN)
    assert (start, found[1].text) == (9, "vit 2")
    assert accepted(line, 11, start, "vit 2") == ("run stop 'vit 2' now", 17)
    assert accepted("run st", 6, 4, "stop") == ("run stop ", 9)


def test_words_are_those_of_a_shell() -> None:
    assert [word.text for word in split("run note x 'two words' a\\ b \"it's\"")] == [
        "run", "note", "x", "two words", "a b", "it's",
    ]  # fmt: skip
