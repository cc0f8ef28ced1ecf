"""The contract, carried out on Elastic Compute Service.

A machine that powers itself off is paid for as if it ran; stopped from outside it costs what its disk costs.
So its switch leaves it on, and Alibaba itself releases it, disk and all, half an hour after its deadline. Who
lives then stops it at the deadline and takes that limit back: its disk stays.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import ClassVar

from cloudtui_providers.alibaba import checks, history, machines, network
from cloudtui_providers.alibaba.errors import NO_MACHINE, TITLE
from cloudtui_providers.alibaba.plan import planned, release_at
from cloudtui_providers.alibaba.service import NAME, Api, items
from cloudtui_providers.alibaba.settings import Settings
from cloudtui_providers.alibaba.types import offers
from cloudtui_providers.base import (
    DEADLINE_TAG,
    Capabilities,
    Check,
    CloudState,
    Listing,
    Machine,
    Offer,
    Order,
    Payload,
    Provider,
    Token,
    Wanted,
)
from cloudtui_providers.errors import InvalidOrderError, ThrottledError
from cloudtui_providers.here import present
from cloudtui_providers.rest import reading

RELEASE = "ecs:ModifyInstanceAutoReleaseTime"
STARTED_S = 86400.0
"""One that is started again is released no sooner than after so long: by then its new deadline is told."""


class Alibaba(Provider):
    """ECS, on demand and spot, with the credentials that Alibaba's own tools have."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = TITLE
    capabilities: ClassVar[Capabilities] = Capabilities(
        Token.NATIVE, spot=True, stop=True, stop_spot=True, cloud_deadline=True, user_data=True, firewall=True
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings.of_environment()
        self._api = Api(self._settings)
        self._planning = threading.Lock()  # of several launches at once, one makes the network

    def account(self) -> str:
        """Its number, by a question that needs no permission."""
        return self._api.account()

    def regions(self) -> list[str]:
        """Of the settings, else all that the account is told of."""
        if self._settings.regions:
            return list(self._settings.regions)
        found = self._api.ask(self._settings.region, "ecs:DescribeRegions")
        return sorted(one["RegionId"] for one in items(found, "Regions", "Region"))

    def offers(self, wanted: Wanted) -> list[Offer]:
        """Without a type: those with GPUs, and a few common ones without."""
        with reading(TITLE):
            return offers(self._api, list(wanted.regions) or self.regions(), self._settings.region, wanted)

    def plan(self, order: Order) -> Payload:
        """Makes, once, the network, the zone's switch and the security group."""
        with self._planning, reading(TITLE):
            return planned(self._api, self._settings, order)

    def launch(self, payload: Payload) -> Machine:
        """By RunInstances with the order's token: Alibaba gives the same machine for it."""
        region, request = payload["region"], payload["request"]
        told = self._api.change(region, "ecs:RunInstances", **request)
        with reading(TITLE, changes=True):
            return Machine(
                id=told["InstanceIdSets"]["InstanceIdSet"][0],
                state=CloudState.PENDING,
                region=region,
                zone=request["ZoneId"],
                type=request["InstanceType"],
                spot="SpotStrategy" in request,
                user=self._settings.user,
                tags={one["Key"]: one["Value"] for one in request["Tag"]},
            )

    def find(self, payload: Payload) -> Machine | None:
        """By the tag that RunInstances puts on it; one that was released is not there."""
        with reading(TITLE):
            return machines.by_token(self._api, payload["region"], payload["token"], self._settings.user)

    def machines(self, region: str, owner: str) -> Listing:
        """By its tag, page by page."""
        with reading(TITLE):
            return machines.listing(self._api, region, owner, self._settings.user)

    def terminate(self, region: str, machine: str) -> None:
        """Its disk and address go with it."""
        self._api.change(region, "ecs:DeleteInstance", but=(NO_MACHINE,), InstanceId=machine, Force=True)

    def taken_back(self, region: str, machine: str) -> bool:
        """By the event that it was interrupted."""
        with reading(TITLE):
            return history.taken_back(self._api, region, machine)

    def stop(self, region: str, machine: str) -> None:
        """So that its disk alone is paid for; Alibaba does not release it any more.

        Whoever gets an error says it again, also to one that stops or has stopped: until then it is released.
        """
        self._turn(
            region, machine, "ecs:StopInstance", CloudState.STOPPED, CloudState.STOPPING,
            StoppedMode="StopCharging",
        )  # fmt: skip
        self._api.change(region, RELEASE, InstanceId=machine)

    def start(self, region: str, machine: str) -> None:
        """There may be no capacity for it any more. With a deadline it has Alibaba's limit again, first."""
        found = self._seen(region, machine)
        if found.state is CloudState.RUNNING and not found.reason:
            return
        if found.tags.get(DEADLINE_TAG):
            with reading(TITLE):
                at = release_at(found.tags[DEADLINE_TAG], not_before_s=STARTED_S)
            self._api.change(region, RELEASE, InstanceId=machine, AutoReleaseTime=at)
        self._turn(region, machine, "ecs:StartInstance", CloudState.RUNNING)

    def set_deadline(self, region: str, machine: str, deadline: str, lifetime_s: int) -> None:  # noqa: ARG002 - the contract's
        """In its tag, and, of one that stays on, in Alibaba's own limit: half an hour after it."""
        if self._seen(region, machine).state not in {CloudState.STOPPING, CloudState.STOPPED}:
            limit = {"AutoReleaseTime": release_at(deadline)} if deadline else {}
            self._api.ask(region, RELEASE, InstanceId=machine, **limit)
        tag = [{"Key": DEADLINE_TAG, "Value": deadline}]
        self._api.ask(region, "ecs:TagResources", ResourceType="instance", ResourceId=[machine], Tag=tag)

    def let_in(self, region: str, owner: str, ssh_from: Sequence[str]) -> str:
        """By the security group of such an order."""
        here = present()
        with self._planning, reading(TITLE):
            network.let_in(self._api, region, owner, ssh_from, also=here, poll_s=self._settings.poll_s)
        return here

    def check(self) -> list[Check]:
        """Credentials, regions, and the permissions that can be seen without doing anything."""
        return checks.checks(self._api, self._settings)

    def _seen(self, region: str, machine: str) -> Machine:
        with reading(TITLE):
            return machines.machine(machines.asked(self._api, region, machine), self._settings.user)

    def _turn(self, region: str, machine: str, action: str, *wanted: CloudState, **arguments: str) -> None:
        """Turn it off or on. Alibaba refuses that in most states, some of which are the wanted ones."""
        try:
            self._api.change(region, action, InstanceId=machine, **arguments)
        except ThrottledError:
            found = self._seen(region, machine)
            if found.reason == machines.PAID_FOR and CloudState.STOPPED in wanted:
                raise InvalidOrderError(
                    f"{machine} was switched off from within, and is paid for as if it ran.",
                    "Start it, then stop it; or terminate it.",
                ) from None
            if found.state not in wanted:
                raise
