"""What is set for this cloud by the environment, beside what boto3 itself reads there."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cloudtui_providers.errors import ProviderError


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it is optional."""

    regions: tuple[str, ...] = ()
    """The only ones to look at; empty: all that the account has."""
    image: str = ""
    """An AMI, or the path of an SSM parameter that names one, instead of the usual image."""
    user: str = ""
    """Who logs in to that image; empty: told by its name."""
    ssh_port: int = 22
    """Where sshd of that image listens."""
    endpoint: str = ""
    """Of something that speaks EC2; empty: boto3's own affair (AWS_ENDPOINT_URL, ~/.aws/config)."""

    @classmethod
    def of_environment(cls) -> Settings:
        """CLOUDTUI_AWS_REGIONS, CLOUDTUI_AWS_IMAGE, CLOUDTUI_AWS_USER and CLOUDTUI_AWS_SSH_PORT."""
        given = os.environ.get
        return cls(
            regions=tuple(
                name for name in given("CLOUDTUI_AWS_REGIONS", "").replace(",", " ").split() if name
            ),
            image=given("CLOUDTUI_AWS_IMAGE", ""),
            user=given("CLOUDTUI_AWS_USER", ""),
            ssh_port=_port(given("CLOUDTUI_AWS_SSH_PORT", "22")),
        )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ProviderError(
            "CLOUDTUI_AWS_SSH_PORT is no port.",
            "Set it to where the image's sshd listens, or not at all: 22.",
        )
    return int(text)
