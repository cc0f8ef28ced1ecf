"""What the desktop says of the operations that were started on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import open_catalog

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
