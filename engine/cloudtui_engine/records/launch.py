"""A machine that was asked for: the wish, the launch, its attempts; and what clouds list of ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cloudtui_engine.records.instance import Address

IDLE_S = 3600
"""What a machine may do nothing for before it ends itself, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for. What is empty does not matter."""

    provider: str
    name: str = ""
    """Empty: made up. Of several machines the stem."""
    type: str = ""
    gpu: str = ""
    """A part of the GPU's name, where no type is given."""
    regions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    spot: bool = False
    on_demand_cap: float | None = None
    """Where no spot machine is left: on-demand ones up to this price, US dollars an hour. None: never."""
    max_price: float | None = None
    """US dollars an hour."""
    disk_gb: int = 100
    image: str = ""
    ssh_from: tuple[str, ...] = ()
    """CIDRs that may reach its SSH port."""
    lifetime_s: int = 0
    """The deadline, from the launch; 0: none."""
    idle_s: int = IDLE_S
    """Quiet that ends it, in seconds; 0: none does."""
    count: int = 1
    avoid: tuple[str, ...] = ()
    """Zones that took such a machine away: left out while there are others."""
    replaces: str = ""
    """The machine in whose place it is, by its id: what was cut off there goes on here."""
    patience_s: int = 0
    """For so long it is asked for again where there is none to be had; 0: it fails then."""

    def as_dict(self) -> dict[str, Any]:
        """As it is kept."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Wish:
        """The wish that was kept, perhaps by a program that knew more or less of it."""
        names = {one.name for one in dataclasses.fields(cls)}
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in kept.items()
            if name in names
        }
        return cls(**{"provider": "", **known})


class LaunchState(StrEnum):
    """How far a launch is."""

    OPEN = "open"
    """No machine yet; one of its requests may have made one."""
    ADOPTED = "adopted"
    """The cloud has named the machine; it is on its way to an address."""
    READY = "ready"
    FAILED = "failed"
    """No machine came of it, or the one that came was gone before it was reached."""
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """What is known of one request for a machine."""

    PLANNED = "planned"
    """Written down, and never sent."""
    SENT = "sent"
    """Committed before it went out: whether a machine came of it is not known while it stays so."""
    UNRESOLVED = "unresolved"
    """The answer is lost."""
    ADOPTED = "adopted"
    REFUSED = "refused"
    """The cloud said no: there is no machine."""
    ABSENT = "absent"
    """Never sent, or looked for long enough: there is no machine."""

    @property
    def may_live(self) -> bool:
        """A machine may have come, or may still come, of it."""
        return self in {AttemptState.SENT, AttemptState.UNRESOLVED, AttemptState.ADOPTED}

    @property
    def is_dead(self) -> bool:
        """No machine comes of it."""
        return self in {AttemptState.REFUSED, AttemptState.ABSENT}


@dataclass(frozen=True, slots=True)
class Launch:
    """One machine that was asked for."""

    id: str
    group_id: str
    """Machines that were asked for together, all or nothing; its own id where it is alone."""
    instance_id: str
    provider: str
    wish: Wish
    state: LaunchState = LaunchState.OPEN
    error: Mapping[str, Any] = field(default_factory=dict)
    """`code`, `message`, `hint` of what ended it."""
    created_at: float = 0.0
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class LaunchAttempt:
    """One request for one machine: its place, its exact payload, and what came of it."""

    launch_id: str
    number: int
    region: str
    zone: str
    type: str
    spot: bool = False
    price: float | None = None
    """US dollars an hour, as offered; None: not known."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    state: AttemptState = AttemptState.PLANNED
    machine_id: str = ""
    """The cloud's id of the machine that came of it."""
    error: Mapping[str, Any] = field(default_factory=dict)
    """The newest error: `code`, `message`, `hint`."""
    planned_at: float = 0.0
    sent_at: float | None = None
    absent_since: float | None = None
    """Since when the cloud knows no machine of it, where its answer is lost."""
    resolved_at: float | None = None

    @property
    def token(self) -> str:
        """What the cloud's machine is marked with; `Order.token` of the providers."""
        return f"{self.launch_id}-{self.number}"


@dataclass(frozen=True, slots=True)
class Listing:
    """The newest look at a region of a provider."""

    provider: str
    region: str
    asked_at: float
    complete: bool
    problem: str = ""
    """Why it is not complete, a sentence."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A machine with our owner tag that no row here speaks of: it costs money, and nobody watches it."""

    provider: str
    region: str
    cloud_id: str
    token: str
    name: str
    type: str
    spot: bool
    state: str
    address: Address
    price: float | None
    """US dollars an hour; None: not known."""
    first_seen_at: float
    seen_at: float
    missing_since: float | None = None
