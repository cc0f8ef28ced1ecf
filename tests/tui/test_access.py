"""A shell from both faces, as far as no host is needed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.app import SuspendNotSupported

from cloudtui import actions
from cloudtui.cli.main import main
from cloudtui.cli.parser import parse
from cloudtui.handlers.session import Session
from cloudtui.handlers.shell import shell
from cloudtui.lending import lend
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, RefusedError, UnreachableError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance


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
        assert "The connection to box was lost." in capsys.readouterr().out


def test_it_changes_things_so_a_read_only_desktop_has_none() -> None:
    assert actions.changes(actions.get("instance.shell"))


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
