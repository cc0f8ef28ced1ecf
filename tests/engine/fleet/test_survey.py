"""A new home finds the machines of a lost one, in all clouds, takes them up or ends them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.engine.fleet.world import World
from tests.support.clouds.faults import Fault

from cloudtui_engine.errors import NotFoundError, RefusedError, UnreachableError
from cloudtui_engine.fleet import commands, ending, survey
from cloudtui_engine.records.survey import SURVEY, Stranger, Surveyed
from cloudtui_providers import registry
from cloudtui_providers.errors import AuthError, CloudUnreachable

Make = Callable[..., World]


@pytest.fixture
def homes(make_world: Make, monkeypatch: pytest.MonkeyPatch) -> tuple[World, World]:
    """A home that is lost with a machine, and a new one with credentials of the same account."""
    monkeypatch.setattr(registry, "names", lambda: ("toy",))
    lost = make_world()
    lost.launched(name="box", lifetime_s=3600)
    new = make_world()
    new.cloud = lost.cloud
    new.clock._now = lost.clock.now()
    return lost, new


def ask(world: World) -> list[tuple[str, int | None, int | None]]:
    """As the engine carries it out; what it says meanwhile."""
    said: list[tuple[str, int | None, int | None]] = []
    for one in survey.submit(world.catalog):
        world.catalog.operations.take(one.id)
        result = survey.ask(world.means, one.target, lambda *told: said.append(told))
        world.catalog.operations.finish(one.id, result)
    return said


def the_one(world: World) -> Stranger:
    (cloud,) = survey.newest(world.catalog)
    (found,) = cloud.found
    return found


def test_a_new_home_finds_the_machine_of_a_lost_one_and_ends_it(homes: tuple[World, World]) -> None:
    lost, new = homes
    new.look(everywhere=True)
    assert new.catalog.orphans.list() == [], "it asks for its own only"
    said = ask(new)
    assert [done for _, done, _ in said] == [1, 2], "it tells how far it is, region by region"
    found = the_one(new)
    (box,) = lost.catalog.instances.rented()
    assert (found.machine.cloud_id, found.machine.name, found.machine.type) == (box.cloud_id, "box", "gpu-1")
    assert found.owner == lost.catalog.settings.get("installation.id")
    assert found.deadline_at == pytest.approx(box.deadline_at, abs=1.0)
    assert new.catalog.orphans.list() == [], "and none of them is ours by that"
    assert [one.kind for one in new.catalog.operations.list()] == [SURVEY]
    assert lost.living(), "nobody has touched it"
    machine = survey.find(new.catalog, box.cloud_id[:6]).machine
    operation = commands.submit_terminate_orphan(new.catalog, new.paths, machine)
    ending.terminate(new.means, operation.target)
    assert lost.living() == []
    assert new.catalog.instances.get(operation.target).cloud_state in {"terminating", "terminated"}
    with pytest.raises(NotFoundError):
        survey.find(new.catalog, box.cloud_id)


def test_one_that_is_taken_up_is_watched_though_it_bears_anothers_mark(homes: tuple[World, World]) -> None:
    """The account's lists are asked for our mark: without more it would be told to have vanished."""
    lost, new = homes
    other = lost.alien(launch="another")
    assert new.catalog.launches.providers() == [], "nothing was ever rented from here"
    ask(new)
    (cloud,) = survey.newest(new.catalog)
    machine = next(one.machine for one in cloud.found if one.machine.cloud_id != other.id)
    now = new.clock.now()
    taken = commands.submit_adopt(new.catalog, new.paths, machine, until=now + 7200.0, now=now)
    assert new.catalog.launches.providers() == ["toy"], "from then on its cloud is looked at"
    new.forget_time(1200.0)
    row = new.row(taken)
    assert (row.cloud_state, row.missing_since) == ("running", None)
    assert new.catalog.orphans.list() == [], "what nobody took up stays the other home's"
    assert the_one(new).machine.cloud_id == other.id, "and what was taken up is on the list"
    commands.submit_stop(new.catalog, row)
    ending.stop(new.means, taken.id)
    assert new.row(taken).cloud_state == "stopped"
    lost.cloud.forget(machine.cloud_id)
    new.forget_time(1200.0)
    assert new.row(taken).cloud_state == "vanished"


