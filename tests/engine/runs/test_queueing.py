"""No job begins on a machine that is gone or to go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import a_run, finish, open_catalog

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import RunState
from cloudtui_engine.runs import commands, queueing

BOX = Instance("c1", "box", "toy", cloud_id="m1", launch_id="l1", cloud_state="running")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"wanted": "terminated"}, "gone"),
        ({"cloud_state": "terminated"}, "gone"),
        ({"cloud_state": "vanished"}, "gone"),
        ({"wanted": "stopped"}, "stopped"),
    ],
)
def test_refused_where_the_machine_does_not_stay(catalog: Catalog, fields: dict[str, str], code: str) -> None:
    catalog.instances.add(BOX)
    ended = queueing.create(catalog, a_run("ended"), [BOX.id])
    finish(catalog, ended.id, state=RunState.FAILED)
    catalog.instances.update(BOX.id, **fields)
    for ask in (
        lambda: queueing.create(catalog, replace(a_run("new")), [BOX.id]),
        lambda: commands.resume(catalog, catalog.runs.get(ended.id)),
    ):
        with pytest.raises(RefusedError, match="box is") as raised:
            ask()
        assert raised.value.code == code
    assert [run.name for run in catalog.runs.list()] == ["ended"]
    assert catalog.runs.open_attempts() == []
