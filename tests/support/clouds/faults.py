"""What a fake cloud can be told to do wrong, by one name for all of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar, Protocol

from cloudtui_providers.base import DEADLINE_TAG, LAUNCH_TAG, NAME_TAG, OWNER_TAG, Order, Provider

ALL_TAGS = (OWNER_TAG, LAUNCH_TAG, NAME_TAG, DEADLINE_TAG)


class Fault(StrEnum):
    """One thing that goes wrong with the next call."""

    CAPACITY = "capacity"
    QUOTA = "quota"
    AUTH = "auth"
    PERMISSION = "permission"
    INVALID = "invalid"
    """The cloud refuses the order itself."""
    THROTTLE = "throttle"
    UNREACHABLE = "unreachable"
    """Nobody answers the connection: nothing was sent."""
    BROKEN = "broken"
    """The cloud says that something broke inside it (500); nothing was done, which only it knows."""
    LOSE_ANSWER = "lose_answer"
    """It is carried out, and the connection ends before the answer."""
    INCOMPLETE = "incomplete"
    """A listing ends before its end."""
    LATE = "late"
    """The machine of this launch is not in the next lists."""


class Orders:
    """Of a fake cloud: orders for the one kind of machine that its tests rent."""

    usual: ClassVar[Order]

    def order(
        self,
        *,
        launch: str = "claunch1",
        attempt: int = 1,
        owner: str = "c0ffee",
        deadline: str = "",
        spot: bool = False,
    ) -> Order:
        return replace(
            self.usual, launch=launch, attempt=attempt, owner=owner, deadline=deadline, spot=spot
        )  # fmt: skip


class FakeCloud(Protocol):
    """A provider and the fake cloud behind it, as the contract suite wants them."""

    @property
    def provider(self) -> Provider:
        """The one that is tried."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """Credentials that the provider was given: none of them may be in any text."""
        ...

    @property
    def faults(self) -> Collection[Fault]:
        """Those that this cloud knows."""
        ...

    @property
    def carries(self) -> Collection[str]:
        """The tags that it keeps; owner and launch always."""
        ...

    @property
    def absent(self) -> str:
        """The id of a machine that never was, in this cloud's form."""
        ...

    def order(
        self, *, launch: str = ..., attempt: int = 1, owner: str = ..., deadline: str = "", spot: bool = False
    ) -> Order:
        """An order that this cloud carries out, for one of its regions; the same without arguments."""
        ...

    def fail(self, fault: Fault, on: str = "launch", times: int = 1) -> None:
        """Of the next `times` calls of that method of the contract; `on="*"`: of any, until `heal`."""
        ...

    def heal(self) -> None:
        """No faults any more."""
        ...

    def count(self) -> int:
        """Machines that cost something now, by the cloud's own books."""
        ...

    def launches(self) -> int:
        """Requests to rent that arrived, whatever came of them."""
        ...

    def settle(self) -> None:
        """Let every change that is under way come to its end."""
        ...

    def stranger(self) -> None:
        """A machine of the same account that is none of cloudtui's."""
        ...

    def forget(self, machine: str) -> None:
        """The cloud knows nothing of this machine any more."""
        ...

    def take_back(self, machine: str) -> None:
        """As the cloud does with spot; asked only where `capabilities.spot`."""
        ...

    def disk_tags(self, machine: str) -> list[dict[str, str]]:
        """Of everything beside the machine itself that costs; empty where nothing else can be marked."""
        ...
