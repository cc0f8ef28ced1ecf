"""Logging in by the user's own ssh, from both faces, as far as no host is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.tui.desk import desktop, screen, wait_until

from cloudtui.actions.predicates import instance_loginable
from cloudtui.cli.main import main
from cloudtui.handlers import instance, login
from cloudtui.handlers.session import Answer, Session
from cloudtui_engine import operations
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, RefusedError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address, Instance, LinkState
from cloudtui_engine.records.operation import OperationState

BOX = Instance("b0", "box", "ssh", Address("far", via="ssh"), link_state=LinkState.NEEDS_YOU)
QUESTION = {
    "kind": "login",
    "host": "far",
    "name": "box\x1b[2J",
    "address": {"host": "far"},
    "text": "You are not.",
}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path)


@pytest.fixture
def catalog(paths: Paths) -> Iterator[Catalog]:
    opened = Catalog.open(paths)
    opened.instances.ensure_local()
    opened.instances.add(BOX)
    yield opened
    opened.close()


def test_without_a_terminal_it_is_refused_with_what_to_do(
    catalog: Catalog, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--home", str(paths.home), "--json", "instance", "connect", "box"]) == 4
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["hint"]) == ("no_terminal", "In a terminal: cloudtui instance connect box")


@pytest.mark.parametrize("machine", [{"provider": "local", "name": "local"}, {"launch_id": "l1"}])
def test_where_nobody_logs_in_there_is_nothing_to_do(
    catalog: Catalog, paths: Paths, machine: dict[str, Any]
) -> None:
    if "launch_id" in machine:
        catalog.instances.update("b0", launch_id="l1")
    name = str(machine.get("name", "box"))
    with pytest.raises(RefusedError) as raised:
        login.connect(Session(paths, catalog), name)
    assert raised.value.code == "no_login"


def test_the_way_to_a_machine_is_changed_and_kept(
    catalog: Catalog, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(login, "log_in", lambda _paths, name, _address: asked.append(name))
    monkeypatch.setattr(Session, "ensure_engine", lambda _self: None)
    session = Session(paths, catalog, wait=False)
    login.connect(session, "box", via="cloudtui")
    assert (catalog.instances.get("b0").address.via, asked) == ("", [])
    login.connect(session, "box", via="ssh")
    assert (catalog.instances.get("b0").address.via, asked) == ("ssh", ["box"])
    assert [one.kind for one in catalog.operations.pending()] == ["instance.probe"] * 2
    assert instance_loginable(BOX)
    assert not instance_loginable(replace(BOX, address=Address("far")))


@pytest.mark.parametrize("fails", [False, True])
def test_the_question_of_an_operation_is_answered_by_logging_in(
    catalog: Catalog, paths: Paths, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def log_in(_paths: Paths, name: str, address: dict[str, Any]) -> None:
        assert (name, address) == ("box", {"host": "far"})
        if fails:
            raise CloudtuiError("The login was broken off.")

    monkeypatch.setattr(login, "log_in", log_in)
    said: list[str] = []
    session = Session(
        paths, catalog, interactive=True, on_progress=lambda text, _share: said.append(text),
        ask=lambda _one: Answer({}),
    )  # fmt: skip
    one = catalog.operations.submit("instance.probe", "b0", {}, "key")
    catalog.operations.take(one.id)
    catalog.operations.ask(one.id, QUESTION)
    if fails:
        with pytest.raises(RefusedError) as raised:
            session.answer(catalog.operations.get(one.id))
        assert raised.value.code == "needs_login"
        assert catalog.operations.get(one.id).state is OperationState.CANCELLED
        assert said[-1] == "The login was broken off."
    else:
        session.answer(catalog.operations.get(one.id))
        assert catalog.operations.get(one.id).answer == {"given": True}


async def test_the_desktop_asks_before_it_stands_aside(
    catalog: Catalog, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(
        "cloudtui.lending.lend", lambda _app, name, _work, verb: done.append(f"{verb} {name}")
    )
    monkeypatch.setattr(operations, "ensure_engine", lambda _paths: None)
    one = catalog.operations.submit("instance.probe", "b0", {}, "key")
    catalog.operations.take(one.id)
    catalog.operations.ask(one.id, QUESTION)
    async with desktop(paths.home) as (_app, pilot):
        await wait_until(pilot, lambda: "Log in to box" in screen(pilot.app))
        await pilot.press("y")
        await wait_until(pilot, lambda: done == ["connect box"])
        await wait_until(pilot, lambda: bool(catalog.operations.get(one.id).answer))


async def test_a_question_that_was_left_open_is_asked_again_and_a_login_that_failed_says_how(
    catalog: Catalog, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command could do it: the machine of an `instance add` is on no list yet."""

    def fails(*_: Any) -> None:
        raise CloudtuiError("Not logged in.", "Log in: cloudtui instance connect box")

    monkeypatch.setattr("cloudtui.lending.lend", lambda _app, _name, work, _verb: work())
    monkeypatch.setattr(login, "log_in", fails)
    async with desktop(paths.home) as (_app, pilot):
        await pilot.press("!")
        await wait_until(pilot, lambda: "Nothing waits" in screen(pilot.app))
        one = catalog.operations.submit("instance.add", "", {}, "key")
        catalog.operations.take(one.id)
        catalog.operations.ask(one.id, QUESTION)
        await wait_until(pilot, lambda: "Log in to box" in screen(pilot.app))
        await pilot.press("y")
        await wait_until(pilot, lambda: "It waits for you: ! on the desktop" in screen(pilot.app))
        assert catalog.operations.get(one.id).state is OperationState.NEEDS_YOU
        await wait_until(pilot, lambda: "1 needs you (!)" in screen(pilot.app))
        await pilot.press("!")
        await wait_until(pilot, lambda: "Log in to box" in screen(pilot.app))


def test_an_import_tells_what_only_ssh_can_do(catalog: Catalog, paths: Paths, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "Host far-1\n ProxyCommand nc %h %p\nHost card\n PKCS11Provider /card.so\nHost plain\n HostName h\n"
    )
    said: list[str] = []
    session = Session(paths, catalog, on_progress=lambda text, _share: said.append(text))
    assert [one.name for one in instance.import_hosts(session, str(config))] == ["far-1", "card", "plain"]
    assert ["ProxyCommand" in said[0], "a smart card" in said[1], len(said)] == [True, True, 2]
    assert all("--via ssh" in text for text in said)
    # Its Host line is what their ssh has to be given.
    assert catalog.instances.find("card").address == Address("card")
