"""Evaluations, compressions, models, data and the training form, by keyboard and mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support import seed, seed_models
from tests.tui.desk import desktop, screen, settle, wait_until
from textual.widgets import Input, Select

from cloudtui.areas.evaluation.errors import ErrorsTab
from cloudtui.dialogs.form import FormDialog
from cloudtui.widgets.heat_map import HeatMap
from cloudtui.widgets.picture import Gallery
from cloudtui.widgets.rail import Rail
from cloudtui.widgets.tab_strip import TabStrip
from cloudtui_engine.catalog import Catalog, RunQuery
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import RunState


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of the screen starts a process."""
    monkeypatch.setattr("cloudtui.handlers.session.Session.ensure_engine", lambda _self: None)
    monkeypatch.setattr("cloudtui_engine.operations.ensure_engine", lambda _paths: None)


def option(app: Any, field: str, value: str) -> None:
    """Choose something in the form that is open."""
    app.screen.query_one(f"#field-{field}", Select).value = value


async def test_a_cell_opens_its_errors_and_a_shows_all(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("6", "end")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        heat_map = app.query_one(HeatMap)
        counts = heat_map.matrix.counts
        none = next((i, j) for i, row in enumerate(counts) for j, many in enumerate(row) if not many)
        heat_map.post_message(HeatMap.Opened(heat_map, *none))
        await wait_until(pilot, lambda: "was taken for" in screen(app))
        assert heat_map.is_on_screen, "a cell without errors leads nowhere"
        truth, taken = (heat_map.matrix.labels[place] for place in heat_map.cursor)
        await pilot.press("enter")
        await settle(pilot)
        assert f"{truth} → {taken}:" in screen(app)
        tab = app.query_one(ErrorsTab)
        assert tab.table.rows
        assert all((row.cells[1][0], row.cells[2][0]) == (truth, taken) for row in tab.table.rows)
        await pilot.press("a")
        await wait_until(pilot, lambda: "All classes:" in screen(app))
        assert tab.table.total == 100
        await pilot.press("escape")
        await settle(pilot)
        assert app.focused is app.area.pane.table  # type: ignore[union-attr]


async def test_a_cell_is_chosen_by_the_mouse(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("6", "end")
        await wait_until(pilot, lambda: app.query(HeatMap))
        await settle(pilot)
        heat_map = app.query_one(HeatMap)
        x = heat_map._label_width() + 3 + heat_map._cell_width() * 3 + 1
        await pilot.click(HeatMap, offset=(x, 3))
        assert heat_map.cursor == (2, 3)
        await pilot.click(HeatMap, offset=(x, 3), times=2)
        await settle(pilot)
        assert "Pullover → Dress:" in screen(app)
        assert app.query_one(ErrorsTab).display


async def test_the_picture_that_was_missed_is_drawn(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("6", *["down"] * 4)
        await settle(pilot)
        await pilot.press("]", "]")
        await settle(pilot)
        gallery = app.query_one(ErrorsTab).query_one(Gallery)
        cells = [segment for segment in gallery.render_line(3) if segment.text == "▀"]
        assert len({segment.style.color for segment in cells if segment.style}) > 2, "a digit has edges"


async def test_data_that_are_not_here_say_so_instead_of_a_picture(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("6", "end")
        await settle(pilot)
        await pilot.press("]", "]")
        await wait_until(pilot, lambda: "cannot be read here" in screen(app))


async def test_a_tab_that_one_evaluation_lacks_is_found_again_at_the_next(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("6", "end")
        await settle(pilot)
        await pilot.press("]", "]", "]")
        strip = app.area.query_one(TabStrip)  # type: ignore[union-attr]
        await settle(pilot)
        assert strip.current == "Calibration"
        await pilot.press("home")
        await settle(pilot)
        assert strip.tabs == ("Figures",)
        await pilot.press("end")
        await settle(pilot)
        assert strip.current == "Calibration"


async def test_a_compression_grows_while_it_is_measured(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("7", "down", "down")
        await settle(pilot)
        assert "3 of 6 candidates measured" in screen(app)
        assert "int8-dynamic" not in screen(app)
        catalog = Catalog.open(Paths(shelf))
        run = next(r for r in catalog.runs.list(RunQuery(kinds=("compress",))) if r.status == "running")
        catalog.runs.add_report(run.id, 1, "compression", seed.NOW, seed_models.compression(measured=5))
        catalog.close()
        await wait_until(pilot, lambda: "int8-dynamic" in screen(app))
        assert "5 of 6 candidates measured" in screen(app)


async def test_the_sentence_is_that_of_the_variant_under_the_cursor(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("7", "end")
        await settle(pilot)
        assert "Chosen. Loses at most 0.17 point" in screen(app)
        await pilot.press("enter", "down", "down")
        await settle(pilot)
        assert "6,000 rows cannot tell a drop of 0.5 point; 9,100 could." in screen(app)


@pytest.mark.parametrize(
    ("key", "area", "kind"), [("c", "compression", "compress"), ("v", "evaluation", "evaluate")]
)
async def test_a_job_is_started_from_a_model_and_shown(shelf: Path, key: str, area: str, kind: str) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("5")
        await settle(pilot)
        await pilot.press(key)
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        assert f"cloudtui model {kind if kind != 'evaluate' else 'evaluate'} resnet-base@1" in screen(app)
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: app.current == area)
        await settle(pilot)
        jobs = [
            run for run in app.bridge.catalog.runs.list(RunQuery(kinds=(kind,))) if run.status == "queued"
        ]
        assert len(jobs) == 1
        assert app.area is not None
        assert app.area.pane.table.cursor_key.startswith(jobs[0].id)  # type: ignore[union-attr]
        assert "◌ queued" in screen(app)


async def test_models_of_a_family_stand_together(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("5")
        await settle(pilot)
        names = [row.cells[0][0] for row in app.area.pane.table.rows]  # type: ignore[union-attr]
        assert names == ["resnet-base", "└ prune50-kd-int8 v1", "└ int8 v1"]
        assert "only on box-2" in screen(app)


async def test_a_model_whose_findings_cannot_be_read_says_so(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desktop(shelf) as (app, pilot):

        def broken(*_arguments: object) -> list[object]:
            raise CatalogError("The disk is full.", "Free some room.")

        with monkeypatch.context() as failing:
            failing.setattr(app.bridge.catalog.models, "evaluations", broken)
            await pilot.press("5")
            await wait_until(pilot, lambda: "✗ The disk is full." in screen(app))
        await pilot.press("down")
        await wait_until(pilot, lambda: "The disk is full." not in screen(app))


async def test_rows_are_paged_and_other_splits_shown(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("2", "end")
        await settle(pilot)
        await pilot.press("enter", "]", "]", "]")
        rows = app.bridge.catalog.datasets.find("people").splits
        await wait_until(pilot, lambda: f"train: rows 0–99 of {rows['train']}" in screen(app))
        await settle(pilot)
        await pilot.press("right")
        await wait_until(pilot, lambda: f"train: rows 100–{rows['train'] - 1} of" in screen(app))
        await pilot.press("right", "left")
        await wait_until(pilot, lambda: "train: rows 0–99 of" in screen(app))
        await pilot.press("s", "s")
        await wait_until(pilot, lambda: f"test: rows 0–{rows['test'] - 1} of" in screen(app))


async def test_the_rail_goes_to_the_new_areas(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.click(Rail, offset=(4, 6))
        await settle(pilot)
        assert app.current == "compression"


async def test_built_in_data_are_added_by_the_training_that_names_them(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("plus")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        option(app, "dataset", "built-in:digits")
        await wait_until(pilot, lambda: "cloudtui dataset add digits digits && cloudtui run" in screen(app))
        await pilot.press("ctrl+s")
        await wait_until(
            pilot, lambda: any(r.dataset == "digits" for r in app.bridge.catalog.runs.list()), 60
        )
        assert app.bridge.catalog.datasets.find("digits").splits["test"] == 360


async def test_the_form_fits_its_lines_to_the_data(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("plus")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        await pilot.click("#more")
        option(app, "dataset", "people@1")
        await wait_until(pilot, lambda: app.screen.query_one("#line-params-trees").display)
        assert not app.screen.query_one("#line-params-augment").display
        option(app, "model", "boosting")
        option(app, "dataset", "digits@1")
        await wait_until(pilot, lambda: app.screen.query_one("#line-params-augment").display)
        assert app.screen.query_one("#field-model", Select).value == "", "boosting is none of its models"
        option(app, "model", "resnet")
        await wait_until(pilot, lambda: "--model resnet" in screen(app))


async def test_what_is_wrong_is_told_beside_its_line_and_keeps_the_form(shelf: Path) -> None:
    async with desktop(shelf) as (app, pilot):
        await pilot.press("plus")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        epochs = app.screen.query_one("#field-params-epochs", Input)
        epochs.value = "many"
        await wait_until(pilot, lambda: "a whole number" in screen(app))
        app.screen.query_one("#field-params-dropout", Input).value = "2"
        epochs.value = "3"
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "0 to 0.95" in screen(app))
        assert app.focused is not None
        assert app.focused.id == "field-params-dropout"
        assert len(app.bridge.catalog.runs.list()) == 6


async def test_the_estimate_says_what_it_rests_on(shelf: Path) -> None:
    catalog = Catalog.open(Paths(shelf))
    box = next(one for one in catalog.instances.list() if one.name == "box-1")
    digits = catalog.datasets.find("digits")
    seed.add_run(
        catalog, "timed", RunState.SUCCEEDED, on=box.id, age_s=9000, took_s=40, data=digits,
        progress={"epoch": 20, "epochs": 20}, exit_code=0,
    )  # fmt: skip
    catalog.close()
    async with desktop(shelf) as (app, pilot):
        await pilot.press("plus")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        option(app, "dataset", "digits@1")
        await wait_until(pilot, lambda: "No measurement yet of cnn on local." in screen(app))
        option(app, "on", "box-1")
        await wait_until(pilot, lambda: "2.000 s an epoch on box-1" in screen(app))
        assert "About 0m 40s, about $0.01 (measured:" in screen(app)
        app.screen.query_one("#field-params-epochs", Input).value = "40"
        await wait_until(pilot, lambda: "About 1m 20s" in screen(app))
        option(app, "dataset", "fashion-mnist@2")
        await wait_until(pilot, lambda: "scaled by rows" in screen(app))
