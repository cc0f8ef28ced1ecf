"""What is known of a cloud before anything is rented there: what it can do and offers, what is missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OFFERS = "provider.offers"
"""The operation that asks clouds for offers."""
CHECK = "provider.check"
"""The operation that looks at credentials and permissions."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """A provider that is installed, in plain words for those that know no provider."""

    name: str
    title: str
    can: Mapping[str, bool] = field(default_factory=dict)
    """`spot, stop, cloud_deadline, power_off_ends, user_data, containers`."""
    token: str = ""
    """What keeps an order from being carried out twice: `native`, `name`, `listed`."""
    problem: str = ""
    """Why it cannot be used at all; empty: it can."""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CloudOffer:
    """A machine that can be rented, as a cloud said it."""

    provider: str
    region: str
    zone: str
    type: str
    gpu: str
    gpus: int
    gpu_memory_bytes: int
    cpus: int
    memory_bytes: int
    price_usd_per_hour: float | None
    spot: bool = False
    as_of: str = ""
    available: bool | None = None
    zones: tuple[str, ...] = ()
    """All zones of the region that have it, the cheapest first; `zone` is the first of them."""

    @property
    def where(self) -> str:
        """`us-east-1b`, or `us-east-1 (4 zones)`."""
        return f"{self.region} ({len(self.zones)} zones)" if len(self.zones) > 1 else self.zone or self.region

    def as_dict(self) -> dict[str, Any]:
        """As an operation keeps it."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a cloud has not said what it offers."""

    provider: str
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Offers:
    """What clouds answered."""

    offers: tuple[CloudOffer, ...] = ()
    """The cheapest first, those without a price last."""
    problems: tuple[Problem, ...] = ()
    left_out: int = 0
    """So many dearer ones were offered beside these."""
    asked_at: float = 0.0

    @classmethod
    def of(cls, result: Mapping[str, Any], asked_at: float) -> Offers:
        """What an operation kept."""
        known = {one.name for one in dataclasses.fields(CloudOffer)}
        return cls(
            tuple(
                CloudOffer(
                    **{name: value for name, value in one.items() if name in known}
                    | {"zones": tuple(one.get("zones", ()))}
                )
                for one in result.get("offers", ())
            ),
            tuple(Problem(**one) for one in result.get("problems", ())),
            int(result.get("left_out", 0)),
            asked_at,
        )


@dataclass(frozen=True, slots=True)
class CloudCheck:
    """One thing that a cloud needs of this machine or account, and whether it is there."""

    name: str
    ok: bool
    text: str
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As an operation keeps it."""
        return dataclasses.asdict(self)
