"""Fetches on the desktop: how far they are, and one stopped after a word."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tests.tui.desk import desktop, screen, wait_until

from cloudtui import actions
from cloudtui.outcomes import Outcomes
from cloudtui.underway import Underway
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.objects import fetches
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.dataset import Dataset


async def test_the_list_says_how_far_they_are_and_one_is_stopped_after_a_word(tmp_path: Path) -> None:
    with contextlib.closing(Catalog.open(Paths(tmp_path))) as catalog:
        made = fetches.ask_for(catalog, "pets", "s3://b/\x1b[31m[b]pets/", {})
        catalog.operations.take(made.id)
        catalog.operations.set_progress(made.id, {"text": "Fetched 1 kB of 2 kB", "done": 1, "total": 2})
        async with desktop(tmp_path, (80, 24), first="datasets") as (app, pilot):
            await pilot.press("F")
            await wait_until(pilot, lambda: "Fetches 1" in screen(app))
            shown = screen(app)
            for part in ("◌ waiting", "50%", "[b]pets/", "No engine runs. Fetched 1 kB of 2 kB", "s stop"):
                assert part in shown
            await pilot.press("s")
            await wait_until(pilot, lambda: "Stop the fetch?" in screen(app))
            await pilot.press("escape")
            await wait_until(pilot, lambda: "Stop the fetch?" not in screen(app))
            assert fetches.live(catalog)
            await pilot.press("s")
            await wait_until(pilot, lambda: "Stop the fetch?" in screen(app))
            await pilot.press("y")
            await wait_until(pilot, lambda: not fetches.live(catalog))
            await wait_until(pilot, lambda: "No datasets yet" in screen(app) and len(app.screen_stack) == 1)
            await pilot.press("F")
            await wait_until(pilot, lambda: "Nothing is being fetched" in screen(app))


def test_what_is_added_opens_the_list_and_its_end_names_the_version(tmp_path: Path) -> None:
    said: list[str] = []
    opened: list[str] = []
    with contextlib.closing(Catalog.open(Paths(tmp_path))) as catalog:
        made = fetches.ask_for(catalog, "pets", "s3://b/pets/", {})
        app: Any = SimpleNamespace(notify=lambda text, **_options: said.append(text))
        bridge = cast("Any", SimpleNamespace(catalog=catalog))
        underway = Underway(app, bridge, lambda error: said.append(error.message))
        outcomes = Outcomes(app, underway, lambda _area, _key: None, opened.append)
        outcomes.tell(actions.get("dataset.add"), [made])
        assert (opened, said) == (["dataset.fetches"], [])
        dataset = Dataset(
            "d1", "pets", 3, "image", "a" * 64, 9, {"train": 1}, ("cat",), source="s3://b/pets/"
        )
        catalog.operations.finish(made.id, {"dataset": catalog.datasets.add(dataset).id})
        underway.changed()
    assert said == ["pets v3 is ready, here."]
