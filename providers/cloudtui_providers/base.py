"""The contract between the engine and a cloud: what every provider promises.

A provider knows its cloud and nothing else: no catalog, no SSH, no screen. It is asked from several threads
at once and keeps no state that matters; what must last (an order, its token, its payload) is the engine's,
written before the call is made. For writers of providers: providers/WRITING.md.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from cloudtui_providers.errors import NotPossibleError

OWNER_TAG = "cloudtui-owner"
"""The random id of the installation that made the machine, its disks and addresses."""
LAUNCH_TAG = "cloudtui-launch"
"""The token of the order: `<launch id>-<attempt>`."""
NAME_TAG = "cloudtui-name"
DEADLINE_TAG = "cloudtui-deadline"
"""When it has to be gone, RFC 3339 in UTC."""

Payload = Mapping[str, Any]
"""The exact request of an order, JSON. Sent again it makes no second machine (see `Provider.launch`)."""


class CloudState(StrEnum):
    """What the cloud says of a machine. Nothing here is said by anybody else."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    """Keeps its disks; costs what they cost."""
    TERMINATING = "terminating"
    TERMINATED = "terminated"


class Token(StrEnum):
    """What keeps an order from being carried out twice."""

    NATIVE = "native"
    """The cloud itself: the same token gives the same machine."""
    NAME = "name"
    """The machine's name, which the cloud lets exist once."""
    LISTED = "listed"
    """Nothing: before an order is sent again the machines are listed for its token."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a cloud can do. What it cannot is told before a launch, never found out after."""

    token: Token
    spot: bool = False
    """Machines that it may take back."""
    stop: bool = False
    """Stopped machines keep their disks and can be started."""
    stop_spot: bool = False
    """Those that it may take back, too."""
    cloud_deadline: bool = False
    """It ends a machine at a time set at the launch, whoever lives then."""
    power_off_ends: bool = False
    """A machine that powers itself off is no longer paid for."""
    user_data: bool = False
    """cloud-init: a host key made here can be given along."""
    containers: bool = False
    """Its machines are containers: no systemd, no power-off."""
    firewall: bool = False
    """Its machines are open to some networks alone: who moves to another is let in by `let_in`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which offers are asked for; what is empty does not matter."""

    gpu: str = ""
    """A part of the GPU's name, whatever its case: `a100`."""
    type: str = ""
    regions: Sequence[str] = ()
    """None: all that the account may use."""
    max_price: float | None = None
    """US dollars an hour."""
    spot: bool = False
    disk_gb: int = 100
    """Where the price of a machine is with its disk, this is how large."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A machine that can be rented."""

    provider: str
    region: str
    zone: str
    """Empty where it does not matter."""
    type: str
    gpu: str
    """Of what make its GPUs are; empty without."""
    gpus: int
    gpu_memory_bytes: int
    """Of one."""
    cpus: int
    memory_bytes: int
    price_usd_per_hour: float | None
    """None: not known; what is no price (not finite, below 0) is taken for that."""
    spot: bool = False
    as_of: str = ""
    """The day of the price, RFC 3339; empty: now."""
    available: bool | None = None
    """Whether there are any now; None: the cloud does not say."""

    def __post_init__(self) -> None:
        # Here, for all of them: such a number would pass every limit that it is held against.
        price = self.price_usd_per_hour
        if price is not None and not 0 <= price < math.inf:
            object.__setattr__(self, "price_usd_per_hour", None)


@dataclass(frozen=True, slots=True)
class Order:
    """A machine that is wanted, once."""

    launch: str
    """The id of the launch."""
    attempt: int
    """From 1; another zone or type is another attempt."""
    name: str
    owner: str
    type: str
    region: str
    zone: str = ""
    spot: bool = False
    max_price: float | None = None
    """US dollars an hour: the bid for spot; on demand the price that was offered, and nothing dearer is taken
    where prices may have changed since. None: no limit."""
    disk_gb: int = 100
    image: str = ""
    """Empty: the provider's own choice, with drivers for GPUs."""
    public_key: str = ""
    """The line of authorized_keys that is ours."""
    user_data: str = ""
    """For cloud-init, where the cloud has it."""
    start_command: str = ""
    """For a shell as a container begins, where machines are containers; it returns at once."""
    ssh_from: Sequence[str] = ()
    """CIDRs that may reach its SSH port; none: this machine's address alone (`here.reached_from`)."""
    deadline: str = ""
    """RFC 3339, UTC; empty: none."""
    lifetime_s: int = 0
    """The same as seconds from the launch; 0: none."""
    power_off_stops: bool = False
    """A machine that powers itself off keeps its disk, where the cloud can stop; else it ends."""

    @property
    def token(self) -> str:
        """Of this attempt, and of no other order."""
        return f"{self.launch}-{self.attempt}"

    @property
    def tags(self) -> dict[str, str]:
        """What its machine, disks and addresses are marked with."""
        tags = {OWNER_TAG: self.owner, LAUNCH_TAG: self.token, NAME_TAG: self.name}
        return tags | ({DEADLINE_TAG: self.deadline} if self.deadline else {})


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine in the cloud's own words, as of when it was asked."""

    id: str
    """The cloud's."""
    state: CloudState
    region: str
    zone: str = ""
    type: str = ""
    spot: bool = False
    address: str = ""
    """Where SSH answers; empty while there is none."""
    port: int = 22
    user: str = ""
    created_at: float | None = None
    """Unix seconds, by the cloud's clock."""
    reason: str = ""
    """Why it is not running, where the cloud says so: `preempted` or its own word."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """Of the order that made it; empty where it was none of ours."""
        return self.tags.get(LAUNCH_TAG, "")


@dataclass(frozen=True, slots=True)
class Listing:
    """The machines of an owner in a region."""

    region: str
    machines: Sequence[Machine]
    complete: bool = True
    """False: some may be missing (a page failed). What is not in an incomplete listing may still be there."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a cloud needs of this machine or account, and whether it is there."""

    name: str
    ok: bool
    text: str
    hint: str = ""


