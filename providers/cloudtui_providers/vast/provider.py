"""The contract, carried out on Vast.ai.

A type is a number of GPUs of one kind, a zone is one host's machine: what is offered by one host is one
offer, and where it is gone the next host's is taken. Hosts are strangers, of which Vast.ai has verified some:
only those are rented from. Interruptible machines are left out: one that is outbid rests with its disk, to be
paid for and started again, and that is neither ended nor running.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from cloudtui_providers import looks, marks
from cloudtui_providers.base import (
    LAUNCH_TAG,
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
from cloudtui_providers.choosing import chosen
from cloudtui_providers.errors import InvalidOrderError, MachineGone, ProviderError
from cloudtui_providers.rest import Rest, reading
from cloudtui_providers.vast import search
from cloudtui_providers.vast.machines import REGION, USER, pages
from cloudtui_providers.vast.service import ASKS, NAME, PACE_S, TITLE, service

MACHINE = "/api/v0/instances/"
WHO = "/api/v0/users/current/"


class Vast(Provider):
    """Containers on machines of many hosts, at their prices."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = TITLE
    capabilities: ClassVar[Capabilities] = Capabilities(Token.LISTED, stop=True, containers=True)

    def __init__(self, endpoint: str = "", pace_s: float = PACE_S) -> None:
        self._rest = Rest(service(endpoint, pace_s))

    def account(self) -> str:
        """By its key: a new one has to show a machine of ours before its lists are believed."""
        return self._rest.account()

    def regions(self) -> list[str]:
        """One: an account has one list of machines."""
        return [REGION]

    def offers(self, wanted: Wanted) -> list[Offer]:
        """Of verified hosts, with the disk in the price."""
        try:
            return [] if wanted.spot else chosen(search.offers(self._rest, wanted), wanted)
        except InvalidOrderError:  # another cloud's type
            return []

    def plan(self, order: Order) -> Payload:
        """Looks for the cheapest offer that fits; makes nothing."""
        return search.planned(self._rest, order)

    def launch(self, payload: Payload) -> Machine:
        """Once. Its answer has a key to the machine too, which is not read."""
        path, request = f"{ASKS}{payload['ask']}/", payload["request"]
        told = self._rest.change("PUT", path, body=request)
        with reading(TITLE, changes=True):
            made = int(told["new_contract"])
        return Machine(
            id=str(made),
            state=CloudState.PENDING,
            region=REGION,
            zone=payload["zone"],
            type=payload["type"],
            user=USER,
            tags=marks.tags(request["label"]),
        )

    def find(self, payload: Payload) -> Machine | None:
        """By its label; a page that fails raises."""
        label = payload["request"]["label"]
        token = marks.tags(label)[LAUNCH_TAG]
        asked = (one for page in pages(self._rest, label) for one in page)
        # Held against the token, too: an ignored filter would make somebody's machine this order's.
        return min((one for one in asked if one.token == token), key=lambda one: one.id, default=None)

    def machines(self, region: str, owner: str) -> Listing:
        """By pages. What failed after the first is told in it; at the first page it is raised."""
        found: list[Machine] = []
        first = True
        try:
            for page in pages(self._rest):
                found += page
                first = False
        except ProviderError as error:
            if first:
                raise
            return Listing(region, marks.of_owner(found, owner), complete=False, problem=error.message)
        return Listing(region, marks.of_owner(found, owner))

    def terminate(self, region: str, machine: str) -> None:  # noqa: ARG002 - there is one
        """Its disk goes with it."""
        try:
            self._rest.change("DELETE", _path(machine))
        except MachineGone:
            return

    def stop(self, region: str, machine: str) -> None:  # noqa: ARG002 - the contract's
        """Its disk stays, and is paid for."""
        self._rest.change("PUT", _path(machine), body={"state": "stopped"})

    def start(self, region: str, machine: str) -> None:  # noqa: ARG002 - the contract's
        """It waits until its GPUs are free: they may have been rented to somebody else."""
        self._rest.change("PUT", _path(machine), body={"state": "running"})

    def check(self) -> list[Check]:
        """The key, and what it may list; whether it may rent, nothing but a launch tells."""
        return looks.checks(
            ("credentials", self._who),
            ("machines", lambda: f"Machines of ours there: {sum(len(page) for page in pages(self._rest))}."),
            ("offers", lambda: f"Machines offered: {len(search.offers(self._rest, Wanted()))}."),
        )

    def _who(self) -> str:
        self._rest.ask("GET", WHO)
        return "The key is good."


def _path(machine: str) -> str:
    return f"{MACHINE}{quote(machine, safe='')}/"
