"""A launch, with a cloud that refuses, is silent, or loses its answers: one machine or none, never two."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.engine.fleet.world import World
from tests.support.clouds.faults import Fault
from tests.support.clouds.toy import ToyByName, ToyCloud, ToyListed

from cloudtui_engine import operations
from cloudtui_engine.errors import CloudtuiError, RefusedError
from cloudtui_engine.fleet import commands, due, launching, trust
from cloudtui_engine.fleet.means import Interrupted
from cloudtui_engine.fleet.requests import Requests
from cloudtui_engine.records.launch import AttemptState as S
from cloudtui_engine.records.launch import LaunchState

KINDS = (ToyCloud, ToyByName, ToyListed)
MakeWorld = Callable[..., World]


def test_a_machine_is_there_and_can_be_reached(world: World) -> None:
    instance = world.ask(name="box", lifetime_s=3600)
    assert world.launch(instance) == {"instance": instance.id, "cancelled": False}
    row = world.row(instance)
    assert (row.cloud_state, row.region, row.zone, row.machine_type) == (
        "running", "north-1", "north-1a", "gpu-1",
    )  # fmt: skip
    assert (row.address.host, row.address.user) == ("127.0.0.1", "toy")
    assert row.address.key_file == str(trust.key_file(world.paths))
    assert row.price_usd_per_hour == 0.5
    assert row.host_key.startswith("ssh-ed25519 ")
    assert world.the_launch(instance).state is LaunchState.READY
    assert world.living() == [f"{instance.launch_id}-1"]
    (attempt,) = world.catalog.launches.attempts(instance.launch_id)
    assert attempt.state is S.ADOPTED
    assert not trust.has_secrets(attempt.payload), "the machine's private key does not stay here"


def test_the_request_is_on_the_disk_before_it_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def launch(payload: object) -> object:
        (attempt,) = world.catalog.launches.attempts(instance.launch_id)
        seen.append((attempt.state, attempt.payload == payload))
        return real(payload)

    real = world.cloud.provider.launch
    monkeypatch.setattr(world.cloud.provider, "launch", launch)
    instance = world.ask()
    world.launch(instance)
    assert seen == [(S.SENT, True)]


@pytest.mark.parametrize(
    ("fault", "zones"),
    [
        (Fault.CAPACITY, ["north-1a", "north-1b"]),
        (Fault.QUOTA, ["north-1a", "south-1a"]),
        (Fault.THROTTLE, ["north-1a"]),
        (Fault.UNREACHABLE, ["north-1a"]),
        (Fault.LOSE_ANSWER, ["north-1a"]),
        (Fault.BROKEN, ["north-1a"]),
    ],
)
def test_what_is_tried_next(world: World, fault: Fault, zones: list[str]) -> None:
    world.cloud.fail(fault)
    instance = world.launched(regions=("north-1", "south-1"))
    assert world.zones(instance) == zones
    assert world.row(instance).cloud_state == "running"
    assert len(world.living()) == 1


@pytest.mark.parametrize("fault", [Fault.AUTH, Fault.PERMISSION, Fault.INVALID])
@pytest.mark.parametrize("on", ["plan", "launch"])
def test_what_a_person_must_mend_ends_it(world: World, fault: Fault, on: str) -> None:
    world.cloud.fail(fault, on=on)
    instance = world.ask(name="box", regions=("north-1", "south-1"))
    with pytest.raises(CloudtuiError, match="toy cloud says") as raised:
        world.launch(instance)
    status = {Fault.AUTH: 6, Fault.PERMISSION: 4, Fault.INVALID: 5}[fault]
    assert raised.value.exit_status == status
    assert world.catalog.launches.recent()[0].error["code"] == raised.value.code
    (notice,) = world.catalog.notices.since(0)[1]
    assert notice.sentence.startswith("box could not be rented: The toy cloud says")
    assert len(world.states(instance)) == 1
    assert world.the_launch(instance).state is LaunchState.FAILED
    assert world.living() == []
    assert "box" not in [one.name for one in world.catalog.instances.list()], "the name is free again"


def test_where_nothing_is_to_be_had_it_ends_after_every_zone(world: World) -> None:
    world.cloud.fail(Fault.CAPACITY, times=9)
    instance = world.ask(regions=())
    with pytest.raises(CloudtuiError, match=r"north-1b, gpu-1 in south-1a\. The toy cloud says"):
        world.launch(instance)
    assert world.states(instance) == [S.REFUSED] * 3
    assert world.cloud.launches() == 3


def test_a_price_list_that_fails_keeps_nobody_from_launching_what_he_named(world: World) -> None:
    world.cloud.fail(Fault.PERMISSION, on="offers")
    assert world.launched().cloud_state == "running"


def test_spot_first_and_on_demand_only_below_the_cap(world: World) -> None:
    world.cloud.fail(Fault.CAPACITY, times=2)
    instance = world.launched(spot=True, on_demand_cap=0.6)
    assert [one.spot for one in world.catalog.launches.attempts(instance.launch_id)] == [True, True, False]
    assert not world.row(instance).spot
    world.cloud.fail(Fault.CAPACITY, times=2)
    dear = world.ask(spot=True, on_demand_cap=0.4)
    with pytest.raises(CloudtuiError, match="None to be had"):
        world.launch(dear)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.BROKEN])
def test_an_answer_that_is_lost_makes_no_second_machine(
    make_world: MakeWorld, kind: type[ToyCloud], fault: Fault
) -> None:
    world = make_world(kind)
    world.cloud.fail(fault)
    instance = world.launched()
    assert world.row(instance).cloud_state == "running"
    assert len(world.living()) == 1
    if fault is Fault.LOSE_ANSWER or kind is not ToyListed:
        assert world.states(instance) == [S.ADOPTED]
    else:
        assert world.states(instance) == [S.ABSENT, S.ADOPTED], "sent anew only when it is known to be absent"
        first, second = world.catalog.launches.attempts(instance.launch_id)
        assert (second.sent_at or 0) - (first.sent_at or 0) >= 300


@pytest.mark.parametrize("kind", KINDS)
def test_a_machine_that_is_shown_late_is_waited_for(make_world: MakeWorld, kind: type[ToyCloud]) -> None:
    world = make_world(kind)
    world.cloud.books.set(late_looks=8)
    world.cloud.fail(Fault.LATE)
    real = world.cloud.provider.launch
    lost = []

    def launch(payload: object) -> object:
        machine = real(payload)
        if not lost:
            lost.append(machine)
            world.cloud.fail(Fault.LOSE_ANSWER)
            return real(payload) if kind is not ToyListed else _raise()
        return machine

    def _raise() -> object:
        from cloudtui_providers.errors import AmbiguousError

        world.cloud.heal()
        raise AmbiguousError("lost")

    world.cloud.provider.launch = launch  # type: ignore[method-assign,assignment]
    instance = world.launched()
    assert world.row(instance).cloud_id == "toy-1"
    assert world.living() == [f"{instance.launch_id}-1"]


def test_a_clock_that_is_set_forward_makes_no_lost_request_absent(make_world: MakeWorld) -> None:
    world = make_world(ToyListed)
    world.cloud.fail(Fault.BROKEN)
    instance = world.ask()
    began, looks = world.clock.steady(), world.clock.passing

    def passing() -> None:
        world.clock.set_s = 1000.0
        looks()

    world.clock.passing = passing
    world.launch(instance)
    assert world.states(instance) == [S.ABSENT, S.ADOPTED]
    assert world.clock.steady() - began >= 300


def test_a_refusal_after_a_lost_answer_proves_nothing(world: World) -> None:
    world.cloud.fail(Fault.BROKEN)
    world.cloud.fail(Fault.CAPACITY)
    instance = world.launched()
    first, second = world.catalog.launches.attempts(instance.launch_id)
    assert (first.state, second.state) == (S.ABSENT, S.ADOPTED)
    assert (second.zone, first.zone) == ("north-1b", "north-1a")
    assert (second.sent_at or 0) - (first.sent_at or 0) >= 300


def test_nothing_new_is_begun_an_hour_later(world: World) -> None:
    instance = world.ask()
    world.clock.wait(launching.STALE_S + 1, world.closing)
    with pytest.raises(CloudtuiError, match="within an hour"):
        world.launch(instance)
    assert world.cloud.launches() == 0


def test_a_request_of_an_engine_that_died_long_ago_is_found_and_not_sent_again(world: World) -> None:
    instance = world.ask()
    _die_in(world, instance, "launch")
    world.clock.wait(10 * launching.STALE_S, world.closing)
    assert world.launch(instance)["cancelled"] is False
    assert world.cloud.launches() == 1
    assert world.row(instance).cloud_state == "running"


def _die_in(world: World, instance: object, method: str) -> None:
    """As SIGKILL does: nothing after the call is carried out."""

    class Killed(BaseException):
        pass

    real = getattr(world.cloud.provider, method)

    def die(*args: object) -> None:
        real(*args)
        raise Killed

    setattr(world.cloud.provider, method, die)
    with pytest.raises(Killed):
        world.launch(instance)  # type: ignore[arg-type]
    setattr(world.cloud.provider, method, real)


def test_taken_back_before_it_is_sent_nothing_is_rented(world: World) -> None:
    instance = world.ask(name="box")
    operation = commands.submit_terminate(world.catalog, instance)
    assert operation.kind == "instance.terminate"
    assert world.launch(instance)["cancelled"] is True
    assert world.cloud.launches() == 0
    assert world.the_launch(instance).state is LaunchState.CANCELLED


def test_a_launch_that_is_cancelled_is_taken_back(world: World) -> None:
    instance = world.ask(name="box")
    (operation,) = world.catalog.operations.open_for(instance.id)
    assert operations.cancel(world.catalog, operation.id)
    proposed = [kind for kind, *_ in due.due(due.read(world.catalog, world.clock))]
    assert "instance.launch" in proposed, "somebody has to look for what may have been made"
    assert world.launch(instance)["cancelled"] is True
    assert world.cloud.launches() == 0
    end = commands.submit_terminate(world.catalog, world.launched(name="other"))
    assert operations.cancel(world.catalog, end.id)
    assert world.catalog.instances.find("other").wanted == "running"


@pytest.mark.parametrize("kind", KINDS)
def test_taken_back_while_its_answer_is_lost_what_was_made_is_ended(
    make_world: MakeWorld, kind: type[ToyCloud]
) -> None:
    from cloudtui_engine.fleet import ending

    world = make_world(kind)
    instance = world.ask(name="box")
    _die_in(world, instance, "launch")
    commands.submit_terminate(world.catalog, instance)
    assert world.launch(instance)["cancelled"] is True
    ending.terminate(world.means, instance.id)
    assert world.row(instance).cloud_state == "terminated"
    assert (world.living(), world.cloud.launches()) == ([], 1)


def test_an_engine_that_ends_leaves_it_to_the_next(world: World) -> None:
    world.cloud.fail(Fault.UNREACHABLE, on="*")
    instance = world.ask()
    world.clock.passing = world.closing.set
    with pytest.raises(Interrupted):
        world.launch(instance)
    assert world.the_launch(instance).state is LaunchState.OPEN


def test_one_that_the_cloud_ends_at_once_is_sought_elsewhere(world: World) -> None:
    instance = world.ask()
    real = world.cloud.provider.launch

    def launch(payload: object) -> object:
        machine = real(payload)  # type: ignore[arg-type]
        if machine.id == "toy-1":
            world.cloud.take_back(machine.id)
        return machine

    world.cloud.provider.launch = launch  # type: ignore[method-assign,assignment]
    world.launch(instance)
    assert world.zones(instance) == ["north-1a", "north-1b"]
    assert world.row(instance).cloud_id == "toy-2"
    assert len(world.living()) == 1


def test_a_machine_has_a_name_of_its_own_and_a_gone_one_lends_its(world: World) -> None:
    first = world.launched(name="box")
    with pytest.raises(RefusedError, match="already"):
        world.ask(name="box")
    world.end(first)
    second = world.launched(name="box")
    assert second.id != first.id
    assert [one.name for one in world.catalog.instances.list() if one.is_rented] == ["box"]


def test_a_vanished_one_keeps_its_row_under_another_name(world: World) -> None:
    """It may come back, and costs money then until its deadline."""
    first = world.launched(name="box", lifetime_s=3600)
    world.catalog.instances.update(first.id, cloud_state="vanished")
    world.launched(name="box")
    assert world.row(first).name == "box-vanished"
    world.look()
    assert world.row(first).cloud_state == "running"
    assert world.row(first).deadline_at is not None
    assert world.catalog.orphans.list() == []


def test_taken_back_between_its_row_and_its_sending(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = world.ask()
    real = world.cloud.provider.plan

    def plan(order: object) -> object:
        world.closing.set()  # an engine that ends when the row is written
        return real(order)  # type: ignore[arg-type]

    monkeypatch.setattr(world.cloud.provider, "plan", plan)
    with pytest.raises(Interrupted):
        world.launch(instance)
    (attempt,) = world.catalog.launches.attempts(instance.launch_id)
    world.catalog.instances.update(instance.id, wanted="terminated")
    Requests(world.means, instance.launch_id).send(world.cloud.provider, attempt)
    assert (world.states(instance), world.cloud.launches()) == ([S.PLANNED], 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_restored_catalog_does_not_send_what_went_out_before(
    make_world: MakeWorld, kind: type[ToyCloud]
) -> None:
    world = make_world(kind)
    instance = world.ask()
    _die_in(world, instance, "launch")
    # The backup is of the moment before: the request is there, and was not sent.
    assert world.catalog.launches.move_attempt(instance.launch_id, 1, S.PLANNED, expected=(S.SENT,))
    world.launch(instance)
    assert (len(world.living()), world.cloud.launches()) == (1, 1)
