"""Export and picture by key: the form suggests a free file, and what is written is said."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.tui.desk import desktop, screen, settle, wait_until
from textual.pilot import Pilot

from cloudtui.app import CloudtuiApp
from cloudtui.dialogs.form import FormDialog
from cloudtui.panel_picture import taken
from cloudtui.widgets.chart import Chart
from cloudtui.widgets.table import Table


@pytest.fixture
def home(story_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(story_home, copy)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return copy


async def form(pilot: Pilot[int]) -> FormDialog:
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, FormDialog))
    await pilot.pause()
    assert isinstance(pilot.app.screen, FormDialog)
    return pilot.app.screen


def words(svg: str) -> str:
    """All text of a picture that parses."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    return " ".join(" ".join(part.split()) for part in root.itertext()).replace("\xa0", " ")


async def test_export_by_key(home: Path) -> None:
    async with desktop(home) as (app, pilot):
        assert isinstance(app, CloudtuiApp)
        name = app.area.selected()[0].name if app.area else ""
        await pilot.press("w")
        shown = await form(pilot)
        file = Path.cwd() / f"{name}.html"
        assert shown.values == {"file": str(file)}
        assert f"cloudtui run export {name}" in screen(app).replace("\n", " ")
        await pilot.press("ctrl+s")
        await wait_until(pilot, file.exists)
        await wait_until(pilot, lambda: "Export: written" in screen(app))
    assert name in file.read_text()


async def test_several_marked_runs_become_one_comparison(home: Path) -> None:
    async with desktop(home) as (app, pilot):
        await pilot.press("space", "down", "space", "w")
        shown = await form(pilot)
        file = Path(shown.values["file"])
        await pilot.press("ctrl+s")
        await wait_until(pilot, file.exists)
        assert "<h1>2 runs</h1>" in file.read_text()
        await pilot.press("c")
        await wait_until(pilot, lambda: getattr(app.area, "compared", None) is not None)
        await pilot.press("w")  # none of them is marked there: the comparison is meant
        assert Path((await form(pilot)).values["file"]).stem == f"{file.stem}-2"


async def test_the_focused_panel_as_a_picture(home: Path) -> None:
    async with desktop(home, size=(120, 30)) as (app, pilot):
        await pilot.press("P")
        shown = await form(pilot)
        file = Path(shown.values["file"])
        assert file.name == "Runs.svg"
        assert "cloudtui picture" not in screen(app)
        await pilot.press("ctrl+s")
        await wait_until(pilot, file.exists)
        await wait_until(pilot, lambda: "written" in screen(app))
    said = words(file.read_text())
    assert "Runs" in said
    assert "vit-small-aug-3" in said
    assert "Datasets" not in said  # the rail is another panel
    assert "://" not in file.read_text().replace("http://www.w3.org/2000/svg", "").replace(
        "https://www.textualize.io", ""
    )


async def test_what_is_told_in_a_corner_is_not_in_the_picture(home: Path) -> None:
    async with desktop(home) as (app, pilot):
        app.notify("A word in a corner", timeout=60)
        await wait_until(pilot, lambda: "A word in a corner" in screen(app))
        await pilot.press("P")
        shown = await form(pilot)
        file = Path(shown.values["file"])
        await pilot.press("ctrl+s")
        await wait_until(pilot, file.exists)
        assert "A word in a corner" in screen(app)
    assert "A word in a corner" not in words(file.read_text())


async def test_a_chart_is_a_panel_of_its_own(home: Path) -> None:
    async with desktop(home, size=(200, 50)) as (app, pilot):
        await pilot.press("enter")
        await settle(pilot)
        await wait_until(pilot, lambda: app.query(Chart))
        chart = app.query(Chart).first()
        chart.focus()
        await settle(pilot)
        picture = taken(app)
        assert picture.title == chart.title
        assert chart.title in words(picture.svg)
        assert "vit-small-aug-3" not in words(picture.svg)
        app.query_one(Table).blur()
        app.set_focus(None)
        assert "Datasets" in words(taken(app).svg)


async def test_a_picture_that_cannot_be_written_says_why(home: Path) -> None:
    (Path.cwd() / "there.svg").write_text("mine")
    async with desktop(home) as (app, pilot):
        await pilot.press("P")
        shown = await form(pilot)
        shown.query_one("#field-file").value = "there"  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "exists" in screen(app))
    assert (Path.cwd() / "there.svg").read_text() == "mine"
