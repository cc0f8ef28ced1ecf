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
Ground = Literal["yours", "offered", "refreshed", "bundled"]
"""Whose word it is: the person's, the taken offer's, the cloud's newest, the bundled list's."""


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
class Snapshot:
    """The prices that came with this program; honest about their age."""

    as_of: str
    currency: str
    words: str
    prices: dict[tuple[str, str, str, bool], Price]
    disks: dict[str, int]
    """Micro-dollars for a GB of disk and a month, by provider."""


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
    disks = {name: micro(one["usd_per_gb_month"]) for name, one in data["disks"].items()}
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


def disk_rate(provider: str, gb: int) -> int:
    """Micro-dollars an hour of disks; 0 where the price is not known or in that of the machine."""
    return bundled().disks.get(provider, 0) * max(0, gb) // MONTH_HOURS
