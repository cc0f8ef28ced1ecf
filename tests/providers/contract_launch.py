"""The contract suite: launching, and what goes wrong there."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

import pytest
from tests.providers.contract_means import (
    CANARY,
    DEADLINE,
    EVERY_CLOUD,
    MEANS,
    UNSURE,
    everything_said,
    launched,
    planned,
)
from tests.support.clouds.faults import FakeCloud, Fault

from cloudtui_providers.base import (
    LAUNCH_TAG,
    OWNER_TAG,
    CloudState,
    Token,
)
from cloudtui_providers.errors import (
    AmbiguousError,
    ProviderError,
)


class LaunchContract:
    """One order, one machine, whatever is sent how often."""

    def test_a_plan_makes_no_machine(self, cloud: FakeCloud) -> None:
        planned(cloud.provider, cloud.order())
        planned(cloud.provider, cloud.order())
        assert (cloud.count(), cloud.launches()) == (0, 0)

    def test_the_same_payload_twice_is_one_machine(self, cloud: FakeCloud) -> None:
        payload = planned(cloud.provider, cloud.order())
        first = cloud.provider.launch(payload)
        if cloud.provider.capabilities.token is Token.LISTED:
            found = cloud.provider.find(payload)
            assert found, "the caller sees by `find` that it is there, and sends no second one"
            assert found.id == first.id
        else:
            assert cloud.provider.launch(payload).id == first.id
        assert cloud.count() == 1

    def test_sent_by_many_at_once_it_is_one_machine(self, cloud: FakeCloud) -> None:
        if cloud.provider.capabilities.token is Token.LISTED:
            return  # One engine a home sends one after another; nothing else holds here.
        payload = planned(cloud.provider, cloud.order())
        ids: list[str] = []

        def send() -> None:
            ids.append(cloud.provider.launch(payload).id)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert (len(ids), len(set(ids)), cloud.count()) == (4, 1, 1)

    def test_another_attempt_is_another_machine(self, cloud: FakeCloud) -> None:
        first = cloud.order()
        second = replace(first, attempt=2)
        ids = {cloud.provider.launch(planned(cloud.provider, order)).id for order in (first, second)}
        assert (len(ids), cloud.count()) == (2, 2)

    def test_it_is_found_by_its_payload_alone(self, cloud: FakeCloud) -> None:
        order = cloud.order()
        payload = planned(cloud.provider, order)
        assert cloud.provider.find(payload) is None
        machine = cloud.provider.launch(payload)
        cloud.settle()
        found = cloud.provider.find(payload)
        assert found
        assert (found.id, found.token, found.region) == (machine.id, order.token, order.region)
        assert found.state is CloudState.RUNNING
        assert cloud.provider.find(planned(cloud.provider, replace(order, attempt=2))) is None

    @pytest.mark.parametrize("fault", UNSURE)
    def test_without_an_answer_nothing_is_claimed_and_find_knows(
        self, cloud: FakeCloud, fault: Fault
    ) -> None:
        payload = planned(cloud.provider, cloud.order())
        cloud.fail(fault)
        with pytest.raises(AmbiguousError):
            cloud.provider.launch(payload)
        assert cloud.launches() == 1, "what may have been done is not sent again by the provider"
        cloud.settle()
        found = cloud.provider.find(payload)
        assert (found is not None) == (fault is Fault.LOSE_ANSWER)
        if found is None or cloud.provider.capabilities.token is not Token.LISTED:
            again = cloud.provider.launch(payload)
            assert found is None or again.id == found.id
        assert cloud.count() == 1

    def test_one_that_is_shown_late_is_found_in_the_end(self, cloud: FakeCloud) -> None:
        if Fault.LATE not in cloud.faults:
            return
        payload = planned(cloud.provider, cloud.order())
        cloud.fail(Fault.LATE)
        machine = cloud.provider.launch(payload)
        assert cloud.provider.find(payload) is None
        cloud.settle()
        found = cloud.provider.find(payload)
        assert found
        assert found.id == machine.id

    def test_a_look_that_was_not_whole_is_no_none(self, cloud: FakeCloud) -> None:
        if Fault.INCOMPLETE not in cloud.faults:
            return
        payloads = [planned(cloud.provider, cloud.order(attempt=number)) for number in (1, 2)]
        for payload in payloads:
            cloud.provider.launch(payload)
        cloud.settle()
        for payload in payloads:
            cloud.fail(Fault.INCOMPLETE, "find")
            with contextlib.suppress(ProviderError):
                assert cloud.provider.find(payload) is not None, "after some minutes that would be believed"
            cloud.heal()

    def test_its_marks_are_on_all_that_costs(self, cloud: FakeCloud) -> None:
        machine, order = launched(cloud, deadline=DEADLINE)
        assert {OWNER_TAG, LAUNCH_TAG} <= set(cloud.carries)
        kept = {name: value for name, value in order.tags.items() if name in cloud.carries}
        seen = cloud.provider.machines(order.region, order.owner).machines
        for tags in ([one.tags for one in seen], cloud.disk_tags(machine.id)):
            for one in tags:
                assert {name: one.get(name) for name in kept} == kept
        assert [one.id for one in seen] == [machine.id]


class ErrorContract:
    """An error says what to do next, and nothing that is secret."""

    def test_what_the_cloud_says_is_told_apart(self, cloud: FakeCloud) -> None:
        assert set(cloud.faults) >= EVERY_CLOUD
        payload = planned(cloud.provider, cloud.order())
        for fault in sorted(MEANS.keys() & set(cloud.faults)):
            cloud.fail(fault)
            with pytest.raises(ProviderError) as raised:
                cloud.provider.launch(payload)
            assert type(raised.value) is MEANS[fault], f"{fault}: {raised.value!r}"
            assert raised.value.message[:1].isupper(), raised.value.message
            assert cloud.count() == 0, fault
            cloud.heal()
        assert cloud.provider.launch(payload), "and none of them is for ever"

    @pytest.mark.parametrize("fault", [Fault.AUTH, Fault.UNREACHABLE, Fault.THROTTLE])
    def test_a_listing_that_fails_is_no_empty_listing(self, cloud: FakeCloud, fault: Fault) -> None:
        if fault not in cloud.faults:
            return
        order = cloud.order()
        payload = planned(cloud.provider, order)
        cloud.provider.launch(payload)
        cloud.fail(fault, "*")
        with pytest.raises(MEANS[fault]):
            cloud.provider.machines(order.region, order.owner)
        with pytest.raises(MEANS[fault]):
            cloud.provider.find(payload)

    def test_nothing_secret_is_in_an_error(self, cloud: FakeCloud) -> None:
        payload = planned(cloud.provider, replace(cloud.order(), user_data=f"#cloud-config\n# {CANARY}\n"))
        secret = [*cloud.secrets, CANARY]
        for fault in sorted(set(cloud.faults) - {Fault.LATE, Fault.INCOMPLETE}):
            cloud.fail(fault)
            with pytest.raises(ProviderError) as raised:
                cloud.provider.launch(payload)
            said = everything_said(raised.value)
            assert [text for text in secret if text in said] == [], fault
            cloud.heal()

    def test_a_check_says_what_is_missing_and_does_not_raise(self, cloud: FakeCloud) -> None:
        checks = cloud.provider.check()
        assert [check for check in checks if not check.ok] == []
        assert checks
        for fault in (Fault.AUTH, Fault.UNREACHABLE):
            cloud.fail(fault, "*")
            failed = [check for check in cloud.provider.check() if not check.ok]
            assert failed, fault
            assert all(check.text for check in failed)
            assert any(check.hint for check in failed), "and what to do about it"
            cloud.heal()
        assert cloud.count() == 0
