"""What comes from a host is shown as it is cleaned, and does nothing."""

from __future__ import annotations

from array import array
from pathlib import Path

from tests.support import seed
from tests.tui.desk import desktop, screen, settle

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance, LinkState
from cloudtui_engine.records.run import RunState

EVIL = "[@click=app.leave][bold red]x[/] \x1b]52;c;aGk=\x07\x1b[2J\u202e漢字家族👩‍👩‍👧 \n two"


def hostile_home(home: Path) -> None:
    catalog = Catalog.open(Paths(home))
    catalog.instances.add(
        Instance(
            "cevilevilevilev1",
            EVIL,
            "ssh",
            link_state=LinkState.REFUSED,
            link_detail=EVIL * 3,
            facts={"os": EVIL, "gpus": [{"name": EVIL}], "pythons": [{"path": EVIL, "version": EVIL}]},
            gpus=({"name": EVIL, "utilization": float("nan"), "memory_bytes": 0, "memory_used_bytes": 5},),
        )
    )
    values = array("d", [float("nan"), float("inf"), -1e308, 1e308, 0.0])
    points = Points(array("q", range(5)), array("d", [seed.NOW] * 5), values)
    run = seed.add_run(
        catalog,
        EVIL,
        RunState.FAILED,
        on="cevilevilevilev1",
        age_s=90,
        reason=EVIL,
        params={EVIL: EVIL},
        columns={EVIL: points, "loss": points},
        log=EVIL * 5,
        progress={"epoch": 10**30, "epochs": -1, "step": 2.5},
    )
    catalog.runs.tag(run.id, [EVIL])
    catalog.runs.set_note(run.id, EVIL)
    catalog.runs.add_artifacts(run.id, 1, [(EVIL, EVIL, 2**62, "ab" * 32)])
    catalog.events.add(run.id, "error", "x", EVIL, t=seed.NOW)
    catalog.close()


async def test_hostile_names_change_nothing_but_text(tmp_path: Path) -> None:
    hostile_home(tmp_path / "home")
    async with desktop(tmp_path / "home", (120, 40)) as (app, pilot):
        for keys in (["3"], ["]"], ["]"], ["]"], ["]"], ["1"], ["down"], ["ctrl+p", "x"]):
            await pilot.press(*keys)
            await settle(pilot)
            text = screen(app)
            assert "\x1b" not in text
            assert "\u202e" not in text
            assert "\x07" not in text
            assert len({len(line) for line in text.splitlines()}) >= 1
        assert app.is_running
    assert app.return_value is None


async def test_markup_is_shown_as_text(tmp_path: Path) -> None:
    hostile_home(tmp_path / "home")
    async with desktop(tmp_path / "home", (160, 40)) as (app, pilot):
        assert "[@click=app.leave]" in screen(app)
        await pilot.press("d")
        await settle(pilot)
        assert "[@click=app.leave]" in screen(app)
        await pilot.press("escape", "]")
        await settle(pilot)
        assert "[bold red]x[/]" in screen(app)


async def test_wide_characters_keep_the_columns_in_place(tmp_path: Path) -> None:
    catalog = Catalog.open(Paths(tmp_path / "home"))
    local = catalog.instances.ensure_local()
    for name in ("漢字" * 30, "ascii", "é" * 40, "👍🏽 thumbs"):
        seed.add_run(catalog, name, RunState.SUCCEEDED, on=local.id, age_s=60, exit_code=0)
    catalog.close()
    async with desktop(tmp_path / "home") as (app, _pilot):
        strips = app.screen._compositor.render_strips()
        assert {strip.cell_length for strip in strips} == {120}
