"""The registry holds together: handlers, arguments, keys, predicates, and the commands of CLI.md."""

from __future__ import annotations

import inspect
import shlex

import pytest

from cloudtui import actions
from cloudtui.actions import consequences, predicates
from cloudtui.actions.action import Action
from cloudtui.actions.command import command
from cloudtui.cli.parser import parse
from cloudtui.handlers import resolve
from cloudtui_engine.records.run import Run, RunState

WITH_HANDLER = [action for action in actions.ACTIONS if action.handler]
PROMISED = {
    "instance": "add import list show probe connect clean prepare price forget shell forward jupyter forwards"
    " offers launch replace start stop terminate deadline open orphans",
    "provider": "list check claim",
    "dataset": "add fetches list show push",
    "run": "start script list show metrics logs stop resume again "
    "tag note rename delete restore sync import compare pull abandon export",
    "model": "list show evaluate diff compress export alias",
    "operation": "list show",
    "action": "list",
    "engine": "status stop",
    "settings": "set reset list get",
    "view": "save list delete columns",
    "budget": "set show clear",
    "": "doctor demo watch cost backup restore serve",
}


def test_every_promised_command_is_there() -> None:
    there = {" ".join(action.command) for action in actions.ACTIONS if "cli" in action.faces}
    promised = {f"{noun} {verb}".strip() for noun, verbs in PROMISED.items() for verb in verbs.split()}
    assert there == promised


def test_ids_are_one_each() -> None:
    assert len({action.id for action in actions.ACTIONS}) == len(actions.ACTIONS)
    assert actions.get("run.stop").title == "Stop"
    assert all(action.id == f"{action.noun}.{action.verb}" for action in actions.ACTIONS)


@pytest.mark.parametrize("action", WITH_HANDLER, ids=lambda action: action.id)
def test_arguments_are_the_handlers(action: Action) -> None:
    taken = list(inspect.signature(resolve(action)).parameters.values())[1:]
    assert {one.name for one in taken} == {argument.name for argument in action.arguments}
    needed = {one.name for one in taken if one.default is inspect.Parameter.empty}
    assert needed <= {argument.name for argument in action.arguments if argument.required}


def test_only_the_desktop_goes_without_a_handler() -> None:
    assert all("cli" not in action.faces for action in actions.ACTIONS if not action.handler)


@pytest.mark.parametrize("noun", actions.nouns("desktop"))
def test_no_two_keys_collide(noun: str) -> None:
    keys = [key for action in actions.ACTIONS if action.noun in {noun, "home"} for key in action.keys]
    assert len(keys) == len(set(keys))


def test_predicates_and_consequences_exist() -> None:
    for action in actions.ACTIONS:
        assert not action.when or action.when in predicates.PREDICATES
        assert not action.confirm or action.confirm in consequences.CONSEQUENCES


@pytest.mark.parametrize("status", RunState)
def test_what_may_be_done_with_a_run(status: RunState) -> None:
    run = Run("id", "name", "train", status, 1, ("local",))
    assert predicates.holds("run.live", run) is not status.is_finished
    assert predicates.holds("run.resumable", run) is (status.is_finished and status != "succeeded")
    assert predicates.holds("run.stoppable", run) is not (status.is_finished or status == "stopping")
    assert predicates.holds("", run)
    for name in ("run.stop", "run.delete"):
        assert "name" in consequences.consequence(name, [run])


def test_what_happens_is_told_by_name_for_marks_may_be_out_of_sight() -> None:
    runs = [Run(f"c{i}", f"run-{i}", "train", RunState.FAILED, 1, ("local",)) for i in range(12)]
    assert "Moves run-0, run-1 and run-2 to the trash" in consequences.consequence("run.delete", runs[:3])
    assert "run-7 and 4 more" in consequences.consequence("run.delete", runs)


@pytest.mark.parametrize(
    ("action_id", "arguments", "text"),
    [
        ("run.stop", {"run": "my run"}, "cloudtui run stop 'my run'"),
        (
            "run.start",
            {"dataset": "d", "on": ["local"], "params": {"epochs": 3}, "gpus": "auto", "follow": True},
            "cloudtui run start --dataset d --on local --set epochs=3 --follow",
        ),
        (
            "run.script",
            {"on": ["a"], "command": ["python", "a b.py"], "secret": ["X", "Y"]},
            "cloudtui run script --on a --secret X --secret Y -- python 'a b.py'",
        ),
        ("home.doctor", {}, "cloudtui doctor"),
        ("run.tag", {"run": "r", "add": ["x"], "remove": ["y"]}, "cloudtui run tag r x --remove y"),
    ],
)
def test_an_action_as_a_command_does_the_same(
    action_id: str, arguments: dict[str, object], text: str
) -> None:
    said = command(actions.get(action_id), arguments)
    assert said == text
    _, action, parsed = parse(shlex.split(said)[1:])
    assert action is actions.get(action_id)
    for name, value in arguments.items():
        assert str(parsed[name]) == str(value).replace("3}", "'3'}")