class Provider(ABC):
    """One cloud. Every method may raise any `ProviderError`; what it means is written there."""

    name: ClassVar[str]
    title: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    checked: ClassVar[str] = ""
    """The day on which it was last tried on the cloud itself; empty: against fakes only."""

    @abstractmethod
    def account(self) -> str:
        """What tells the account that all else happens in from others, never empty: a number, or `keys.mark`.

        It is asked before every look and change, so it answers from memory, anew after new credentials. In
        another account none of our machines is there, which would be taken for their end: where it is not
        known now it raises, and nothing is believed.
        """

    @abstractmethod
    def regions(self) -> list[str]:
        """Those that the account may use."""

    @abstractmethod
    def offers(self, wanted: Wanted) -> list[Offer]:
        """Machines to rent, cheapest first; those without a price last."""

    @abstractmethod
    def plan(self, order: Order) -> Payload:
        """The request of an order, with all that it depends on (image, key, firewall) found or made.

        It makes no machine and may be called any number of times. What it answers is kept by the engine and
        sent as it is, now and after every crash.
        """

    @abstractmethod
    def launch(self, payload: Payload) -> Machine:
        """Rent the machine of a payload.

        The same payload again gives the same machine, by the cloud's token or by its name; where the cloud
        has neither (`Token.LISTED`), the caller has seen by `find` that it is not there.

        Raises:
            AmbiguousError: it was sent, and no answer came.
        """

    @abstractmethod
    def find(self, payload: Payload) -> Machine | None:
        """The machine that this payload made, terminated or not; None: the cloud knows none.

        Clouds show a new machine in their lists some seconds late; None right after a launch proves nothing.
        But it counts: None over five minutes is taken for "there is none". So a look that was not whole (a
        page failed) raises, and is no None.
        """

    @abstractmethod
    def machines(self, region: str, owner: str) -> Listing:
        """All machines of `owner` in a region, in one sweep; an empty `owner` means every cloudtui's."""

    @abstractmethod
    def terminate(self, region: str, machine: str) -> None:
        """End it and give back its disks. Of one that is gone: done, no error.

        Raises:
            AmbiguousError: it was sent, and no answer came. It may be sent again.
        """

    def taken_back(self, region: str, machine: str) -> bool:  # noqa: ARG002 - for those that can
        """Whether the cloud itself took a spot machine back, of one that is in its lists no more.

        By its own history, as far as it keeps one. False where it does not say so, or does not yet: it is
        asked again.
        """
        return False

    def stop(self, region: str, machine: str) -> None:
        """Stop it; its disks stay. Of one that is stopped: done."""
        raise NotPossibleError(f"{self.title} cannot stop {machine} in {region}.")

    def start(self, region: str, machine: str) -> None:
        """Start a stopped one. Of one that runs: done."""
        raise NotPossibleError(f"{self.title} cannot start {machine} in {region}.")

    def set_deadline(self, region: str, machine: str, deadline: str, lifetime_s: int) -> None:  # noqa: ARG002 - for those that can
        """Have a machine end at another time: in its tag, and in the cloud's own limit where it has one.

        Args:
            region: where it is.
            machine: the cloud's id of it.
            deadline: RFC 3339, UTC; empty: none.
            lifetime_s: the same as seconds from now; 0: none.

        Raises:
            NotPossibleError: the cloud keeps no deadline, neither as a limit nor as a tag.
        """
        raise NotPossibleError(f"{self.title} keeps no deadline of {machine} in {region}.")

    def let_in(self, region: str, owner: str, ssh_from: Sequence[str]) -> str:  # noqa: ARG002 - for those that can
        """Open the firewall of machines that were ordered so to this machine, from where it is now.

        Args:
            region: where they are.
            owner: whose they are.
            ssh_from: as their orders had it. These networks stay; the address that was here before goes.

        Returns:
            The network that is let in beside them: this machine's address.

        Raises:
            NotPossibleError: the cloud has no such firewall.
        """
        raise NotPossibleError(f"{self.title} keeps nobody from its machines in {region} by address.")

    @abstractmethod
    def check(self) -> list[Check]:
        """What is missing on this machine or in the account, permission by permission; changes nothing."""
