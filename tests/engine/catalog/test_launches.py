"""Launches in the catalog: a second request is only written where no machine can come of the first."""

from __future__ import annotations

import pytest

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import NotFoundError, RefusedError
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.launch import (
    AttemptState,
    Launch,
    LaunchAttempt,
    LaunchState,
    Listing,
    Orphan,
    Wish,
)

S = AttemptState


def a_launch(catalog: Catalog, name: str = "box") -> Launch:
    instance = catalog.instances.add(Instance(f"c{name}", name, "toy", launch_id=f"l{name}"))
    wish = Wish("toy", name, "big", regions=("r1", "r2"), lifetime_s=60)
    return catalog.launches.add(Launch(f"l{name}", f"l{name}", instance.id, "toy", wish, created_at=1.0))


def planned(launch: Launch, number: int) -> LaunchAttempt:
    return LaunchAttempt(
        launch.id, number, "r1", "r1a", "big", True, 0.5, {"n": number}, planned_at=float(number)
    )


def test_a_launch_is_kept_as_it_was_asked_for(catalog: Catalog) -> None:
    launch = a_launch(catalog)
    assert catalog.launches.get(launch.id) == launch
    assert catalog.launches.open() == catalog.launches.group(launch.id) == [launch]
    assert catalog.launches.providers() == ["toy"]
    with pytest.raises(NotFoundError):
        catalog.launches.get("none")
    assert catalog.launches.move(launch.id, LaunchState.READY, expected=(LaunchState.OPEN,), ended_at=2.0)
    assert not catalog.launches.move(launch.id, LaunchState.FAILED, expected=(LaunchState.OPEN,))
    assert catalog.launches.open() == []


@pytest.mark.parametrize("state", [S.PLANNED, S.SENT, S.UNRESOLVED, S.ADOPTED])
def test_no_second_request_beside_one_that_may_make_a_machine(catalog: Catalog, state: AttemptState) -> None:
    launch = a_launch(catalog)
    assert catalog.launches.plan(planned(launch, 1))
    if state is not S.PLANNED:
        assert catalog.launches.move_attempt(launch.id, 1, state, expected=(S.PLANNED,))
    assert not catalog.launches.plan(planned(launch, 2))
    assert catalog.launches.move_attempt(launch.id, 1, S.REFUSED, expected=(state,), error={"code": "x"})
    assert not catalog.launches.plan(planned(launch, 1))
    assert catalog.launches.plan(planned(launch, 2))
    assert [one.state for one in catalog.launches.attempts(launch.id)] == [S.REFUSED, S.PLANNED]


def test_whoever_moves_an_attempt_first_has_won(catalog: Catalog) -> None:
    launch = a_launch(catalog)
    catalog.launches.plan(planned(launch, 1))
    move = catalog.launches.move_attempt
    assert move(launch.id, 1, S.SENT, expected=(S.PLANNED,), sent_at=5.0)
    assert [one.token for one in catalog.launches.may_live("toy")] == [f"{launch.id}-1"]
    assert move(launch.id, 1, S.ADOPTED, expected=(S.SENT,), machine_id="m1", resolved_at=6.0)
    assert not move(launch.id, 1, S.ABSENT, expected=(S.SENT, S.UNRESOLVED))
    assert catalog.launches.may_live() == []
    found = catalog.launches.by_tokens([f"{launch.id}-1", f"{launch.id}-2", "foreign", ""])
    assert found[f"{launch.id}-1"].machine_id == "m1"
    assert len(found) == 1
    with pytest.raises(ValueError, match="payload"):
        move(launch.id, 1, S.ADOPTED, expected=(S.ADOPTED,), payload={})


def test_a_wish_of_another_version_is_read() -> None:
    kept = Wish("aws", regions=("a", "b"), on_demand_cap=1.5).as_dict()
    assert Wish.from_dict({**kept, "later": 1}) == Wish("aws", regions=("a", "b"), on_demand_cap=1.5)
    assert Wish.from_dict({}) == Wish("")


def test_one_machine_of_a_cloud_has_one_row(catalog: Catalog) -> None:
    catalog.instances.add(Instance("c1", "one", "toy", cloud_id="m1"))
    catalog.instances.add(Instance("c2", "two", "other", cloud_id="m1"))
    with pytest.raises(RefusedError, match="machine of the cloud"):
        catalog.instances.add(Instance("c3", "three", "toy", cloud_id="m1"))


def test_looks_and_orphans(catalog: Catalog) -> None:
    catalog.listings.save(Listing("toy", "r1", 1.0, complete=True))
    catalog.listings.save(Listing("toy", "r1", 2.0, complete=False, problem="Page 2 failed."))
    catalog.listings.save(Listing("aws", "r1", 2.0, complete=True))
    assert catalog.listings.list("toy") == [
        Listing("toy", "r1", 2.0, complete=False, problem="Page 2 failed.")
    ]
    assert len(catalog.listings.list()) == 2
    orphan = Orphan(
        "toy",
        "r1",
        "m-77",
        "l-1",
        "stray",
        "big",
        True,
        "running",
        Address("h", "u", 22, "/k"),
        0.5,
        1.0,
        2.0,
    )
    catalog.orphans.save(orphan)
    assert catalog.orphans.list("toy") == [orphan] == [catalog.orphans.find("m-7")]
    catalog.orphans.drop("toy", ["m-77"])
    assert catalog.orphans.list() == []


def test_the_rented_ones_say_whether_they_have_told_anything(catalog: Catalog) -> None:
    catalog.instances.ensure_local()
    catalog.instances.add(Instance("cown", "own", "ssh"))
    catalog.instances.add(Instance("c1", "one", "toy", launch_id="l1"))
    told = {"os": "x", "gpus": [{"name": "A"}]}
    catalog.instances.add(Instance("c2", "two", "toy", cloud_id="m2", facts=told, gpus=({"name": "A"},)))
    assert [(one.id, bool(one.facts), one.gpus) for one in catalog.instances.rented()] == [
        ("c1", False, ()), ("c2", True, ()),
    ]  # fmt: skip
    assert catalog.instances.any_alive()
    catalog.instances.update("c2", cloud_state="stopped")
    assert not catalog.instances.any_alive()
    catalog.instances.update("c2", wanted="terminated")
    assert catalog.instances.any_alive()
    catalog.instances.update("c2", cloud_state="vanished")
    assert not catalog.instances.any_alive()
