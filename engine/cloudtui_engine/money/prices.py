"""What a machine costs an hour: the user's word, else the provider's newest, else the bundled snapshot. Pure.

Looking a price up reads one file of this package, once, and asks nobody: a launch never waits for a refresh.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from cloudtui_engine.money.amounts import micro

MONTH_HOURS = 730
"""As clouds reckon what they price by the month."""
Ground = Literal["yours", "offered", "at_launch", "refreshed", "bundled"]
"""Whose word it is: the person's, the taken offer's (of a spot machine as it was at its launch, for the cloud
moves it), the cloud's newest, the bundled list's."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a machine costs, since when, and who says so."""

    provider: str
    region: str
    type: str
    spot: bool
    rate: int
    """Micro-dollars an hour."""
    as_of: str
    """The day, or the moment, RFC 3339."""
    source: str


@dataclass(frozen=True, slots=True)
class Found:
    """A price that was looked up, and on what ground."""

    rate: int
    ground: Ground
    as_of: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """What a cloud wants for the disk of a machine, in micro-dollars a month; what is None is not known."""

    per_gb: int | None = None
    sizes: tuple[tuple[int, int], ...] = ()
    """Where only some sizes are sold: each in GB with its price, the smallest first."""
    in_machine: bool = False
    """While the machine runs it is in that one's price."""

    def a_month(self, gb: int, *, stopped: bool) -> int | None:
        """Of a disk of this size, of a machine that runs or not."""
        if self.in_machine and not stopped:
            return 0
        if self.sizes:
            # Above the largest as many of those as it takes: dearer than it is, if anything.
            largest, most = self.sizes[-1]
            return next((price for size, price in self.sizes if gb <= size), -(-gb // largest) * most)
        return None if self.per_gb is None else self.per_gb * gb


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The prices that came with this program; honest about their age."""

    as_of: str
    currency: str
    words: str
    prices: dict[tuple[str, str, str, bool], Price]
    disks: dict[str, Disk]
    """By provider."""


@cache
def bundled() -> Snapshot:
    """The snapshot of this release."""
    data: dict[str, Any] = json.loads(files(__package__).joinpath("prices.json").read_text(encoding="utf-8"))
    prices = {
        (one["provider"], region, machine, False): Price(
            one["provider"], region, machine, False, micro(usd), one["as_of"], one["source"]
        )
        for one in data["lists"]
        for region, machines in one["regions"].items()
        for machine, usd in machines.items()
    }
    disks = {
        name: Disk(
            micro(one["usd_per_gb_month"]) if "usd_per_gb_month" in one else None,
            tuple((gb, micro(usd)) for gb, usd in one.get("usd_per_month_up_to_gb", ())),
            one.get("in_machine", False),
        )
        for name, one in data["disks"].items()
    }
    return Snapshot(data["as_of"], data["currency"], data["words"], prices, disks)


def look_up(  # noqa: PLR0917 - where a machine is, in the order in which one says it
    provider: str, region: str, machine_type: str, spot: bool, own: float | None, refreshed: Price | None
) -> Found | None:
    """The price of a machine; None where nobody knows it.

    Args:
        provider: of the machine.
        region: of the machine; a price without a region holds everywhere.
        machine_type: of the machine.
        spot: whether the cloud may take it back.
        own: what the user said it costs, US dollars an hour.
        refreshed: what the provider said last.
    """
    rate = rate_of(own)
    if rate is not None:
        return Found(rate, "yours")
    if refreshed is not None:
        return Found(refreshed.rate, "refreshed", refreshed.as_of, refreshed.source)
    for place in (region, ""):
        price = bundled().prices.get((provider, place, machine_type, spot))
        if price is not None:
            return Found(price.rate, "bundled", price.as_of, price.source)
    return None


def rate_of(usd_per_hour: float | None) -> int | None:
    """A price in a row as micro-dollars an hour; None for what is none: it may be anybody's word."""
    try:
        return None if usd_per_hour is None else micro(usd_per_hour)
    except ValueError:
        return None


def disk_rate(provider: str, gb: int, *, stopped: bool = False) -> int | None:
    """Micro-dollars an hour of a machine's disk, beside what the machine costs; None: not known."""
    if gb <= 0:
        return 0
    disk = bundled().disks.get(provider)
    month = None if disk is None else disk.a_month(gb, stopped=stopped)
    return None if month is None else month // MONTH_HOURS


def disk_promise(provider: str, gb: int, *, stopped: bool = False) -> int:
    """The same for budgets: of a cloud of ours whose price is not known the dearest of the others counts."""
    rate = disk_rate(provider, gb, stopped=stopped)
    if rate is not None:
        return rate
    disks = bundled().disks
    known = (disk_rate(other, gb, stopped=stopped) for other in disks if provider in disks)
    return max((one for one in known if one is not None), default=0)
