"""The contract suite: ending, stopping, listing, offers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pytest
from tests.providers.contract_means import (
    DEADLINE,
    ENDED,
    LATER,
    MEANS,
    launched,
    planned,
    state_of,
)
from tests.support.clouds.faults import FakeCloud, Fault

from cloudtui_providers import times
from cloudtui_providers.base import (
    DEADLINE_TAG,
    OWNER_TAG,
    CloudState,
    Provider,
    Wanted,
)
from cloudtui_providers.errors import (
    AmbiguousError,
    MachineGone,
    NotPossibleError,
)


class LifeContract:
    """Terminate, stop, start: by the flags, and as often as one likes."""

    def test_it_ends_and_ending_it_again_is_done(self, cloud: FakeCloud) -> None:
        machine, order = launched(cloud)
        cloud.provider.terminate(order.region, machine.id)
        cloud.provider.terminate(order.region, machine.id)
        cloud.settle()
        assert cloud.count() == 0
        assert state_of(cloud, order.region, machine.id) in {None, CloudState.TERMINATED}
        cloud.provider.terminate(order.region, machine.id)
        cloud.forget(machine.id)
        cloud.provider.terminate(order.region, machine.id)

    def test_its_account_is_told_and_is_no_secret(self, cloud: FakeCloud) -> None:
        account = cloud.provider.account()
        assert account
        assert account == cloud.provider.account()
        assert not any(secret in account for secret in cloud.secrets)

    def test_of_a_machine_that_never_was_ending_is_done(self, cloud: FakeCloud) -> None:
        cloud.provider.terminate(cloud.order().region, cloud.absent)

    def test_an_end_whose_answer_is_lost_may_be_sent_again(self, cloud: FakeCloud) -> None:
        machine, order = launched(cloud)
        cloud.fail(Fault.LOSE_ANSWER, "terminate")
        with pytest.raises(AmbiguousError):
            cloud.provider.terminate(order.region, machine.id)
        cloud.provider.terminate(order.region, machine.id)
        cloud.settle()
        assert cloud.count() == 0

    @pytest.mark.parametrize("fault", [Fault.AUTH, Fault.PERMISSION, Fault.UNREACHABLE, Fault.THROTTLE])
    def test_an_end_that_is_refused_is_no_end(self, cloud: FakeCloud, fault: Fault) -> None:
        if fault not in cloud.faults:
            return
        machine, order = launched(cloud)
        cloud.fail(fault, "terminate", times=9)
        with pytest.raises(MEANS[fault]):
            cloud.provider.terminate(order.region, machine.id)
        cloud.heal()
        assert state_of(cloud, order.region, machine.id) is CloudState.RUNNING

    def test_it_is_stopped_and_started_where_the_cloud_can(self, cloud: FakeCloud) -> None:
        machine, order = launched(cloud)
        provider, region = cloud.provider, order.region
        if not provider.capabilities.stop:
            for cannot in (provider.stop, provider.start):
                with pytest.raises(NotPossibleError):
                    cannot(region, machine.id)
            return
        steps: list[tuple[Callable[[str, str], None], CloudState]] = [
            (provider.stop, CloudState.STOPPED),
            (provider.stop, CloudState.STOPPED),
            (provider.start, CloudState.RUNNING),
            (provider.start, CloudState.RUNNING),
        ]
        for change, state in steps:
            change(region, machine.id)
            cloud.settle()
            assert state_of(cloud, region, machine.id) is state
        for unknown in (provider.stop, provider.start):
            with pytest.raises(MachineGone):
                unknown(region, cloud.absent)

    def test_a_stopped_machine_can_be_ended(self, cloud: FakeCloud) -> None:
        if not cloud.provider.capabilities.stop:
            return
        machine, order = launched(cloud)
        cloud.provider.stop(order.region, machine.id)
        cloud.settle()
        cloud.provider.terminate(order.region, machine.id)
        cloud.settle()
        assert cloud.count() == 0

    def test_another_deadline_is_kept_where_the_cloud_keeps_one(self, cloud: FakeCloud) -> None:
        machine, order = launched(cloud, deadline=DEADLINE)
        if type(cloud.provider).set_deadline is Provider.set_deadline:
            assert not cloud.provider.capabilities.cloud_deadline, (
                "the cloud's own limit would come too early"
            )
            with pytest.raises(NotPossibleError):
                cloud.provider.set_deadline(order.region, machine.id, LATER, 3600)
            return
        for _ in range(2):
            cloud.provider.set_deadline(order.region, machine.id, LATER, 3600)
        (now,) = cloud.provider.machines(order.region, order.owner).machines
        assert (now.state, now.tags.get(DEADLINE_TAG, LATER)) == (CloudState.RUNNING, LATER)
        with pytest.raises(MachineGone):
            cloud.provider.set_deadline(order.region, cloud.absent, LATER, 3600)

    def test_one_that_was_taken_back_says_so(self, cloud: FakeCloud) -> None:
        if not cloud.provider.capabilities.spot:
            return
        machine, order = launched(cloud, spot=True)
        listing = cloud.provider.machines(order.region, order.owner)
        assert [(one.id, one.spot, one.reason) for one in listing.machines] == [(machine.id, True, "")]
        cloud.take_back(machine.id)
        found = cloud.provider.find(planned(cloud.provider, order))
        assert found is None or (found.state in ENDED and found.reason == "preempted")
        assert found is not None or cloud.provider.taken_back(order.region, machine.id)
        assert not cloud.provider.taken_back(order.region, cloud.absent)
        assert cloud.count() == 0


class ListingContract:
    """Whose machines, which of them, and whether that is all."""

    def test_only_the_owners_machines_are_listed(self, cloud: FakeCloud) -> None:
        cloud.stranger()
        mine, order = launched(cloud, launch="claunch1", owner="c0ffee0000000001")
        other, _ = launched(cloud, launch="claunch2", owner="c0ffee0000000002")
        listing = cloud.provider.machines(order.region, order.owner)
        assert (listing.complete, listing.region) == (True, order.region)
        assert [machine.id for machine in listing.machines] == [mine.id]
        assert listing.machines[0].tags[OWNER_TAG] == order.owner
        everyones = cloud.provider.machines(order.region, "")
        assert {machine.id for machine in everyones.machines} == {mine.id, other.id}

    def test_a_machine_says_what_it_is(self, cloud: FakeCloud) -> None:
        launched(cloud)
        order = cloud.order()
        machine = cloud.provider.machines(order.region, "").machines[0]
        assert (machine.state, machine.region, machine.type) == (
            CloudState.RUNNING,
            order.region,
            order.type,
        )
        assert machine.address
        assert machine.user
        assert machine.port > 0

    def test_a_listing_that_breaks_off_says_so(self, cloud: FakeCloud) -> None:
        if Fault.INCOMPLETE not in cloud.faults:
            return  # It comes in one piece: it is there, or it raises, as above.
        for number in range(2):
            _, order = launched(cloud, launch=f"claunch{number}")
        cloud.fail(Fault.INCOMPLETE, "machines")
        listing = cloud.provider.machines(order.region, order.owner)
        assert not listing.complete
        assert listing.problem
        cloud.heal()
        assert cloud.provider.machines(order.region, order.owner).complete

    def test_what_time_the_cloud_has_is_kept_of_its_answers(
        self, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without it a clock of ours that was set is believed. The toy is a file, and has none."""
        monkeypatch.setattr(times, "_newest", {})
        cloud.provider.machines(cloud.order().region, "c0ffee")
        told = times.told(cloud.provider.name)
        assert cloud.provider.name == "toy" or (told is not None and abs(told.at - time.time()) < 60)

    def test_the_regions_hold_what_is_ordered(self, cloud: FakeCloud) -> None:
        assert cloud.order().region in cloud.provider.regions()


