"""The desktop by keyboard and mouse."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.support import seed
from tests.tui.desk import desktop, screen, settle, wait_until
from textual.events import Key
from textual.widgets import Input

from cloudtui.dialogs.confirm import ConfirmDialog
from cloudtui.dialogs.form import FormDialog
from cloudtui.dialogs.help import HelpScreen
from cloudtui.dialogs.host_key import HostKeyDialog
from cloudtui.dialogs.menu import MenuScreen
from cloudtui.dialogs.palette import Palette
from cloudtui.handlers.session import Session
from cloudtui.widgets.chart import Chart
from cloudtui.widgets.menu_bar import MenuBar
from cloudtui.widgets.rail import Rail
from cloudtui.widgets.status_bar import StatusBar
from cloudtui.widgets.tab_strip import TabStrip
from cloudtui.widgets.table import Table
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError, RefusedError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.operation import OperationState
from cloudtui_engine.records.run import RunState


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of the screen starts a process."""
    monkeypatch.setattr("cloudtui.handlers.session.Session.ensure_engine", lambda _self: None)
    monkeypatch.setattr("cloudtui_engine.operations.ensure_engine", lambda _paths: None)


async def test_number_keys_and_the_rail_go_to_areas(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        assert app.current == "runs"
        await pilot.press("1")
        await settle(pilot)
        assert app.current == "instances"
        await pilot.click(Rail, offset=(4, 4))
        await settle(pilot)
        assert app.current == "models"


async def test_areas_are_mounted_on_their_first_visit(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        assert [area.id for area in app.query(".area")] == ["runs"]
        await pilot.press("2")
        await settle(pilot)
        assert [area.id for area in app.query(".area")] == ["runs", "datasets"]


async def test_the_cursor_stays_on_its_run_when_runs_arrive(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("down", "down")
        table = app.query_one(Table)
        before = table.cursor_key
        catalog = Catalog.open(Paths(story))
        local = catalog.instances.ensure_local()
        seed.add_run(catalog, "newest", RunState.QUEUED, on=local.id, age_s=1)
        catalog.close()
        await wait_until(pilot, lambda: "newest" in screen(app))
        assert table.cursor_key == before
        assert table.cursor == 3


async def test_points_that_arrive_reach_the_chart(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: app.query(Chart))
        chart = app.query(Chart).first()
        points = len(chart.frame.rows) and sum(len(line) for line in chart._lines)
        catalog = Catalog.open(Paths(story))
        run = next(run for run in catalog.runs.list() if run.name == "resnet-kd-50")
        more = seed.curves(300, 3)["train/loss"]
        for index in range(300):
            more.steps[index] += 10_000
        catalog.metrics.append(run.id, 1, {"train/loss": more})
        catalog.close()
        await wait_until(pilot, lambda: sum(len(line) for line in chart._lines) == points + 300)


async def test_filter_is_applied_kept_and_cleared(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash", *"status:failed")
        await wait_until(pilot, lambda: "Runs 1" in screen(app))
        await pilot.press("enter")
        await settle(pilot)
        assert "/ status:failed" in screen(app)
        assert isinstance(app.focused, Table)
        await pilot.press("escape")
        await wait_until(pilot, lambda: "Runs 6" in screen(app))


async def test_a_filter_that_cannot_be_read_says_where(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("slash", *"metric.loss>")
        await wait_until(pilot, lambda: "cannot be read" in screen(app))
        await pilot.press("escape")
        await wait_until(pilot, lambda: "resnet-base" in screen(app))


async def test_enter_and_escape_go_between_list_and_detail(story: Path) -> None:
    async with desktop(story, (80, 24)) as (app, pilot):
        assert not app.query(TabStrip).first().region
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.focused, Chart)
        assert not app.query_one(Table).region
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.focused, Table)


async def test_a_double_click_opens(story: Path) -> None:
    async with desktop(story, (80, 24)) as (app, pilot):
        await pilot.click(Table, offset=(10, 2), times=2)
        await settle(pilot)
        assert "vit-small-aug-3 ── Charts" in screen(app)


async def test_tabs_by_key_and_mouse(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        strip = app.query_one(TabStrip)
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert strip.current == "Log"
        start, _, name = strip._places[2]
        await pilot.click(TabStrip, offset=(start, 0))
        await settle(pilot)
        assert strip.current == name == "Config"


async def test_sort_by_header(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        table = app.query_one(Table)
        await pilot.click(Table, offset=(3, 0))
        await wait_until(pilot, lambda: table.rows and table.rows[0].cells[0][0] == "vit-small-aug-3")
        await pilot.click(Table, offset=(3, 0))
        await wait_until(pilot, lambda: table.rows[0].cells[0][0] == "adult-mlp-7")


async def test_stop_asks_first_and_escape_does_nothing(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("s")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("escape")
        await settle(pilot)
        assert app.bridge.catalog.operations.list() == []
        await pilot.press("s")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await wait_until(pilot, lambda: app.bridge.catalog.operations.list())
        assert app.bridge.catalog.operations.list()[0].kind == "run.stop"


async def test_marked_runs_are_acted_on_together(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("end", "space", "up", "up", "space", "up")
        await pilot.press("d")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "2 runs" in screen(app)
        await pilot.press("y")
        await wait_until(pilot, lambda: "Runs 4" in screen(app))


async def test_an_action_that_is_not_possible_says_why(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("end", "s")
        await wait_until(pilot, lambda: "not in a state for that" in screen(app))


async def test_an_error_of_a_handler_is_told(story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cloudtui_engine.errors import UnreachableError

    def fail(*_arguments: object, **_named: object) -> None:
        raise UnreachableError("box-2 refused the key.", "Check ~/.ssh/config.")

    monkeypatch.setattr("cloudtui.handlers.start.again", fail)
    async with desktop(story) as (app, pilot):
        app.perform("run.again")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "box-2 refused the key." in screen(app))
        assert "Check ~/.ssh/config." in screen(app)


async def test_train_form_starts_a_run(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("plus")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        app.screen.query_one("#field-params-epochs", Input).value = "7"
        app.screen.query_one("#field-name", Input).value = "by-hand"
        await wait_until(pilot, lambda: "epochs=7" in screen(app) and "--name by-hand" in screen(app))
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: any(run.name == "by-hand" for run in app.bridge.catalog.runs.list()))
        run = app.bridge.catalog.runs.find("by-hand")
        assert run.params == {"epochs": 7}
        await wait_until(pilot, lambda: app.query_one(Table).cursor_key == run.id)


async def test_menus_by_key_and_mouse(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("f10")
        await wait_until(pilot, lambda: isinstance(app.screen, MenuScreen))
        await pilot.press("right", "enter")
        await settle(pilot)
        assert app.current == "instances"
        await pilot.click(MenuBar, offset=(8, 0))
        await wait_until(pilot, lambda: isinstance(app.screen, MenuScreen))
        await pilot.press("escape")
        await settle(pilot)


async def test_palette_finds_runs_and_actions(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("ctrl+p", *"adult")
        await wait_until(pilot, lambda: isinstance(app.screen, Palette) and "adult-mlp-7" in screen(app))
        await pilot.press("enter")
        await settle(pilot)
        assert "adult-mlp-7 ── Charts" in screen(app)
        await pilot.press("ctrl+p", *"datasets")
        await pilot.press("enter")
        await settle(pilot)
        assert app.current == "datasets"


async def test_help_tells_the_keys_of_the_area(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("question_mark")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "Stop: ask a run to stop" in screen(app)
        await pilot.press("escape")
        await pilot.press("1", "question_mark")
        await wait_until(pilot, lambda: "Probe: connect and look" in screen(app))


async def test_the_status_bar_names_keys_of_the_focus_and_can_be_clicked(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        bar = app.query_one(StatusBar)
        start = next(start for start, _, action in bar._places if action == "home.help")
        await pilot.click(StatusBar, offset=(start, 0))
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("escape", "enter")
        await wait_until(pilot, lambda: "l log" in screen(app))


async def test_an_unknown_host_key_is_asked_about_once(story: Path) -> None:
    catalog = Catalog.open(Paths(story))
    operation = catalog.operations.submit("instance.add", "", {"name": "box-9"}, "key-1")
    catalog.operations.take(operation.id)
    catalog.operations.ask(operation.id, {"kind": "host_key", "host": "box-9", "fingerprint": "SHA256:abc"})
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: isinstance(app.screen, HostKeyDialog))
        assert "SHA256:abc" in screen(app)
        await pilot.click("#yes")
        await wait_until(pilot, lambda: catalog.operations.get(operation.id).answer == {"accept": True})
        assert catalog.operations.get(operation.id).state is OperationState.PENDING
    catalog.close()


async def test_light_and_dark(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        app.perform("view.theme")
        await settle(pilot)
        assert app.theme == "cloudtui-light"
        assert app.bridge.catalog.settings.get("desktop.theme", None) == "light"


async def test_leaving_counts_what_goes_on(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: app.surroundings.overview.live_runs == 3)
        await pilot.press("q")
        assert app.return_value == 3


async def test_a_window_of_many_runs(tmp_path: Path) -> None:
    made = seed.many(tmp_path / "home", runs=1200, points=24_000)
    made.catalog.close()
    async with desktop(tmp_path / "home") as (app, pilot):
        table = app.query_one(Table)
        assert len(table.rows) <= 500
        assert table.total == 1200
        await pilot.press("end")
        await settle(pilot)
        assert table.cursor == 1199
        assert table.cursor_key == made.runs[-1].id
        assert len(table.rows) <= 500
        await pilot.press("pageup", "pageup")
        await settle(pilot)
        assert table.cursor_key == made.runs[table.cursor].id
        await pilot.press("home")
        await settle(pilot)
        assert table.cursor_key == made.runs[0].id


async def test_what_does_not_change_is_not_drawn_again(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        table = app.query_one(Table)
        drawn = 0
        real = table.refresh

        def count(*arguments: object, **named: object) -> Table:
            nonlocal drawn
            drawn += 1
            return real(*arguments, **named)  # type: ignore[arg-type]

        table.refresh = count  # type: ignore[method-assign, assignment]
        for _ in range(3):
            app._tick()
            app.area.reload()
            await settle(pilot)
        assert drawn == 0


async def test_a_sudden_storm_of_changes_is_read_one_at_a_time(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        area = app.area
        assert area is not None
        reads = 0
        real = area.fetch

        def slow(bridge: object, request: object) -> object:
            nonlocal reads
            reads += 1
            time.sleep(0.02)
            return real(bridge, request)  # type: ignore[arg-type]

        area.fetch = slow  # type: ignore[method-assign, assignment]
        for _ in range(50):
            area.reload()
        await settle(pilot)
        assert reads <= 3


async def test_a_catalog_that_cannot_be_read_for_a_while_leaves_the_desktop_standing(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desktop(story) as (app, pilot):
        asked = 0

        def full(*_arguments: object) -> int:
            nonlocal asked
            asked += 1
            raise CatalogError("The disk is full.", "Free some room.")

        with monkeypatch.context() as broken:
            broken.setattr("cloudtui.areas.runs.pages.listing", full)  # a list being read would show itself
            broken.setattr(app.bridge.catalog, "data_version", full)
            await wait_until(pilot, lambda: "✗ The disk is full." in screen(app) and asked)
            assert "Free some room." in screen(app)
        await wait_until(pilot, lambda: "resnet-base" in screen(app))
        assert app.area is not None
        assert not app.area.failed


async def test_a_list_whose_read_failed_once_is_read_again(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desktop(story) as (app, pilot):
        assert app.area is not None
        with monkeypatch.context() as broken:

            def damaged(*_arguments: object) -> None:
                raise CatalogError("The catalog is damaged: page 7.", "Restore a backup.")

            broken.setattr("cloudtui.areas.runs.pages.listing", damaged)
            app.area.reload()
            await wait_until(pilot, lambda: "page 7" in screen(app))
        await wait_until(pilot, lambda: "resnet-base" in screen(app))


async def test_a_second_on_the_charts_asks_the_catalog_nothing(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desktop(story) as (app, pilot):
        await wait_until(pilot, lambda: app.query(Chart))

        def never() -> None:
            raise AssertionError("The screen's loop reads the catalog.")

        monkeypatch.setattr(app.bridge.catalog.instances, "list", never)
        app._tick()


async def test_keys_in_a_burst_land_in_their_lines(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("1", "plus")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        keys = [*"box-7", "tab", *"root@host", "tab", *"key"]
        for key in keys:
            app.post_message(Key(key, key if len(key) == 1 else None))
        await wait_until(pilot, lambda: [line.value for line in app.screen.query(Input)][2] == "key")
        assert [line.value for line in app.screen.query(Input)][:2] == ["box-7", "root@host"]


async def test_what_a_form_lacks_is_said_once(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        await pilot.press("1", "plus")
        await wait_until(pilot, lambda: isinstance(app.screen, FormDialog))
        await pilot.press("ctrl+s")
        await wait_until(
            pilot, lambda: screen(app).count("is missing.") == 1 and "Name is missing. " in screen(app)
        )


async def test_one_that_refuses_does_not_hide_what_the_others_did(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cloudtui.handlers import run as runs

    real, seen = runs.delete, []

    def first_refuses(session: Session, run: str) -> object:
        seen.append(run)
        if len(seen) == 1:
            raise RefusedError("It is being pulled.", "Wait for it.")
        return real(session, run)

    monkeypatch.setattr(runs, "delete", first_refuses)
    async with desktop(story) as (app, pilot):
        await pilot.press("end", "space", "up", "up", "space", "up", "d")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await wait_until(pilot, lambda: "Delete: 1 of 2 done, 1 not." in screen(app))
        assert "It is being pulled." in screen(app)
        await wait_until(pilot, lambda: "Runs 5" in screen(app))


async def test_a_config_that_cannot_be_read_says_so_and_comes_back(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desktop(story) as (app, pilot):

        def broken(*_arguments: object, **_named: object) -> list[object]:
            raise CatalogError("The disk is full.", "Free some room.")

        with monkeypatch.context() as failing:
            failing.setattr(app.bridge.catalog.events, "list", broken)
            await pilot.press("right_square_bracket", "right_square_bracket")
            await wait_until(pilot, lambda: "✗ The disk is full." in screen(app))
        await pilot.press("down")
        await wait_until(pilot, lambda: "crunvitsmallaug3" in screen(app))
        assert "The disk is full." not in screen(app)


async def test_an_operation_whose_row_is_gone_is_forgotten(story: Path) -> None:
    async with desktop(story) as (app, pilot):
        app.performer.underway.operations["c0000000000gone0"] = "Probe"
        app.performer.operations_changed()
        await settle(pilot)
        assert not app.performer.underway.operations


async def test_a_look_that_was_chosen_is_there_from_the_first_paint(story: Path) -> None:
    async with desktop(story, look="cloudtui-light") as (app, pilot):
        assert app.current_theme.dark is False
        assert app.screen.styles.background.hex.lower() == "#fbfcfd"
        app.perform("view.theme")
        await settle(pilot)
        assert app.screen.styles.background.hex.lower() == "#16191e"


async def test_a_crash_tells_no_value_of_a_variable(
    story: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some are secrets: a passphrase on its way to the engine."""
    monkeypatch.setenv("COLUMNS", "200")

    def crash(passphrase: str) -> None:
        raise ZeroDivisionError(len(passphrase))

    async def crashed() -> None:
        async with desktop(story) as (app, pilot):
            app.call_next(crash, "-".join(("canary", "7f3a")))
            await wait_until(pilot, lambda: app.return_code == 1)

    with pytest.raises(ZeroDivisionError):
        await crashed()
    told = capsys.readouterr().err
    assert "ZeroDivisionError: 11" in told
    assert "canary-7f3a" not in told
