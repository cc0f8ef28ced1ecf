"""What the desktop says of the operations that were started on it, and what its log says was done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import open_catalog

from cloudtui import carrying
from cloudtui.actions import get
from cloudtui.carrying import carry_out
from cloudtui.handlers import dataset
from cloudtui.handlers.session import Session
from cloudtui.performing import Performer
from cloudtui_engine.catalog import Catalog


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


def test_an_operation_that_a_restored_backup_took_away_is_let_go(catalog: Catalog) -> None:
    said: list[str] = []
    app = SimpleNamespace(notify=lambda text, **_options: said.append(text))
    bridge = SimpleNamespace(catalog=catalog)
    performer = Performer(cast("Any", app), cast("Any", bridge), lambda _area, _key: None)
    done = catalog.operations.submit("run.sync", "", {}, None)
    catalog.operations.finish(done.id)
    performer.underway.operations |= {"gone": "Probe", done.id: "Catch up"}
    performer.operations_changed()
    assert performer.underway.operations == {}
    assert said == ["Catch up: done."]


def test_data_that_a_training_adds_first_is_in_the_log_too(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "add_here", lambda *_: SimpleNamespace(version=3))
    monkeypatch.setattr(carrying, "resolve", lambda _: lambda _session, **arguments: arguments)
    session = Session(catalog.paths, catalog, wait=False)
    asked = {"dataset": "built-in:digits", "on": ["local"]}
    outcome = carry_out(session, get("run.start"), [{}], asked, {})
    assert outcome.done[0]["dataset"] == "digits@3"
    commands = [one.command for one in catalog.action_log.list()]
    assert commands == [
        "cloudtui run start --dataset digits@3 --on local",
        "cloudtui dataset add digits digits",
    ]
