"""What a machine's end would take with it: named before, and as far as it can be brought here before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.engine.catalog.helpers import a_run, finish, metric
from tests.engine.fleet.world import World
from tests.support.clouds.toy import ToyListed

from cloudtui_engine import kept
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet import commands, spot
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.run import RunState
from cloudtui_engine.runs.ingest import Ingest

MakeWorld = Callable[..., World]


def test_a_checkpoint_that_is_nowhere_else_must_be_named(make_world: MakeWorld) -> None:
    world = make_world(ToyListed)
    box = world.launched(name="box")
    run = world.catalog.runs.create(a_run("cnn-3"), [box.id])
    finish(world.catalog, run.id, state=RunState.STOPPED)
    with pytest.raises(RefusedError, match=r"cnn-3 \(its checkpoint\)") as raised:
        commands.submit_terminate(world.catalog, box)
    assert "run resume cnn-3" in raised.value.hint
    found = kept.Kept(world.paths, run.id)
    found.folder.mkdir(parents=True)
    found.blob("ab" * 32).write_bytes(b"weights")
    found.save(kept.KeptSet(1, 0.0, (kept.KeptFile("step-7.ckpt", 7, "ab" * 32),)))
    assert commands.at_stake(world.catalog, box.id), "what came here may be an older one"
    keeping = world.catalog.operations.submit("run.keep", run.id, {"attempt": 1})
    world.catalog.operations.finish(keeping.id, {"attempt": 1, "step": 7, "files": 1})
    assert commands.at_stake(world.catalog, box.id) == []
    found.drop()
    assert commands.at_stake(world.catalog, box.id), "nobody else has it any more"


def test_what_failed_before_it_logged_anything_saved_nothing(world: World) -> None:
    box = world.launched(name="box")
    run = world.catalog.runs.create(a_run("cnn-3"), [box.id])
    finish(world.catalog, run.id, state=RunState.FAILED)
    assert commands.at_stake(world.catalog, box.id) == []
    source = world.catalog.sources.open(box.id, run.id, 1, "trainer")
    into = Ingest(world.catalog, source, 0.0)
    into.feed(0, metric(1, {"train/loss": 0.5}))
    into.commit()
    assert [str(one) for one in commands.at_stake(world.catalog, box.id)] == ["cnn-3 (its checkpoint)"]
    again = world.catalog.runs.add_attempt(run.id, [box.id], world.clock.now())
    finish(world.catalog, run.id, again.number, state=RunState.SUCCEEDED)
    assert commands.at_stake(world.catalog, box.id) == [], "it went on to its end"


def test_the_only_copy_of_data_must_be_named(make_world: MakeWorld) -> None:
    world = make_world(ToyListed)
    box, other = world.launched(name="box"), world.launched(name="other")
    scans = Dataset(new_id(), "scans", 2, "image", "ab" * 32, 9, {}, (), source="box:/data/x")
    world.catalog.datasets.add(scans)
    world.catalog.datasets.add_copy(scans.id, box.id, 1.0)
    with pytest.raises(RefusedError, match="scans@2"):
        commands.submit_terminate(world.catalog, box)
    assert commands.at_stake(world.catalog, other.id) == []
    world.catalog.datasets.add_copy(scans.id, other.id, 1.0)
    assert commands.at_stake(world.catalog, box.id) == [], "another one has it"
    world.end(other)
    commands.submit_terminate(world.catalog, box, unpulled=["scans@2"])


def test_what_runs_where_the_disk_goes_with_the_machine_is_kept(make_world: MakeWorld) -> None:
    world = make_world(ToyListed)
    box = world.launched(name="box")
    run = world.catalog.runs.create(a_run("cnn-3"), [box.id])
    kept_here = list(spot.due(spot.read(world.catalog, world.clock.now())))
    assert [(kind, target, args) for kind, target, _, args in kept_here] == [
        ("run.keep", run.id, {"attempt": 1})
    ], "its cloud cannot stop it: its deadline ends it with its disk"
