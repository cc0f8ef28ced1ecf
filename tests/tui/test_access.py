"""Shells and forwarded ports from both faces, as far as no host is needed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.tui.desk import desktop, screen, wait_until
from textual.app import SuspendNotSupported

from cloudtui import actions, menus
from cloudtui.cli.main import main
from cloudtui.cli.parser import parse
from cloudtui.handlers import instance, ports
from cloudtui.handlers.session import Session
from cloudtui.handlers.shell import shell
from cloudtui.lending import lend
from cloudtui.performing import Performer
from cloudtui_engine import forwards
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, RefusedError, UnreachableError, UsageError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.forward import FORWARD, JUPYTER, LASTING, Forwarded
from cloudtui_engine.records.instance import Address, Instance


class Screen:
    """An app that can stand aside, or cannot."""

    def __init__(self, *, in_browser: bool = False) -> None:
        self.in_browser = in_browser
        self.stood_aside = self.is_back = False

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        if self.in_browser:
            raise SuspendNotSupported
        self.stood_aside = True
        yield
        self.is_back = True  # as Textual: not where the body raises


def test_in_a_browser_a_shell_is_refused_with_the_command_that_opens_it() -> None:
    with pytest.raises(RefusedError, match="browser") as raised:
        lend(Screen(in_browser=True), "box", lambda: 1)  # type: ignore[arg-type]
    assert raised.value.code == "no_terminal"
    assert raised.value.hint == "In a terminal: cloudtui instance shell box"


@pytest.mark.parametrize("wrong", [UnreachableError("The connection to box was lost."), ZeroDivisionError()])
def test_the_desktop_comes_back_whatever_went_wrong(
    wrong: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: asked.append("enter") or "\n", raising=False)

    def fails() -> None:
        raise wrong

    screen = Screen()
    with pytest.raises(type(wrong)):
        lend(screen, "box", fails)  # type: ignore[arg-type]
    assert screen.is_back
    if isinstance(wrong, CloudtuiError):
        assert asked == ["enter"]  # it is read before the desktop is over it again
        assert "\nThe connection to box was lost.\n" in capsys.readouterr().out


def test_a_read_only_desktop_has_the_lists_and_nothing_that_changes_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class List:
        def __init__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("cloudtui.dialogs.forwards.ForwardsScreen", List)
    monkeypatch.setattr("cloudtui.dialogs.orphans.OrphansScreen", List)
    actions.adapt({}, read_only="This desktop is read-only.")
    shown: list[object] = []
    said: list[str] = []
    app = SimpleNamespace(
        screen=None, push_screen=shown.append, notify=lambda text, **_options: said.append(text)
    )
    performer = Performer(cast("Any", app), cast("Any", None), lambda _area, _key: None)
    keys = {key for key, _, _ in menus.bar("instance", [])}
    for verb, what in (("forwards", "stop"), ("orphans", "terminate")):
        action = actions.get(f"instance.{verb}")
        assert action.keys[0] in keys
        performer.perform(action, "instance", [], {})
        performer.perform(action, "instance", [], {"what": what})
    assert [type(one) for one in shown] == [List, List]
    assert said == [
        "Forwarded ports: This desktop is read-only.",
        "Orphans: This desktop is read-only.",
    ]
    for verb in ("shell", "forward", "jupyter"):
        assert actions.get(f"instance.{verb}").off


@pytest.mark.parametrize(
    ("words", "command"), [([], []), (["--", "ls", "-la"], ["ls", "-la"]), (["--", "--json"], ["--json"])]
)
def test_what_stands_behind_the_dashes_is_for_the_host(words: list[str], command: list[str]) -> None:
    _, action, arguments = parse(["instance", "shell", "box", *words])
    assert action is not None
    assert (action.id, arguments) == ("instance.shell", {"instance": "box", "command": command})


def test_a_machine_without_an_address_has_none_and_json_neither(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDTUI_HOME", str(tmp_path))
    catalog = Catalog.open(Paths(tmp_path))
    row: Any = Instance(id="i1", name="train-1", provider="aws", cloud_state="stopped", launch_id="l1")
    catalog.instances.add(row)
    with pytest.raises(RefusedError, match="train-1 has no address: it is stopped"):
        shell(Session(Paths(tmp_path), catalog), "train-1")
    catalog.close()
    assert main(["--json", "instance", "shell", "local"]) == 2
    assert "usage" in capsys.readouterr().out


def two_forwards(home: Path) -> Catalog:
    """A port and a Jupyter, which an engine that is gone had open."""
    catalog = Catalog.open(Paths(home))
    box = next(one for one in catalog.instances.list() if one.address.host)
    for kind, remote, local in ((FORWARD, 8080, 9000), (JUPYTER, 0, 8888)):
        one = forwards.ask_for(catalog, kind, box, remote)
        catalog.operations.take(one.id)
        said = {"state": "open", "local": local, "remote": remote or 20123, "engine": 1}
        catalog.operations.set_progress(one.id, said)
    return catalog


async def test_the_list_says_how_they_are_and_a_jupyter_is_stopped_after_a_word(story: Path) -> None:
    with contextlib.closing(two_forwards(story)) as catalog:
        async with desktop(story, (80, 24), first="instances") as (app, pilot):
            await pilot.press("F")
            await wait_until(pilot, lambda: "127.0.0.1:8888" in screen(app))
            shown = screen(app)
            assert "Forwarded ports 2" in shown
            assert shown.count("◌ waiting") == 2
            assert "20123 Jupyter" in shown
            assert "No engine runs." in shown
            await pilot.press("down", "s")
            await wait_until(pilot, lambda: "kernels" in screen(app))
            await pilot.press("escape")
            await wait_until(pilot, lambda: "kernels" not in screen(app))
            assert len(catalog.operations.open_of(LASTING)) == 2
            await pilot.press("up", "s")
            await wait_until(pilot, lambda: len(catalog.operations.open_of(LASTING)) == 1)
            await wait_until(pilot, lambda: "127.0.0.1:9000" not in screen(app))
            await pilot.press("y")  # a Jupyter that is not to be reached has no address
            await wait_until(pilot, lambda: "cannot be reached" in screen(app))
            await pilot.press("enter")  # nor is it opened in a browser
            await wait_until(pilot, lambda: screen(app).count("cannot be reached") == 2)


def test_a_machine_whose_jupyter_is_here_is_not_forgotten_with_it(tmp_path: Path) -> None:
    with contextlib.closing(Catalog.open(Paths(tmp_path))) as catalog:
        box = catalog.instances.add(
            Instance(id="i1", name="box", provider="ssh", address=Address("box"), created_at=1.0)
        )
        session = Session(Paths(tmp_path), catalog)
        one = forwards.ask_for(catalog, JUPYTER, box)
        with pytest.raises(RefusedError, match="is forwarded here"):
            instance.forget(session, "box")
        forwards.stop(catalog, forwards.told(catalog, one, None))
        assert instance.forget(session, "box").forgotten_at is not None


@pytest.mark.parametrize(
    ("remote", "local", "meant"),
    [("8888", None, (8888, 0)), ("8888:9000", None, (8888, 9000)), ("8888", 9000, (8888, 9000))],
)
def test_ports_are_said_in_one_word_or_two(remote: str, local: int | None, meant: tuple[int, int]) -> None:
    assert ports.ports(remote, local) == meant


@pytest.mark.parametrize(
    ("remote", "local"), [("", None), ("0", None), ("65536", None), ("80x", None), ("80:", None), ("1:2", 3)]
)
def test_what_is_no_port_is_said(remote: str, local: int | None) -> None:
    with pytest.raises(UsageError):
        ports.ports(remote, local)


def test_no_browser_gets_a_token_in_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: bool(opened.append(url)) or True)
    session = Session(Paths(tmp_path))
    token = forwards.make_token(session.paths, "op1")
    one = Forwarded("op1", "i1", "box", "jupyter", 20123, 8888, "open", "", 1.0)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform != "darwin":
        with pytest.raises(RefusedError, match="No browser"):
            ports.browse_to(session, one)
    monkeypatch.setenv("DISPLAY", ":0")
    ports.browse_to(session, one)
    assert token not in opened[0]
    assert opened[0].startswith("file:///")
    assert token in Path(opened[0].removeprefix("file://")).read_text()
