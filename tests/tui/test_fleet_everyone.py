"""The list of every home's machines on the desktop: one of another home ends only by its typed name."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.support.seed import NOW
from tests.support.seed_fleet import AWAY
from tests.tui.desk import check, desktop, screen, wait_until

from cloudtui.dialogs.everyone import EveryoneScreen
from cloudtui.dialogs.orphans import OrphansScreen
from cloudtui.dialogs.typed_confirm import TypedConfirm
from cloudtui.handlers.everyone import Everyone, after, warning
from cloudtui_engine import operations
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.launch import Orphan
from cloudtui_engine.records.survey import SURVEY, Stranger, Surveyed
from cloudtui_providers import registry

BOX = Orphan(
    "aws", "us-east-1", "i-0lost1", "t-1", "box", "g5.xlarge", False, "running", AWAY, None, NOW, NOW
)
LOST = Stranger(BOX, "0123456789abcdef", NOW - 7200, NOW + 3600)


def test_whose_a_machine_is_is_said() -> None:
    everyone = Everyone((Surveyed("aws", (LOST,), asked_at=1.0), Surveyed("gcp")), "c0ffee")
    assert everyone.whose(LOST) == "01234567"
    assert [one.provider for one in everyone.silent] == ["gcp"]
    assert "another home (01234567)" in warning(LOST, "c0ffee")
    assert "does not say" in warning(Stranger(BOX), "c0ffee")
    assert Everyone((), LOST.owner).whose(LOST) == "this home"
    assert after(LOST, LOST.owner) == []


async def test_the_machine_of_a_lost_home_ends_by_its_typed_name(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "ensure_engine", lambda *_args: None)
    monkeypatch.setattr(registry, "names", lambda: ("aws",))
    with closing(Catalog.open(Paths(story))) as catalog:
        asked = catalog.operations.submit(SURVEY, "aws", {})
        catalog.operations.take(asked.id)
        result = {"found": [LOST.as_dict()], "regions": 17, "incomplete": {}, "asked_at": NOW}
        catalog.operations.finish(asked.id, result)
        async with desktop(story, (80, 24), first="instances") as (app, pilot):
            await pilot.press("o")
            await wait_until(pilot, lambda: isinstance(app.screen, OrphansScreen))
            await pilot.press("e")
            await wait_until(
                pilot, lambda: isinstance(app.screen, EveryoneScreen) and "i-0lost1" in screen(app)
            )
            check("everyone-80x24", screen(app))
            await pilot.press("X")
            await wait_until(pilot, lambda: isinstance(app.screen, TypedConfirm))
            await pilot.press(*"bo", "enter")
            assert isinstance(app.screen, TypedConfirm), "not before its whole name stands there"
            assert catalog.operations.list() == [catalog.operations.get(asked.id)]
            await pilot.press("x", "enter")
            await wait_until(pilot, lambda: len(catalog.operations.list()) > 1)
        (ended,) = [one for one in catalog.instances.rented() if one.cloud_id == "i-0lost1"]
        assert (ended.wanted, ended.provider, ended.name) == ("terminated", "aws", "box")