def test_a_region_that_is_not_seen_whole_keeps_what_it_listed_before(homes: tuple[World, World]) -> None:
    lost, new = homes
    ask(new)
    before = the_one(new)
    new.clock._now += 60.0
    lost.cloud.fail(Fault.UNREACHABLE, "machines", where="north-1")
    ask(new)
    (cloud,) = survey.newest(new.catalog)
    assert list(cloud.incomplete) == ["north-1"]
    assert not cloud.is_whole
    assert cloud.found == (before,), "with its age"
    lost.cloud.heal()
    lost.cloud.forget(before.machine.cloud_id)
    ask(new)
    (cloud,) = survey.newest(new.catalog)
    assert (cloud.is_whole, cloud.found) == (True, ())


def test_a_cloud_that_does_not_answer_keeps_its_last_answer_and_says_so(homes: tuple[World, World]) -> None:
    lost, new = homes
    ask(new)
    lost.cloud.fail(Fault.UNREACHABLE, "machines", times=8)
    with pytest.raises(UnreachableError) as failed:
        survey.ask(new.means, "toy", lambda *_: None)
    (one,) = survey.submit(new.catalog)
    assert survey.submit(new.catalog) == [one], "asking again meanwhile is asking once"
    (cloud,) = survey.newest(new.catalog)
    assert cloud.asking
    new.catalog.operations.fail(one.id, failed.value.as_dict())
    (cloud,) = survey.newest(new.catalog)
    assert (cloud.asking, cloud.error["code"], len(cloud.found)) == ("", "unreachable", 1)
    assert not cloud.is_whole


def test_each_cloud_is_asked_for_itself(homes: tuple[World, World], monkeypatch: pytest.MonkeyPatch) -> None:
    _, new = homes
    monkeypatch.setattr(registry, "names", lambda: ("nimbus", "toy"))
    assert [one.target for one in survey.submit(new.catalog)] == ["nimbus", "toy"]
    assert [one.provider for one in survey.newest(new.catalog)] == ["nimbus", "toy"]


def test_our_own_machines_are_no_strangers(homes: tuple[World, World]) -> None:
    lost, _ = homes
    ask(lost)
    (cloud,) = survey.newest(lost.catalog)
    assert (cloud.found, cloud.is_whole) == ((), True)


def test_ids_that_are_several_are_refused(homes: tuple[World, World]) -> None:
    lost, new = homes
    lost.alien(launch="another")
    ask(new)
    with pytest.raises(RefusedError, match="more than one"):
        survey.find(new.catalog, "toy-")
    with pytest.raises(NotFoundError):
        survey.find(new.catalog, "")


def test_a_cloud_that_cannot_be_asked_is_no_silent_none() -> None:
    refused = Surveyed("toy", error={"code": CloudUnreachable.code})
    missing = Surveyed("toy", error={"code": "auth"})
    expired = Surveyed("toy", error={"code": "auth"}, asked_at=1.0)
    assert (refused.is_whole, refused.is_unused) == (False, False)
    assert (missing.is_whole, missing.is_unused) == (False, True)
    assert (expired.is_whole, expired.is_unused) == (False, False), "it was asked before"


def test_without_credentials_a_cloud_is_not_one_that_does_not_answer(
    homes: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some know their regions by heart: each would fail, one by one."""

    def account(_cloud: object) -> str:
        raise AuthError("There is no key for the toy cloud.", "Make one.")

    _, new = homes
    monkeypatch.setattr(type(new.cloud.provider), "account", account)
    with pytest.raises(UnreachableError) as failed:
        survey.ask(new.means, "toy", lambda *_: None)
    assert failed.value.code == "auth"
