"""How the desktop is laid out outlives it: what is kept is read as far as it can be, and written seldom."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.tui.desk import desktop, screen, settle, wait_until

from cloudtui import layout
from cloudtui.keeping import Keeping
from cloudtui.layout import Layout, Left
from cloudtui.visited import Visited
from cloudtui.widgets.table import Table
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.paths import Paths

LAID_OUT = {
    "area": "datasets",
    "areas": {
        "runs": {"tab": "Log", "sort": "-name", "filter": "status:finished"},
        "models": {"filter": "resnet", "shares": {"beside": 0.25, "above": 0.7}},
    },
}


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of the screen starts a process."""
    monkeypatch.setattr("cloudtui_engine.operations.ensure_engine", lambda _paths: None)


def kept(home: Path) -> Any:
    catalog = Catalog.open(Paths(home))
    found = catalog.settings.get(layout.KEY)
    catalog.close()
    return found


def keep(home: Path, value: Any) -> None:
    catalog = Catalog.open(Paths(home))
    catalog.settings.set(layout.KEY, value)
    catalog.close()


def test_a_layout_is_read_as_it_was_written() -> None:
    read = layout.read(LAID_OUT)
    assert read.of("runs") == Left("Log", "-name", "status:finished")
    assert read.of("compare") == Left()
    assert read.of("models").shares == {"beside": 0.25, "above": 0.7}
    assert layout.written(read) == LAID_OUT


@pytest.mark.parametrize(
    "kept",
    [
        None, 5, [], {"area": 5, "areas": 7}, {"areas": {"runs": []}},
        {"areas": {"runs": {"tab": ["Log"], "sort": 1, "filter": "a\x1b[2J"}}},
        {"areas": {"runs": {"filter": "x" * 5000, "shares": {"beside": 1.5, "above": "x", "b": True}}}},
        {"areas": {"runs": {"shares": [0.5]}}},
    ],
)  # fmt: skip
def test_what_cannot_be_a_layout_is_none(kept: object) -> None:
    assert layout.read(kept) == Layout()


class _Bridge:
    """Begins nothing."""

    def begin(self, name: str, work: object) -> None:
        self.begun = name


@pytest.mark.parametrize(
    ("left", "wanted"),
    [
        (Left("", "-name", "tag:a sort:cost"), ("tag:a sort:cost", "-name")),
        (Left("", "-weight", "tag:a"), ("tag:a", "-created")),
        (Left("", "name", "speed > 5"), ("", "name")),
        (Left("", "name", "tag:"), ("", "name")),
    ],
)
def test_a_column_or_a_word_that_is_no_more_is_left_out(left: Left, wanted: tuple[str, str]) -> None:
    visited = Visited(None, _Bridge(), Layout("nowhere", {"runs": left}))  # type: ignore[arg-type]
    visited.begin()
    assert visited.first == "runs"
    assert visited._request("runs")[:2] == wanted


def test_an_object_that_is_looked_for_is_hidden_by_no_filter() -> None:
    visited = Visited(None, _Bridge(), layout.read({**LAID_OUT, "area": "models"}))  # type: ignore[arg-type]
    visited.begin(key="r1")
    assert (visited.first, visited.wanted, visited._request("runs").filter) == ("runs", "r1", "")
    assert visited._request("models").filter == "resnet"


@pytest.mark.parametrize("read_only", [True, False])
def test_a_read_only_desktop_writes_nothing(read_only: bool) -> None:
    written: list[Any] = []
    settings = SimpleNamespace(set=lambda *pair: written.append(pair))
    bridge = SimpleNamespace(catalog=SimpleNamespace(settings=settings))
    chosen = SimpleNamespace(layout=Layout(), read_only=read_only)
    visited = SimpleNamespace(layout=Layout("models"))
    Keeping(*cast("Any", (None, bridge, chosen, visited))).keep()
    assert written == ([] if read_only else [(layout.KEY, {"area": "models", "areas": {}})])


async def test_the_desktop_opens_where_it_was_left(story: Path) -> None:
    async with desktop(story, (160, 40)) as (app, pilot):
        await pilot.press("slash", *"status:finished", "enter", "right_square_bracket")
        await pilot.click(Table, offset=(4, 0))
        await wait_until(pilot, lambda: "Name↓" in screen(app))
        await pilot.press("5")
        await settle(pilot)
        await pilot.press("q")
    assert kept(story) == {
        "area": "models",
        "areas": {"runs": {"tab": "Log", "sort": "-name", "filter": "status:finished"}},
    }
    keep(story, LAID_OUT)
    async with desktop(story, (160, 40), read_only=True) as (app, pilot):
        assert app.current == "datasets"
        await pilot.press("3")
        await settle(pilot)
        assert "/ status:finished" in screen(app)
        assert "Name↓" in screen(app)
        assert app.area is not None
        assert app.area.detail.strip.current == "Log"  # type: ignore[attr-defined]
        await pilot.press("slash", *"x", "escape", "5")
        await wait_until(pilot, lambda: "/ resnet" in screen(app))
        await settle(pilot)
        assert app.area.pane.size.width == round(app.area.size.width / 4)
        await pilot.press("q")
    assert kept(story) == LAID_OUT, "a read-only desktop writes nothing"


def test_a_layout_is_written_once_it_has_come_to_rest() -> None:
    written: list[Any] = []
    visited = SimpleNamespace(layout=Layout("runs"))
    settings = SimpleNamespace(set=lambda *pair: written.append(pair))
    keeping = Keeping(
        cast("Any", SimpleNamespace(run_worker=lambda work, **_options: work())),
        cast("Any", SimpleNamespace(in_thread=partial, catalog=SimpleNamespace(settings=settings))),
        cast("Any", SimpleNamespace(layout=visited.layout, read_only=False)),
        cast("Any", visited),
    )
    keeping.look()
    for area in ("models", "instances", "datasets"):
        visited.layout = Layout(area)
        keeping.look()
    assert written == []
    keeping.look()
    keeping.look()
    assert written == [(layout.KEY, {"area": "datasets", "areas": {}})]
