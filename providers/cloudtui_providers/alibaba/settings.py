"""What is set for this cloud by the environment, beside what Alibaba's libraries themselves read there."""

from __future__ import annotations

import os
from dataclasses import dataclass

HOME_REGION = "cn-hangzhou"


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it is optional."""

    endpoint: str = ""
    """An address for all its services, with its scheme; empty: each region's own."""
    region: str = HOME_REGION
    """Where questions go that are the same everywhere."""
    regions: tuple[str, ...] = ()
    """The only ones to look at; empty: all that the account may use."""
    image: str = ""
    """A family of images, or the id of one, instead of the usual one."""
    user: str = "root"
    """Who logs in to that image."""
    poll_s: float = 2.0
    """So long from one look at a network that is being made to the next."""

    @classmethod
    def of_environment(cls) -> Settings:
        """CLOUDTUI_ALIBABA_URL, _REGIONS, _IMAGE and _USER; ALIBABA_CLOUD_REGION_ID as its tools have it."""
        given = os.environ.get
        return cls(
            endpoint=given("CLOUDTUI_ALIBABA_URL", ""),
            region=given("ALIBABA_CLOUD_REGION_ID") or HOME_REGION,
            regions=tuple(given("CLOUDTUI_ALIBABA_REGIONS", "").replace(",", " ").split()),
            image=given("CLOUDTUI_ALIBABA_IMAGE", ""),
            user=given("CLOUDTUI_ALIBABA_USER", "root"),
        )
