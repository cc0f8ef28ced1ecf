"""A home that was copied changes nothing in a cloud until a person has said which of the two it is."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import open_catalog
from tests.engine.fleet.world import FastClock, World
from tests.support.clouds.faults import Fault

from cloudtui_engine import deciders
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet import commands, due, ending, enforcing, installation, launching, looking, trust
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.fleet.means import Interrupted, Means, Question
from cloudtui_engine.handlers import deadline, rent
from cloudtui_engine.handlers.context import Asked, Context, Withdrawn
from cloudtui_engine.records.instance import LinkState
from cloudtui_engine.records.launch import LaunchState, Wish


def copy_of(world: World, folder: Path) -> tuple[Catalog, Means]:
    shutil.copytree(world.paths.home, folder, ignore=shutil.ignore_patterns("*.sock"))
    catalog = open_catalog(folder)
    return catalog, Means(catalog, catalog.paths, threading.Event(), Clock())


def test_an_id_is_made_once_and_bound_here(world: World) -> None:
    first = installation.ensure(world.catalog, world.paths)
    assert installation.ensure(world.catalog, world.paths) == first == installation.owner(world.catalog)
    assert len(first) == 16
    assert not installation.is_copy(world.catalog, world.paths)


def test_on_another_machine_it_is_a_copy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "machine", lambda: "other")
    assert installation.is_copy(world.catalog, world.paths)
    monkeypatch.setattr(installation, "machine", lambda: "")
    assert not installation.is_copy(world.catalog, world.paths), "a machine without an id proves nothing"


def test_a_copy_asks_and_changes_nothing(world: World, tmp_path: Path) -> None:
    instance = world.launched(name="box")
    waiting = world.ask(name="next")
    catalog, means = copy_of(world, tmp_path / "copy")
    before = world.cloud.launches()
    with pytest.raises(RefusedError, match="was copied") as raised:
        commands.submit_launch(catalog, catalog.paths, Wish("toy", type="gpu-1"))
    assert raised.value.code == "installation"
    with pytest.raises(Question):
        launching.launch(means, waiting.launch_id)
    commands.submit_terminate(catalog, catalog.instances.get(instance.id))
    with pytest.raises(Question):
        ending.terminate(means, instance.id)
    looking.look(means, "toy")
    assert (world.cloud.launches(), len(world.living())) == (before, 1)
    for one in catalog.operations.pending():
        catalog.operations.cancel(one.id)
    assert {kind for kind, *_ in due.due(due.read(catalog, FastClock(1e9)))} == {"fleet.reconcile"}
    assert (due.keeps_engine(catalog), due.keeps_engine(world.catalog)) == (False, True)
    catalog.close()


def test_a_copy_tells_no_machine_of_its_end(world: World, tmp_path: Path) -> None:
    """What its rows say is old: the first home may have given the machine more time."""
    instance = world.launched(name="box", lifetime_s=3600)
    catalog, _ = copy_of(world, tmp_path / "copy")
    catalog.instances.update(instance.id, link_state=LinkState.UP, link_since=1.0)
    for passed in (0.0, 7200.0):
        world.clock._now += passed
        assert enforcing.enforce(catalog, world.clock) == 0
    assert catalog.instances.get(instance.id).wanted == "running"
    assert list(deciders.change_host_keys(catalog)) == []
    world.catalog.instances.update(instance.id, link_state=LinkState.UP, link_since=1.0)
    assert list(deciders.change_host_keys(world.catalog)) != []
    with pytest.raises(RefusedError, match="was copied"):
        commands.extend(catalog, instance, world.clock.now() + 9000, now=world.clock.now())
    context = Context(
        catalog, catalog.paths, cast("Any", None), cast("Any", None), threading.Event(), world.clock
    )
    waiting = catalog.operations.submit("instance.deadline", instance.id, {"asked": True})
    assert deadline.tell(context, waiting) == {"cloud": False, "host": "copy"}
    catalog.close()


def test_a_copy_ends_no_doubles(world: World, tmp_path: Path) -> None:
    world.cloud.fail(Fault.CAPACITY)
    instance = world.launched(name="box")
    catalog, means = copy_of(world, tmp_path / "copy")
    order = replace(world.cloud.order(owner=installation.owner(catalog)), launch=instance.launch_id)
    world.cloud.provider.launch(dict(world.cloud.provider.plan(order)) | {"token": "other"})
    looking.look(means, "toy")
    assert len(world.living()) == 2, "the other home may know better"
    world.look()
    assert len(world.living()) == 1
    catalog.close()


def test_the_one_that_was_moved_goes_on(world: World, tmp_path: Path) -> None:
    instance = world.launched(name="box")
    catalog, means = copy_of(world, tmp_path / "copy")
    operation = commands.submit_terminate(catalog, catalog.instances.get(instance.id))
    catalog.operations.ask(operation.id, installation.question(catalog, catalog.paths))
    commands.claim_installation(catalog, catalog.paths, moved=True)
    assert [one.id for one in catalog.operations.pending() if one.kind == "instance.terminate"] == [
        operation.id
    ]
    assert installation.owner(catalog) == installation.owner(world.catalog)
    means = Means(catalog, catalog.paths, threading.Event(), world.clock)
    world.clock.passing = lambda: looking.look(means, "toy") and None
    assert ending.terminate(means, instance.id)["state"] == "terminated"
    catalog.close()


@pytest.mark.parametrize("moved", [True, False])
def test_the_answer_to_an_operation_is_heard(world: World, tmp_path: Path, moved: bool) -> None:
    instance = world.launched(name="box")
    catalog, means = copy_of(world, tmp_path / "copy")
    context = Context(
        catalog, catalog.paths, cast("Any", None), cast("Any", None), means.closing, world.clock
    )
    world.clock.passing = lambda: looking.look(means, "toy") and None
    asked = commands.submit_terminate(catalog, catalog.instances.get(instance.id))
    catalog.operations.take(asked.id)
    with pytest.raises(Asked) as raised:
        rent.terminate(context, catalog.operations.get(asked.id))
    catalog.operations.ask(asked.id, raised.value.question)
    catalog.operations.answer(asked.id, {"moved": moved})
    catalog.operations.take(asked.id)
    if moved:
        assert rent.terminate(context, catalog.operations.get(asked.id))["state"] == "terminated"
    else:
        with pytest.raises(Withdrawn):
            rent.terminate(context, catalog.operations.get(asked.id))
    assert len(world.living()) == (0 if moved else 1)
    catalog.close()


def test_the_one_that_is_a_copy_lets_go_of_what_is_the_others(world: World, tmp_path: Path) -> None:
    instance = world.launched(name="box")
    waiting = world.ask(name="next")
    world.cloud.fail(Fault.UNREACHABLE)
    world.clock.passing = world.closing.set  # its request is written down, with the key that it brings along
    with pytest.raises(Interrupted):
        world.launch(waiting)
    catalog, _ = copy_of(world, tmp_path / "copy")
    commands.claim_installation(catalog, catalog.paths, moved=False)
    assert installation.owner(catalog) != installation.owner(world.catalog)
    assert [one.name for one in catalog.instances.list() if one.is_rented] == []
    assert catalog.launches.get(waiting.launch_id).state is LaunchState.CANCELLED
    assert catalog.operations.open_for(waiting.id) == []
    requests = [
        one.payload for each in (instance, waiting) for one in catalog.launches.attempts(each.launch_id)
    ]
    assert requests
    assert not any(trust.has_secrets(one) for one in requests)
    assert not installation.is_copy(catalog, catalog.paths)
    assert world.row(instance).cloud_state == "running"
    assert len(world.living()) == 1
    catalog.close()
