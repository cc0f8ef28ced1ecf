"""What is not drawn or made again while fifty runs go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import seed
from textual.app import App, ComposeResult
from textual.widgets import Static

from cloudtui.areas.parts import Request
from cloudtui.areas.runs import pages
from cloudtui.areas.runs.area import RunsArea
from cloudtui.bridge import Bridge
from cloudtui.widgets.facts import Fact, Facts
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import RunState


class Sheet(App[None]):
    """A sheet of facts and nothing else."""

    def compose(self) -> ComposeResult:
        """The sheet."""
        yield Facts()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Of our themes, what facts are drawn with."""
        return {"muted": "#888888"}


async def test_a_sheet_is_laid_out_again_only_for_another_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out: list[bool] = []
    monkeypatch.setattr(Static, "update", lambda _self, _content, *, layout: laid_out.append(layout))
    async with Sheet().run_test() as pilot:
        sheet = pilot.app.query_one(Facts)
        for took in ("1m 03s", "1m 04s", "1m 04s", "59m 59s"):
            sheet.show([Fact("GPU 0", style="heading"), Fact("took", took)])
        sheet.show([Fact("took", "59m 59s")])
    assert laid_out == [True, False, True, True]


def test_the_row_of_a_run_that_is_over_is_made_once(tmp_path: Path) -> None:
    seed.story(tmp_path).catalog.close()
    bridge = Bridge(Paths(tmp_path), now=lambda: seed.NOW)
    try:
        area, catalog = RunsArea(bridge), bridge.catalog
        before, again = (pages.listing(catalog, Request(sort="-created")).records for _ in range(2))
        rows = {run.id: area.row(run, seed.NOW) for run in before}
        over = [run for run in again if run.status.is_finished]
        assert len(over) < len(again)
        assert all(area.row(run, seed.NOW + 5) is rows[run.id] for run in over)
        live = next(run for run in again if run.status is RunState.RUNNING)
        assert area.row(live, seed.NOW + 5) != rows[live.id]
        other = replace(over[0], name="renamed")
        assert area.row(other, seed.NOW).cells[0] == ("renamed", "")
    finally:
        bridge.close()
