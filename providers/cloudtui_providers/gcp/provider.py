"""The contract, carried out on Compute Engine.

A machine that powers itself off is switched off, as after a stop: its disk stays, and costs. Google's own
limit of its run time cannot be moved while it runs, so it stands a day behind the deadline, as the last means
of all, and is not called one that ends a machine at its deadline.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

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
from cloudtui_providers.errors import InvalidOrderError, MachineGone
from cloudtui_providers.gcp import checks, firewall, machines
from cloudtui_providers.gcp.access import Access
from cloudtui_providers.gcp.plan import planned
from cloudtui_providers.gcp.service import NAME, TITLE, Compute
from cloudtui_providers.gcp.settings import Settings
from cloudtui_providers.gcp.types import offers
from cloudtui_providers.here import present

LOCAL_DISKS_GO = {"discardLocalSsd": "true"}
"""Types with disks inside their own host are stopped only so; the disk that a machine boots from stays."""


class Gcp(Provider):
    """Compute Engine, on demand and spot, with the credentials that Google's libraries find."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = TITLE
    capabilities: ClassVar[Capabilities] = Capabilities(
        Token.NAME, spot=True, stop=True, stop_spot=True, power_off_ends=True, user_data=True, firewall=True
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings.of_environment()
        self._access = Access()
        self._compute = Compute(self._settings.endpoint, self._access)
        self._planning = threading.Lock()  # of several launches at once, one makes the firewall's rules

    def account(self) -> str:
        """The project that all is asked of, by whomever."""
        return self._compute.project

    def regions(self) -> list[str]:
        """Of the settings, else all of the project."""
        if self._settings.regions:
            return list(self._settings.regions)
        pages = self._compute.pages("regions")
        return sorted(one["name"] for page in pages for one in page.get("items", []))

    def offers(self, wanted: Wanted) -> list[Offer]:
        """Without a type: those with GPUs, and a few common ones without. Google tells no prices here."""
        return offers(self._compute, wanted)

    def plan(self, order: Order) -> Payload:
        """Makes the firewall's rules, once. A price of spot cannot be limited at Google."""
        with self._planning:
            return planned(self._compute, self._settings, order)

    def launch(self, payload: Payload) -> Machine:
        """By its name, which a zone lets exist once; whether there is capacity is waited for."""
        request, zone = payload["request"], payload["zone"]
        query = {"requestId": payload["request_id"]}
        path = self._compute.path(f"zones/{zone}/instances")
        try:
            self._compute.carry_out(self._compute.rest.change("POST", path, query=query, body=request))
        except InvalidOrderError:
            found = self.find(payload)  # its name is taken: by itself, for it is no other order's
            if found is None:
                raise
            return found
        return Machine(
            id=f"{zone}/{request['name']}",
            state=CloudState.PENDING,
            region=payload["region"],
            zone=zone,
            type=machines.type_of(request),
            spot=request["scheduling"]["provisioningModel"] == "SPOT",
            user=self._settings.user,
            tags=machines.tags(request["labels"]),
        )

    def find(self, payload: Payload) -> Machine | None:
        """By its zone and name; of one that was taken back Google's journal knows."""
        name = f"{payload['zone']}/{payload['request']['name']}"
        try:
            return machines.machine(self._asked(name))
        except MachineGone:
            gone = machines.taken_back(self._compute, payload["region"])
            return next((one for one in gone if one.id == name), None)

    def machines(self, region: str, owner: str) -> Listing:
        """By one list over all zones; those of other regions in it are left out."""
        return machines.listing(self._compute, region, owner)

    def terminate(self, region: str, machine: str) -> None:  # noqa: ARG002 - the id says where it is
        """Its disk goes with it (autoDelete)."""
        try:
            self._compute.rest.change("DELETE", self._path(machine))
        except MachineGone:
            return

    def stop(self, region: str, machine: str) -> None:  # noqa: ARG002 - the contract's
        """Of what is on disks inside its host nothing stays."""
        self._compute.rest.change("POST", f"{self._path(machine)}/stop", query=LOCAL_DISKS_GO)

    def start(self, region: str, machine: str) -> None:  # noqa: ARG002 - the contract's
        """There may be no capacity for it any more, which is waited for."""
        self._compute.carry_out(self._compute.rest.change("POST", f"{self._path(machine)}/start"))

    def set_deadline(self, region: str, machine: str, deadline: str, lifetime_s: int) -> None:  # noqa: ARG002 - the contract's
        """In its label.

        Raises:
            InvalidOrderError: Google's own limit, a day after the first deadline, would come before.
        """
        instance = self._asked(machine)
        self._reachable(instance, machine, lifetime_s)
        tags = {**instance.get("labels", {}), **machines.labels({DEADLINE_TAG: deadline})}
        body = {"labels": tags, "labelFingerprint": instance["labelFingerprint"]}
        self._compute.rest.ask("POST", f"{self._path(machine)}/setLabels", body=body)

    def let_in(self, region: str, owner: str, ssh_from: Sequence[str]) -> str:  # noqa: ARG002 - it is one for all
        """By the firewall's rule for the tag of such an order."""
        here = present(only_ipv4=True)
        with self._planning:
            firewall.tag(self._compute, self._settings.network, owner, ssh_from, also=here)
        return here

    def check(self) -> list[Check]:
        """Credentials, quota, network, and each permission."""
        return checks.checks(self._compute, self._access, self._settings)

    def _reachable(self, instance: dict[str, Any], machine: str, lifetime_s: int) -> None:
        limit = instance.get("resourceStatus", {}).get("scheduling", {}).get("terminationTimestamp", "")
        if limit and time.time() + lifetime_s > datetime.fromisoformat(limit).timestamp():
            raise InvalidOrderError(
                f"{TITLE} itself ends {machine} at {limit}, and lets that be moved only while it is off.",
                "Name an earlier deadline; one that was stopped and started has its whole time again.",
            )

    def _asked(self, machine: str) -> dict[str, Any]:
        found: dict[str, Any] = self._compute.rest.ask("GET", self._path(machine))
        return found

    def _path(self, machine: str) -> str:
        zone, _, name = machine.partition("/")
        return self._compute.path(f"zones/{zone}/instances/{name}")
