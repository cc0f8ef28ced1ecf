"""What was done is told as its command, by whichever face: with its end, without secrets, after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.tui.desk import desktop, screen, wait_until

from cloudtui.actions import get
from cloudtui.cli.main import main
from cloudtui.commanding.telling import tells_nothing, told
from cloudtui.dialogs.action_log import ActionLogScreen
from cloudtui.handlers import acting
from cloudtui.handlers.session import Session
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.paths import Paths


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    paths = Paths(tmp_path / "home")
    Catalog.open(paths).close()
    opened = Session(paths, wait=False)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("action", "arguments", "secret"),
    [
        ("run.script", {"on": ["a"], "env": {"WANDB_API_KEY": "abc"}, "command": ["python"]}, "abc"),
        (
            "run.script",
            {"on": ["a"], "env": {"X": "a-longer-value"}, "command": ["python"]},
            "a-longer-value",
        ),
        ("run.script", {"on": ["a"], "command": ["python", "a.py", "--api-key", "s3cr3t"]}, "s3cr3t"),
        ("run.script", {"on": ["a"], "command": ["git", "clone", "https://me:hunter2@h/x"]}, "hunter2"),
        (
            "run.script",
            {"on": ["a"], "setup": "export TOKEN=ghp_0123456789abcdef", "command": ["x"]},
            "ghp_0",
        ),
        ("run.start", {"dataset": "d", "params": {"hub_token": "t0k3n"}}, "t0k3n"),
        ("settings.set", {"key": "notify.webhook", "value": "https://h.example/T0/B0/xyz"}, "xyz"),
        ("settings.set", {"key": "notify.webhook", "value": "ftp://xyz/T0"}, "xyz"),
        ("settings.set", {"key": "notify.webhok", "value": "https://h.example/T0/B0/xyz"}, "xyz"),
        ("run.script", {"on": ["a"], "secret": ["WANDB=abc"], "command": ["python"]}, "abc"),
    ],
)
def test_no_secret_is_told(action: str, arguments: dict[str, Any], secret: str) -> None:
    assert secret not in told(get(action), arguments)
    assert not tells_nothing(get(action), arguments, f"x {secret} password={secret}")


def test_what_is_hidden_leaves_the_rest_a_command() -> None:
    arguments = {
        "on": ["a"],
        "env": {"A_TOKEN": "x"},
        "secret": ["HF_TOKEN"],
        "command": ["python", "x y.py"],
    }
    assert told(get("run.script"), arguments) == (
        "cloudtui run script --on a --env 'A_TOKEN=[secret]' --secret HF_TOKEN -- python 'x y.py'"
    )


def test_what_is_no_secret_can_be_done_again() -> None:
    arguments = {"on": ["a"], "env": {"GPUS": "2"}, "command": ["python", "a.py", "--max-tokens", "8"]}
    assert told(get("run.script"), arguments) == (
        "cloudtui run script --on a --env GPUS=2 -- python a.py --max-tokens 8"
    )
    assert tells_nothing(get("run.tag"), {"run": "a", "add": ["b"]}, "run tag a b")


def test_how_it_ended(session: Session) -> None:
    with acting.logged(session, get("run.tag"), {"run": "a", "add": ["b"]}, "desktop"):
        pass
    with pytest.raises(RefusedError), acting.logged(session, get("run.delete"), {"run": "a"}, "terminal"):
        raise RefusedError("a is running.")
    with pytest.raises(KeyboardInterrupt), acting.logged(session, get("run.sync"), {}, "terminal"):
        raise KeyboardInterrupt
    with acting.logged(session, get("run.list"), {}, "terminal"):
        pass  # it only reads
    found = acting.acts(session, 10)
    assert [(one.command, one.state, one.message, one.by) for one in found] == [
        ("cloudtui run sync", "interrupted", "", "terminal"),
        ("cloudtui run delete a", "failed", "a is running.", "terminal"),
        ("cloudtui run tag a b", "done", "", "desktop"),
    ]


def test_an_operation_says_how_it_goes_on(session: Session) -> None:
    catalog = session.catalog
    local = catalog.instances.ensure_local()
    with acting.logged(session, get("instance.probe"), {"instance": "local"}, "desktop"):
        operation = catalog.operations.submit("instance.probe", local.id, {})
    by_itself = catalog.operations.submit("instance.probe", local.id, {}, "engine's own")
    assert [(one.command, one.state, one.by) for one in acting.acts(session, 10)] == [
        ("cloudtui instance probe local", "pending", "engine"),
        ("cloudtui instance probe local", "pending", "desktop"),
    ]
    catalog.operations.fail(operation.id, {"message": "It does not answer, token=abcdef."})
    catalog.operations.finish(by_itself.id)
    states = [(one.state, one.message) for one in acting.acts(session, 10)]
    assert states == [("done", ""), ("failed", "It does not answer, token=[secret]")]


def test_a_home_that_is_not_there_is_not_made_for_its_log(tmp_path: Path) -> None:
    session = Session(Paths(tmp_path / "none"))
    with pytest.raises(RefusedError), acting.logged(session, get("run.tag"), {"run": "a"}, "terminal"):
        raise RefusedError("no")
    assert not (tmp_path / "none").exists()


def test_both_faces_and_the_list(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(story), "run", "tag", "resnet-base", "[bold]good"]) == 2  # no name for a tag
    assert main(["--home", str(story), "run", "note", "resnet-base", "fine"]) == 0
    capsys.readouterr()
    assert main(["--home", str(story), "action", "list", "--json", "--limit", "1"]) == 0
    assert '"command": "cloudtui run note resnet-base fine"' in capsys.readouterr().out
    assert main(["--home", str(story), "action", "list"]) == 0
    assert "✗ failed" in capsys.readouterr().out


async def test_the_desktop_lists_and_copies_what_it_did(story: Path) -> None:
    main(["--home", str(story), "run", "note", "resnet-base", "[@click=app.quit]x"])
    async with desktop(story, (120, 30)) as (app, pilot):
        run = app.bridge.catalog.runs.find("resnet-base")
        app.performer.perform(get("run.tag"), "run", [run], {"add": ["b"]})
        await wait_until(pilot, lambda: "b" in app.bridge.catalog.runs.find("resnet-base").tags)
        await pilot.press("L")
        await wait_until(pilot, lambda: isinstance(app.screen, ActionLogScreen) and app.screen.records)
        await wait_until(pilot, lambda: "run tag resnet-base b" in screen(app))
        assert "[@click=app.quit]x" in screen(app)
        assert "desktop" in screen(app)
        await pilot.press("y")
        await wait_until(pilot, lambda: app.clipboard == "cloudtui run tag resnet-base b")
        main(["--home", str(story), "run", "note", "resnet-base", "more"])
        await wait_until(pilot, lambda: "note resnet-base more" in screen(app))  # as long as it is open
