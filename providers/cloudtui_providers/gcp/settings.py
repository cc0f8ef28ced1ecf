"""What is set for this cloud by the environment, beside what google-auth itself reads there."""

from __future__ import annotations

import os
from dataclasses import dataclass

ENDPOINT = "https://compute.googleapis.com"
PERMISSIONS_ENDPOINT = "https://cloudresourcemanager.googleapis.com"


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it is optional."""

    endpoint: str = ENDPOINT
    permissions_endpoint: str = PERMISSIONS_ENDPOINT
    """Who is asked what the account may do."""
    regions: tuple[str, ...] = ()
    """The only ones to look at; empty: all that the project has."""
    image: str = ""
    """`projects/P/global/images/family/F` or `projects/P/global/images/I`, instead of the usual one."""
    user: str = "ubuntu"
    """Who logs in to that image."""
    network: str = "default"

    @classmethod
    def of_environment(cls) -> Settings:
        """CLOUDTUI_GCP_REGIONS, _IMAGE, _USER and _NETWORK; _URL is another endpoint for all."""
        given, url = os.environ.get, os.environ.get("CLOUDTUI_GCP_URL", "")
        return cls(
            endpoint=url or ENDPOINT,
            permissions_endpoint=url or PERMISSIONS_ENDPOINT,
            regions=tuple(given("CLOUDTUI_GCP_REGIONS", "").replace(",", " ").split()),
            image=given("CLOUDTUI_GCP_IMAGE", ""),
            user=given("CLOUDTUI_GCP_USER", "ubuntu"),
            network=given("CLOUDTUI_GCP_NETWORK", "default"),
        )
