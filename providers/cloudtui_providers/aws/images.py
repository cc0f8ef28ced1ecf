"""Which image a machine begins from, and what has to be known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.aws.types import MachineType
from cloudtui_providers.errors import InvalidOrderError

DEEP_LEARNING = "/aws/service/deeplearning/ami/{}/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"
UBUNTU = "/aws/service/canonical/ubuntu/server/24.04/stable/current/{}/hvm/ebs-gp3/ami-id"
CANONICAL_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
NVIDIA = "NVIDIA "
NO_OPEN_DRIVER = (" K80", " M60", " V100")
"""Too old for the open kernel modules, which are those of the image."""
USERS = (
    ("ubuntu", "ubuntu"),
    ("debian", "admin"),
    ("rocky", "rocky"),
    ("fedora", "fedora"),
    ("centos", "centos"),
)
"""Part of an image's name, and who logs in; ec2-user in all others."""


@dataclass(frozen=True, slots=True)
class Image:
    """An AMI as far as a launch must know it."""

    id: str
    root: str
    """The name of its root device."""
    least_gb: int
    """The disk may not be smaller."""
    user: str


def usual(kind: MachineType) -> str:
    """The SSM parameter that names the newest image for a type: with NVIDIA's drivers where there is a GPU.

    Raises:
        InvalidOrderError: it would not run there, or not drive the GPU.
    """
    drives = kind.gpu.startswith(NVIDIA) and not kind.gpu.endswith(NO_OPEN_DRIVER)
    if kind.architecture not in CANONICAL_ARCHITECTURES or (kind.gpu and not drives):
        has = f"no driver for {kind.gpu}" if kind.gpu else f"nothing for {kind.architecture}"
        raise InvalidOrderError(f"The usual image of {kind.name} has {has}.", "Name an image that has it.")
    return parameter(kind.architecture, gpu=bool(kind.gpu))


def parameter(architecture: str, *, gpu: bool) -> str:
    """The SSM parameter of an architecture's newest image."""
    return DEEP_LEARNING.format(architecture) if gpu else UBUNTU.format(CANONICAL_ARCHITECTURES[architecture])


def image(clients: Clients, region: str, wanted: str, user: str = "") -> Image:
    """Of an AMI's id, or of the path of an SSM parameter that holds one.

    Raises:
        InvalidOrderError: there is none in this region, or it is one without a disk of its own.
    """
    ami = wanted
    if wanted.startswith("/"):
        ami = clients.ask(region, "ssm:GetParameter", Name=wanted)["Parameter"]["Value"]
    found = clients.ask(region, "ec2:DescribeImages", ImageIds=[ami])["Images"]
    if not found:
        raise InvalidOrderError(f"There is no image {ami} in {region}.", "Images belong to one region each.")
    return _image(found[0], user)


def _image(found: dict[str, Any], user: str) -> Image:
    root = found.get("RootDeviceName", "")
    disks = [
        disk["Ebs"]
        for disk in found.get("BlockDeviceMappings", [])
        if disk["DeviceName"] == root and "Ebs" in disk
    ]
    if not disks:
        raise InvalidOrderError(f"The image {found['ImageId']} has no disk of EBS to begin from.")
    name = str(found.get("Name", "")).lower()
    named = next((who for part, who in USERS if part in name), "ec2-user")
    return Image(found["ImageId"], root, int(disks[0].get("VolumeSize", 8)), user or named)
