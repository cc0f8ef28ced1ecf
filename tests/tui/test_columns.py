"""The columns of the list of runs: chosen, ordered, kept, and part of a view."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from tests.support import seed
from tests.tui.desk import check, desktop, screen, settle, wait_until

from cloudtui import run_columns
from cloudtui.areas.runs import pages
from cloudtui.areas.runs.rows import COLUMNS, shown
from cloudtui.cli.main import main
from cloudtui.dialogs.columns import ColumnsDialog
from cloudtui.widgets.columns import layout
from cloudtui_engine.catalog import Catalog, views
from cloudtui_engine.errors import UsageError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import MetricSummary, Run, RunState

MAE = MetricSummary("mae", None, 1, 1, float("nan"), None, None, None, None)
RUN = Run("r1", "a[red]\x1b[2J", "train", RunState.FAILED, 2, ("box",), params={"lr": 0.003, "x.y": "z"},
          tags=("a", "b"), created_at=seed.NOW - 60, metrics={"mae": MAE})  # fmt: skip


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of the screen starts a process."""
    monkeypatch.setattr("cloudtui_engine.operations.ensure_engine", lambda _paths: None)


def told(name: str) -> str:
    return run_columns.column(name).cell(RUN, seed.NOW)[0]


def test_what_columns_tell() -> None:
    assert [told(one) for one in ("status", "attempt", "tags", "age", "params.lr", "param.x.y")] == [
        "✗ failed", "2", "a, b", "1m", "0.003", "z",
    ]  # fmt: skip
    assert [told(one) for one in ("param.none", "metrics.mae", "metric.none", "note", "cost", "dataset")] == [
        "–", "NaN", "–", "–", "–", "–",
    ]  # fmt: skip
    assert "\x1b" not in told("name")
    assert run_columns.column("METRICS.a b".replace("METRICS", "metrics")).sort == 'metric."a b"'


@pytest.mark.parametrize("names", [["nothing"], ["name", "NAME"], ["param.lr", "params.lr"], ["param."]])
def test_what_are_no_columns(names: list[str]) -> None:
    with pytest.raises(UsageError):
        run_columns.columns(names)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (None, run_columns.DEFAULT),
        ({"runs": "name"}, run_columns.DEFAULT),
        ({"runs": ["gone", 5, None]}, run_columns.DEFAULT),
        ({"runs": ["lost", "name", "params.lr", "name"]}, ("name", "param.lr")),
    ],
)
def test_what_was_kept_is_read_as_far_as_it_can_be(kept: object, expected: tuple[str, ...]) -> None:
    assert run_columns.kept(kept) == expected


def test_the_last_of_those_chosen_gives_way_first() -> None:
    chosen = run_columns.columns(["name", "cost", "param.lr"])
    assert [one.rank for one in chosen] == [0, 1, 2]
    assert [one.rank for one in run_columns.columns(run_columns.DEFAULT)] == [0, 0, 3, 4, 2, 1, 5, 6, 7]


def test_all_columns_have_room_on_a_wide_screen() -> None:
    """Of 200 cells the list has 105, one of which is its scroll bar's."""
    assert len(layout(COLUMNS, 104)) == len(COLUMNS)


async def test_columns_are_chosen_by_key_and_kept(story: Path) -> None:
    async with desktop(story, (200, 50)) as (app, pilot):
        await pilot.press("C")
        await wait_until(pilot, lambda: isinstance(app.screen, ColumnsDialog))
        await pilot.press("c", "space")  # the curve goes
        await pilot.press("l", "space")  # param.lr comes, as the last
        await wait_until(pilot, lambda: "✓ param.lr" in screen(app))
        box = app.screen.query_one(".dialog").region
        lines = screen(app).splitlines()[box.y : box.bottom]
        check("columns", "\n".join(line[box.x : box.right] for line in lines) + "\n")
        await pilot.press(*["K"] * 7, "enter")
        await wait_until(pilot, lambda: "0.003" in screen(app))
        await settle(pilot)
        head = screen(app).splitlines()[2]
        assert head.index("Name") < head.index("lr") < head.index("Status")
    with closing(Catalog.open(Paths(story))) as catalog:
        kept = pages.shown(catalog, "")
        assert kept.ids == ("name", "param.lr", *(one for one in run_columns.DEFAULT[1:] if one != "curve"))
        catalog.settings.unset(run_columns.KEY)
        assert shown(pages.shown(catalog, "").columns) == COLUMNS


def test_a_view_has_columns_of_its_own(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(story)]
    assert (
        main(["view", "save", "lr", "--filter", "status:finished", "--columns", "name,param.lr", *home]) == 0
    )
    assert main(["run", "list", "--view", "lr", *home]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[-4:]] == [
        ["Name", "lr"], ["resnet-base", "0.003"], ["adult-mlp-7", "0.003"], ["resnet-lr3", "0.003"],
    ]  # fmt: skip
    assert main(["view", "save", "lr", "--filter", "status:finished", *home]) == 4, "it is another view"
    assert main(["view", "columns", "name", "--view", "lr", *home]) == 0
    assert main(["run", "list", "--columns", "name,age,nothing", *home]) == 2
    capsys.readouterr()
    assert main(["run", "list", "--view", "lr", "--columns", "id", "--json", *home]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    catalog = Catalog.open(Paths(story))
    assert views.find(catalog, "lr").columns == ("name",)
    views.delete(catalog, "lr")
    assert catalog.settings.get("finding.view_columns") == {}
    catalog.close()