class OfferContract:
    """What can be rented."""

    everything: ClassVar[Wanted] = Wanted()

    def test_offers_are_the_providers_cheapest_first(self, cloud: FakeCloud) -> None:
        offers = cloud.provider.offers(self.everything)
        assert offers
        assert {offer.provider for offer in offers} == {cloud.provider.name}
        known = [offer.price_usd_per_hour for offer in offers if offer.price_usd_per_hour is not None]
        assert known == sorted(known)
        assert [offer.price_usd_per_hour for offer in offers[: len(known)]] == known, "no price: last"
        assert cloud.order().type in {offer.type for offer in offers}

    def test_offers_are_what_was_asked_for(self, cloud: FakeCloud) -> None:
        offers = cloud.provider.offers(self.everything)
        with_gpu = next(offer for offer in offers if offer.gpu)
        found = cloud.provider.offers(replace(self.everything, gpu=with_gpu.gpu.lower()))
        assert found
        assert all(with_gpu.gpu.lower() in offer.gpu.lower() for offer in found)
        found = cloud.provider.offers(replace(self.everything, type=with_gpu.type, regions=[with_gpu.region]))
        assert {(offer.type, offer.region) for offer in found} == {(with_gpu.type, with_gpu.region)}
        dear = max((offer.price_usd_per_hour or 0.0) for offer in offers)
        cheap = cloud.provider.offers(replace(self.everything, max_price=dear / 2))
        assert all(
            offer.price_usd_per_hour is None or offer.price_usd_per_hour <= dear / 2 for offer in cheap
        )

    def test_spot_is_offered_where_the_cloud_has_it(self, cloud: FakeCloud) -> None:
        spot = cloud.provider.offers(replace(self.everything, spot=True))
        assert all(offer.spot for offer in spot)
        assert bool(spot) == cloud.provider.capabilities.spot
        assert not any(offer.spot for offer in cloud.provider.offers(self.everything))
