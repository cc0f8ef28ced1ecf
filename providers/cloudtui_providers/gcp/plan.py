"""An order as the request that Compute Engine is sent, now and after every crash."""

from __future__ import annotations

import re
import uuid
from typing import Any

from cloudtui_providers import marks
from cloudtui_providers.base import Order
from cloudtui_providers.errors import InvalidOrderError, MachineGone, ProviderError, QuotaError
from cloudtui_providers.gcp import firewall
from cloudtui_providers.gcp.machines import USER_LABEL, labels
from cloudtui_providers.gcp.service import ROOT, TITLE, Compute
from cloudtui_providers.gcp.settings import Settings
from cloudtui_providers.gcp.types import MachineType, one_in

DRIVERS = (
    "projects/ubuntu-os-accelerator-images/global/images/family/ubuntu-accelerator-2404-{}-with-nvidia-580"
)
UBUNTU = "projects/ubuntu-os-cloud/global/images/family/ubuntu-2404-lts-{}"
ALL_GPUS = "GPUS_ALL_REGIONS"
MORE_QUOTA = "Ask for more at https://console.cloud.google.com/iam-admin/quotas"
LONGEST_NAME = 63
MOST_METADATA = 256 * 1024
"""Of one value."""
HYPERDISK = re.compile(r"(a4|a4x|c4|c4a|c4d|g4|h4d|m4|n4|n4a|n4d|x4)-")
"""Families that take no other disks."""
MOST_S = 120 * 86400
"""The longest limit that Google takes."""
LATER_S = 86400
"""So long after the deadline Google ends it by itself. Its limit cannot be moved while a machine runs, so it
leaves room for a deadline that is; at the deadline itself the machine ends by its own switch."""
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def planned(compute: Compute, settings: Settings, order: Order) -> dict[str, Any]:
    """The payload of an order; its image is found and its firewall made."""
    if len(order.user_data.encode()) > MOST_METADATA:
        raise InvalidOrderError(
            f"The user-data of {order.name} is longer than the 256 KiB that {TITLE} takes."
        )
    kind = one_in(compute, order.type, order.region, order.zone)
    _allowed(compute, kind)
    request = _request(compute, settings, order, kind)
    request["tags"] = {"items": [firewall.tag(compute, settings.network, order.owner, order.ssh_from)]}
    return {
        "region": order.region,
        "zone": kind.zone,
        # Google ignores a request of the same id; the name keeps it single for ever.
        "request_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{order.owner}/{order.token}")),
        "request": request,
    }


def _allowed(compute: Compute, kind: MachineType) -> None:
    """A quota that can never be enough is told before anything is ordered: new projects have none."""
    known = gpus_allowed(compute)
    if known is not None and known < kind.count:
        raise QuotaError(
            f"{kind.name} has {kind.count} GPUs, and the project may have {known:g} in all regions.",
            MORE_QUOTA,
        )


def gpus_allowed(compute: Compute) -> float | None:
    """Of the whole project; None: not known."""
    try:
        quotas = compute.ask("").get("quotas", [])
    except ProviderError:
        return None
    return next((float(one["limit"]) for one in quotas if one["metric"] == ALL_GPUS), None)


def _request(compute: Compute, settings: Settings, order: Order, kind: MachineType) -> dict[str, Any]:
    marked = labels(order.tags | {USER_LABEL: settings.user})
    zone = f"zones/{kind.zone}"
    request: dict[str, Any] = {
        "name": _name(order),
        "machineType": f"{zone}/machineTypes/{kind.base}",
        "labels": marked,
        "disks": [_disk(compute, settings, order, kind, marked)],
        "networkInterfaces": [
            {
                "network": f"global/networks/{settings.network}",
                "accessConfigs": [{"type": "ONE_TO_ONE_NAT", "name": "External NAT"}],
            }
        ],
        "metadata": {"items": _metadata(settings, order)},
        "scheduling": _scheduling(order, kind),
    }
    if kind.attached:
        accelerator = f"{zone}/acceleratorTypes/{kind.accelerator}"
        request["guestAccelerators"] = [{"acceleratorType": accelerator, "acceleratorCount": kind.count}]
    return request


def _name(order: Order) -> str:
    whole = marks.marked_name(order, LONGEST_NAME)
    return whole if _NAME.fullmatch(whole) else f"cloudtui-{order.owner}-{order.token}"


def _disk(
    compute: Compute, settings: Settings, order: Order, kind: MachineType, marked: dict[str, str]
) -> dict[str, Any]:
    image = _image(compute, order.image or settings.image or _usual(kind))
    disk = "hyperdisk-balanced" if HYPERDISK.match(kind.base) else "pd-balanced"
    return {
        "boot": True,
        "autoDelete": True,
        "initializeParams": {
            "sourceImage": f"projects/{image['selfLink'].rpartition('/projects/')[2]}",
            "diskSizeGb": str(max(order.disk_gb, int(image.get("diskSizeGb", 10)))),
            "diskType": f"zones/{kind.zone}/diskTypes/{disk}",
            "labels": marked,
        },
    }


def _usual(kind: MachineType) -> str:
    image = DRIVERS if kind.accelerator.startswith("nvidia-") else UBUNTU
    return image.format("arm64" if kind.arm else "amd64")


def _image(compute: Compute, path: str) -> Any:
    """What an image, or the newest of a family, is: a payload names it and no other."""
    try:
        return compute.rest.ask("GET", f"{ROOT}/{path}")
    except MachineGone:
        raise InvalidOrderError(
            f"There is no image {path} at {TITLE}.", "An image is named projects/P/global/images/I."
        ) from None


def _metadata(settings: Settings, order: Order) -> list[dict[str, str]]:
    # Keys of the project's other people, and OS Login, which would not look at ours, stay out.
    found = {"enable-oslogin": "FALSE", "block-project-ssh-keys": "TRUE"}
    if order.public_key:
        found["ssh-keys"] = f"{settings.user}:{order.public_key}"
    if order.user_data:
        found["user-data"] = order.user_data
    return [{"key": key, "value": value} for key, value in found.items()]


def _scheduling(order: Order, kind: MachineType) -> dict[str, Any]:
    found: dict[str, Any] = {"provisioningModel": "SPOT" if order.spot else "STANDARD"}
    if order.spot or kind.accelerator:
        found["onHostMaintenance"] = "TERMINATE"
    if order.spot:
        found["automaticRestart"] = False
    limited = 0 < order.lifetime_s <= MOST_S - LATER_S
    if limited:
        found["maxRunDuration"] = {"seconds": str(order.lifetime_s + LATER_S)}
    if order.spot or limited:
        keeps = order.power_off_stops and not order.spot
        found["instanceTerminationAction"] = "STOP" if keeps else "DELETE"
    return found
