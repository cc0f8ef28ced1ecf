"""What is set for this cloud by the environment, beside what azure-identity itself reads there."""

from __future__ import annotations

import os
from dataclasses import dataclass

ENDPOINT = "https://management.azure.com"


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it is optional."""

    endpoint: str = ENDPOINT
    group: str = "cloudtui"
    """The resource group that everything is put into; it is made where it is not there."""
    regions: tuple[str, ...] = ()
    """The only ones to look at; empty: all of the subscription."""
    image: str = ""
    """`publisher:offer:sku`, or the id of an image, instead of the usual one."""
    user: str = "azureuser"
    poll_s: float = 4.0
    """So long from one look at a machine that is being made to the next."""

    @classmethod
    def of_environment(cls) -> Settings:
        """CLOUDTUI_AZURE_URL, _GROUP, _REGIONS, _IMAGE and _USER."""
        given = os.environ.get
        return cls(
            endpoint=given("CLOUDTUI_AZURE_URL") or ENDPOINT,
            group=given("CLOUDTUI_AZURE_GROUP", "cloudtui"),
            regions=tuple(given("CLOUDTUI_AZURE_REGIONS", "").replace(",", " ").split()),
            image=given("CLOUDTUI_AZURE_IMAGE", ""),
            user=given("CLOUDTUI_AZURE_USER", "azureuser"),
        )
