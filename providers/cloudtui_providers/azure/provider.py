"""The contract, carried out on Azure's virtual machines.

A machine that powers itself off is paid for as if it ran, until it is deallocated from outside: so its switch
leaves it on, and nothing but this program ends it. Interface, address and disk are made and deleted with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from cloudtui_providers.azure import checks, history, machines, network
from cloudtui_providers.azure.access import Access
from cloudtui_providers.azure.plan import planned
from cloudtui_providers.azure.service import COMPUTE, NAME, RESOURCES, TITLE, Resources, kind_of
from cloudtui_providers.azure.settings import Settings
from cloudtui_providers.azure.types import offers
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
from cloudtui_providers.errors import (
    AmbiguousError,
    InvalidOrderError,
    MachineGone,
    ProviderError,
)
from cloudtui_providers.here import present

MOST_LOOKS = 30
"""At a machine that is being made, before it is taken for one that will be."""
UNDER_WAY = {"Creating", "Updating"}


class Azure(Provider):
    """Virtual machines, on demand and spot, with the credentials that azure-identity finds."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = TITLE
    capabilities: ClassVar[Capabilities] = Capabilities(
        Token.NAME, spot=True, stop=True, stop_spot=True, user_data=True, firewall=True
    )

    def __init__(self, settings: Settings | None = None, access: Access | None = None) -> None:
        self._settings = settings or Settings.of_environment()
        self._resources = Resources(self._settings.endpoint, self._settings.group, access or Access())
        self._planning = threading.Lock()  # of several launches at once, one makes the network

    def account(self) -> str:
        """The subscription with the one group that is looked into: in another neither has our machines."""
        return self._resources.path(f"/resourceGroups/{self._resources.group}").lower()

    def regions(self) -> list[str]:
        """Of the settings, else all of the subscription."""
        if self._settings.regions:
            return list(self._settings.regions)
        found = self._resources.items(self._resources.path("/locations"), RESOURCES)
        return sorted(one["name"] for one in found if _is_place(one))

    def offers(self, wanted: Wanted) -> list[Offer]:
        """Without a type: those with GPUs, and a few common ones without."""
        return offers(self._resources, wanted)

    def plan(self, order: Order) -> Payload:
        """Makes, once, the resource group, the region's network and the firewall."""
        with self._planning:
            return planned(self._resources, self._settings, order)

    def launch(self, payload: Payload) -> Machine:
        """By a PUT to its name, which is the same machine each time; whether there is capacity is waited for.

        One that could not be placed leaves itself, its interface and its address behind: they are deleted
        before that is told.
        """
        name, request = payload["name"], payload["request"]
        try:
            self._change("PUT", name, body=request)
        except InvalidOrderError:
            found = self.find(payload)  # of one that is there Azure may refuse what was only for its making
            if found is None:
                raise
            return found
        try:
            self._made(name)
        except AmbiguousError:
            raise
        except ProviderError as error:
            self._clear(name, error)
            raise
        return Machine(
            id=name,
            state=CloudState.PENDING,
            region=payload["region"],
            zone=next(iter(request.get("zones", [])), ""),
            type=request["properties"]["hardwareProfile"]["vmSize"],
            spot=request["properties"].get("priority") == "Spot",
            user=self._settings.user,
            tags=request["tags"],
        )

    def find(self, payload: Payload) -> Machine | None:
        """By its name."""
        try:
            return machines.one(self._resources, payload["name"], self._settings.user)
        except MachineGone:
            return None

    def machines(self, region: str, owner: str) -> Listing:
        """Of our group; one that was taken back is gone at once."""
        return machines.listing(self._resources, region, owner, self._settings.user)

    def terminate(self, region: str, machine: str) -> None:  # noqa: ARG002 - all are in one group
        """Disk, interface and address go with it (deleteOption)."""
        try:
            self._change("DELETE", machine)
        except MachineGone:
            return

    def taken_back(self, region: str, machine: str) -> bool:  # noqa: ARG002 - its log is one for all regions
        """By the activity log, which is some minutes late."""
        return history.taken_back(self._resources, machine)

    def stop(self, region: str, machine: str) -> None:  # noqa: ARG002 - the contract's
        """By deallocating it: what is only switched off costs as before."""
        self._change("POST", f"{machine}/deallocate")

    def start(self, region: str, machine: str) -> None:  # noqa: ARG002 - the contract's
        """There may be no capacity for it any more, which is waited for."""
        self._change("POST", f"{machine}/start")
        self._made(machine)

    def set_deadline(self, region: str, machine: str, deadline: str, lifetime_s: int) -> None:  # noqa: ARG002 - the contract's
        """In its tag: Azure itself ends no machine at a time."""
        tags = {**machines.asked(self._resources, machine).get("tags", {}), DEADLINE_TAG: deadline}
        self._resources.rest.ask("PATCH", self._path(machine), query=_VERSION, body={"tags": tags})

    def let_in(self, region: str, owner: str, ssh_from: Sequence[str]) -> str:
        """By the security group of such an order."""
        here = present(only_ipv4=True)
        with self._planning:
            network.ready(self._resources, region, owner, ssh_from, also=here)
        return here

    def check(self) -> list[Check]:
        """Credentials, what is switched on, and each permission."""
        return checks.checks(self._resources)

    def _made(self, name: str) -> None:
        """Wait until it is placed, or for so long that no refusal is to be awaited any more.

        Raises:
            ProviderError: it could not be.
            AmbiguousError: nobody says how it ended.
        """
        for look in range(MOST_LOOKS):
            if look:
                time.sleep(self._settings.poll_s)
            try:
                vm = machines.asked(self._resources, name)
            except ProviderError as error:
                raise AmbiguousError(f"How it ended is not known: {error.message}") from None
            state = vm["properties"]["provisioningState"]
            if state == "Failed":
                code, words = machines.failure(vm)
                kind = kind_of(code, words) or InvalidOrderError
                raise kind(f"{TITLE} could not place it ({code or 'no reason given'}): {words[:300]}")
            if state not in UNDER_WAY:
                return

    def _clear(self, name: str, error: ProviderError) -> None:
        try:
            self._change("DELETE", name)
        except MachineGone:
            return
        except ProviderError:
            raise AmbiguousError(f"What is left of it could not be deleted. {error.message}") from None

    def _change(self, method: str, machine: str, body: Any = None) -> None:
        self._resources.rest.change(method, self._path(machine), query=_VERSION, body=body)

    def _path(self, machine: str) -> str:
        return self._resources.ours(f"{machines.VMS}/{machine}")


_VERSION = {"api-version": COMPUTE}


def _is_place(location: dict[str, Any]) -> bool:
    return bool(location.get("metadata", {}).get("regionType", "Physical") == "Physical")
