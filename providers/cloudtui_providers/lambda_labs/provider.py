"""The contract, carried out on Lambda's on-demand cloud.

Left as it is: the account's firewall, whose rules hold for all its machines; `check` says whom it lets in.
Machines cannot be stopped, have no deadline there, and are paid for until they are terminated.
"""

from __future__ import annotations

import threading
from typing import Any, ClassVar

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
from cloudtui_providers.errors import MachineGone, ProviderError
from cloudtui_providers.lambda_labs.machines import REGION, USER, machine, offers_of
from cloudtui_providers.lambda_labs.plan import SSH_KEYS, TYPES, planned
from cloudtui_providers.lambda_labs.service import LAUNCH, NAME, PACE_S, TITLE, service
from cloudtui_providers.rest import Rest, reading

INSTANCES = "/api/v1/instances"
TERMINATE = "/api/v1/instance-operations/terminate"
FIREWALL = "/api/v1/firewall-rules"
SSH = 22


class Lambda(Provider):
    """Virtual machines with GPUs, on demand."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = TITLE
    capabilities: ClassVar[Capabilities] = Capabilities(Token.LISTED, user_data=True)

    def __init__(self, endpoint: str = "", pace_s: float = PACE_S) -> None:
        self._rest = Rest(service(endpoint, pace_s))
        self._planning = threading.Lock()  # of several launches at once, one makes the key known

    def account(self) -> str:
        """By its key: a new one has to show a machine of ours before its lists are believed."""
        return self._rest.account()

    def regions(self) -> list[str]:
        """One: an account has one list of machines. Lambda's own regions are zones here."""
        return [REGION]

    def offers(self, wanted: Wanted) -> list[Offer]:
        """With prices, and where there are any now."""
        with reading(TITLE):
            items = self._ask(TYPES).values()
            return chosen((offer for item in items for offer in offers_of(item)), wanted)

    def plan(self, order: Order) -> Payload:
        """Makes our SSH key known, once."""
        with self._planning, reading(TITLE):
            return planned(self._rest, order)

    def launch(self, payload: Payload) -> Machine:
        """Once. Lambda answers with the id alone."""
        request = payload["request"]
        told = self._rest.change("POST", LAUNCH, body=request)
        with reading(TITLE, changes=True):
            (made,) = told["data"]["instance_ids"]
        return Machine(
            id=made,
            state=CloudState.PENDING,
            region=REGION,
            zone=request["region_name"],
            type=request["instance_type_name"],
            user=USER,
            tags=marks.tags(request["name"]),
        )

    def find(self, payload: Payload) -> Machine | None:
        """By its name; a living one before a dead one."""
        token = marks.tags(payload["request"]["name"])[LAUNCH_TAG]
        found = [one for one in self._machines() if one.token == token]
        return min(found, key=lambda one: (one.state is CloudState.TERMINATED, one.id), default=None)

    def machines(self, region: str, owner: str) -> Listing:
        """All of the account, in one answer."""
        return Listing(region, marks.of_owner(self._machines(), owner))

    def terminate(self, region: str, machine: str) -> None:  # noqa: ARG002 - there is one
        """Its disk goes with it."""
        try:
            self._rest.change("POST", TERMINATE, body={"instance_ids": [machine]})
        except MachineGone:
            return

    def check(self) -> list[Check]:
        """The key, what it may list, and whether the firewall lets SSH in."""
        return looks.checks(
            ("credentials", lambda: f"The key is good. Machines of ours there: {len(self._machines())}."),
            ("machine types", lambda: f"Types of machines: {self._count(TYPES)}."),
            ("SSH keys", lambda: f"SSH keys known there: {self._count(SSH_KEYS)}."),
            ("firewall", self._firewall),
        )

    def _firewall(self) -> str:
        with reading(TITLE):
            rules = [rule["source_network"] for rule in self._ask(FIREWALL) if _opens_ssh(rule)]
        if not rules:
            raise ProviderError(
                "The account's firewall lets SSH in from nowhere.",
                f"Add a rule for TCP port {SSH} from your address in Lambda's console.",
            )
        return f"SSH is let in from {', '.join(rules)}: the account's own rule for all its machines."

    def _machines(self) -> list[Machine]:
        """Those that bear marks: what else is there is nobody's affair here, nor its shape."""
        with reading(TITLE):
            return [machine(one) for one in self._ask(INSTANCES) if marks.tags(one.get("name") or "")]

    def _count(self, path: str) -> int:
        with reading(TITLE):
            return len(self._ask(path))

    def _ask(self, path: str) -> Any:
        told = self._rest.ask("GET", path)
        with reading(TITLE):
            return told["data"]


def _opens_ssh(rule: dict[str, Any]) -> bool:
    low, high = rule.get("port_range") or (1, 65535)
    return rule["protocol"] in {"tcp", "all"} and low <= SSH <= high
