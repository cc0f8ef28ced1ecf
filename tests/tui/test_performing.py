"""What the desktop says of the operations that were started on it, and what its log says was done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import open_catalog
from tests.support.clouds.toy import ToyCloud, ToyListed

from cloudtui import carrying
from cloudtui.actions import get
from cloudtui.carrying import carry_out
from cloudtui.handlers import dataset, fleet
from cloudtui.handlers.session import Session
from cloudtui.performing import Performer
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.records.instance import Instance
from cloudtui_providers import registry


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


def test_a_stop_that_waits_for_its_host_says_so_once(catalog: Catalog) -> None:
    said: list[str] = []
    app = SimpleNamespace(notify=lambda text, **_options: said.append(text))
    performer = Performer(
        cast("Any", app), cast("Any", SimpleNamespace(catalog=catalog)), lambda _area, _key: None
    )
    asked = catalog.operations.submit("run.stop", "r1", {"attempt": 1})
    catalog.operations.take(asked.id)
    performer.underway.operations[asked.id] = "Stop"
    performer.operations_changed()
    assert said == []
    for tried in ("once", "twice"):
        catalog.operations.set_progress(asked.id, {"text": f"The host will be told. Tried {tried}.\x1b[2J"})
        performer.operations_changed()
    assert said == ["The host will be told. Tried once."]


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


@pytest.mark.parametrize(
    ("kind", "spot", "can"), [(ToyListed, False, False), (ToyCloud, True, False), (ToyCloud, False, True)]
)
async def test_what_cannot_be_stopped_is_refused_before_anybody_is_asked(
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: type[ToyCloud],
    spot: bool,
    can: bool,
) -> None:
    """By key as by command, with what to do instead; nothing is written down."""
    cloud = kind(tmp_path / "cloud")
    monkeypatch.setattr(registry, "provider", lambda _name: cloud)
    box = catalog.instances.add(
        Instance("i1", "box", "toy", created_at=1.0, cloud_id="toy-1", cloud_state="running", spot=spot)
    )
    said: list[tuple[str, str]] = []

    async def in_thread(work: Any, *given: Any) -> Any:
        return work(*given)

    async def ask(*_: Any) -> bool:
        said.append(("asked", ""))
        return False

    app = SimpleNamespace(notify=lambda text, title="", **_options: said.append((title, text)))
    bridge = SimpleNamespace(catalog=catalog, paths=catalog.paths, in_thread=in_thread)
    performer = Performer(cast("Any", app), cast("Any", bridge), lambda _area, _key: None)
    monkeypatch.setattr(performer, "_confirmed", ask)
    await performer._perform(get("instance.stop"), [box], {})
    if can:
        assert said == [("asked", "")]
        return
    ((what, instead),) = said
    assert what.startswith("Toy cloud cannot stop box")
    assert "cloudtui instance terminate box" in instead
    with pytest.raises(RefusedError, match="cannot stop box"):
        fleet.stop(Session(catalog.paths, catalog, wait=True), "box", yes=True)
    assert (catalog.instances.get("i1").wanted, catalog.operations.list(9)) == ("running", [])
