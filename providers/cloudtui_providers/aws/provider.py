"""The contract, carried out on EC2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cloudtui_providers.aws import access, checks, machines
from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.aws.offers import NAME, offers
from cloudtui_providers.aws.plan import planned
from cloudtui_providers.aws.settings import Settings
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
from cloudtui_providers.errors import MachineGone, ThrottledError
from cloudtui_providers.here import present

NOT_THERE = ("InvalidInstanceID.NotFound",)
ENDED = {CloudState.TERMINATING, CloudState.TERMINATED}


class Aws(Provider):
    """EC2, on demand and spot, with the credentials that boto3 finds."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = "AWS"
    capabilities: ClassVar[Capabilities] = Capabilities(
        Token.NATIVE, spot=True, stop=True, power_off_ends=True, user_data=True, firewall=True
    )

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings.of_environment()
        self._clients = Clients(self._settings.endpoint)

    def account(self) -> str:
        """Its number, by a question that needs no permission."""
        return self._clients.account()

    def regions(self) -> list[str]:
        """Of the settings, else those that the account has enabled."""
        if self._settings.regions:
            return list(self._settings.regions)
        found = self._clients.ask(self._clients.default_region(), "ec2:DescribeRegions")
        return sorted(region["RegionName"] for region in found["Regions"])

    def offers(self, wanted: Wanted) -> list[Offer]:
        """Without a type: those with GPUs, and a few common ones without."""
        return offers(self._clients, list(wanted.regions) or self.regions(), wanted)

    def plan(self, order: Order) -> Payload:
        """Makes, once, the key pair and the security group."""
        return planned(self._clients, self._settings, order)

    def launch(self, payload: Payload) -> Machine:
        """By RunInstances with the order's token: AWS gives the same machine for it, for a day."""
        region = payload["region"]
        made = self._clients.change(region, "ec2:RunInstances", **payload["request"])
        return machines.machine(made["Instances"][0], region, self._settings.ssh_port)

    def find(self, payload: Payload) -> Machine | None:
        """By the tag that RunInstances puts on it."""
        token = payload["request"]["ClientToken"]
        return machines.one_by_token(self._clients, payload["region"], token, self._settings.ssh_port)

    def machines(self, region: str, owner: str) -> Listing:
        """Ended ones are among them for about an hour."""
        return machines.listing(self._clients, region, owner, self._settings.ssh_port)

    def terminate(self, region: str, machine: str) -> None:
        """Its disk goes with it (DeleteOnTermination)."""
        self._clients.change(region, "ec2:TerminateInstances", but=NOT_THERE, InstanceIds=[machine])

    def stop(self, region: str, machine: str) -> None:
        """EC2 refuses it while a machine still starts: `ThrottledError`, ask again."""
        self._turn(region, machine, "ec2:StopInstances")

    def start(self, region: str, machine: str) -> None:
        """EC2 refuses it while a machine still stops: `ThrottledError`, ask again."""
        self._turn(region, machine, "ec2:StartInstances")

    def set_deadline(self, region: str, machine: str, deadline: str, lifetime_s: int) -> None:  # noqa: ARG002 - the contract's
        """In its tag: EC2 itself ends no machine at a time."""
        tag = {"Key": DEADLINE_TAG, "Value": deadline}
        self._clients.ask(region, "ec2:CreateTags", Resources=[machine], Tags=[tag])

    def let_in(self, region: str, owner: str, ssh_from: Sequence[str]) -> str:
        """By the security group of such an order."""
        here = present()
        access.group_id(self._clients, region, owner, ssh_from, self._settings.ssh_port, also=here)
        return here

    def check(self) -> list[Check]:
        """Credentials, permissions (by dry runs), network and quotas of the default region."""
        return checks.checks(self._clients, self._settings)

    def _turn(self, region: str, machine: str, action: str) -> None:
        try:
            self._clients.change(region, action, InstanceIds=[machine])
        except ThrottledError:
            found = machines.one_by_id(self._clients, region, machine, self._settings.ssh_port)
            if found is not None and found.state in ENDED:
                raise MachineGone(f"The machine {machine} has ended.") from None
            raise
