"""An order as the request that Azure is sent, now and after every crash."""

from __future__ import annotations

import base64
from typing import Any

from cloudtui_providers import marks
from cloudtui_providers.azure import network
from cloudtui_providers.azure.service import COMPUTE, TITLE, Resources
from cloudtui_providers.azure.settings import Settings
from cloudtui_providers.azure.types import Size, one_in
from cloudtui_providers.base import Order
from cloudtui_providers.errors import InvalidOrderError

DRIVERS = "microsoft-dsvm:ubuntu-hpc:2204"
"""Ubuntu with NVIDIA's drivers, as Microsoft makes it."""
UBUNTU, UBUNTU_ARM = "canonical:ubuntu-24_04-lts:server", "canonical:ubuntu-24_04-lts:server-arm64"
DRIVERS_GB = 64
"""The least disk that image fits on."""
LONGEST_NAME = 64
MOST_USER_DATA = 64 * 1024
"""As base64."""


def planned(resources: Resources, settings: Settings, order: Order) -> dict[str, Any]:
    """The payload of an order; its group, network and firewall are found or made."""
    if not order.public_key:
        raise InvalidOrderError(f"{TITLE} rents no machine without an SSH key.")
    if len(base64.b64encode(order.user_data.encode())) > MOST_USER_DATA:
        raise InvalidOrderError(
            f"The user-data of {order.name} is longer than the 64 KiB that {TITLE} takes."
        )
    size = one_in(resources, order.type, order.region, order.zone)
    if order.spot and not size.spot:
        raise InvalidOrderError(f"{TITLE} has no spot machines of the type {order.type}.")
    image = _image(resources, settings, order, size)
    subnet, group = network.ready(resources, order.region, order.owner, order.ssh_from)
    name = marks.marked_name(order, LONGEST_NAME)
    request: dict[str, Any] = {
        "location": order.region,
        "tags": order.tags,
        "properties": {
            "hardwareProfile": {"vmSize": order.type},
            "storageProfile": {"imageReference": image, "osDisk": _disk(order, size)},
            "osProfile": _system(settings, order),
            "networkProfile": _network(name, subnet, group, order.tags),
        }
        | (_spot(order) if order.spot else {}),
    }
    if order.zone:
        request["zones"] = [order.zone]
    return {"region": order.region, "name": name, "request": request}


def _image(resources: Resources, settings: Settings, order: Order, size: Size) -> dict[str, str]:
    """The newest version of it, by its number: a payload names it and no other."""
    usual = DRIVERS if size.gpus else UBUNTU_ARM if size.arm else UBUNTU
    wanted = order.image or settings.image or usual
    if wanted.startswith("/"):
        return {"id": wanted}
    parts = wanted.split(":")
    if len(parts) != 3:
        raise InvalidOrderError(
            f"{wanted} is no image of {TITLE}.", "An image is publisher:offer:sku, or its id."
        )
    publisher, offer, sku = parts
    path = resources.path(
        f"/providers/Microsoft.Compute/locations/{order.region}/publishers/{publisher}"
        f"/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions"
    )
    versions = resources.ask(path, COMPUTE, **{"$orderby": "name desc", "$top": "1"})
    if not versions:
        raise InvalidOrderError(f"There is no image {wanted} in {order.region}.")
    return {"publisher": publisher, "offer": offer, "sku": sku, "version": versions[0]["name"]}


def _disk(order: Order, size: Size) -> dict[str, Any]:
    return {
        "createOption": "FromImage",
        "deleteOption": "Delete",
        "diskSizeGB": max(order.disk_gb, DRIVERS_GB if size.gpus else 30),
        "managedDisk": {"storageAccountType": "Premium_LRS"},
    }


def _system(settings: Settings, order: Order) -> dict[str, Any]:
    key = {"path": f"/home/{settings.user}/.ssh/authorized_keys", "keyData": order.public_key}
    found: dict[str, Any] = {
        "computerName": f"cloudtui-{order.token}"[:63],
        "adminUsername": settings.user,
        "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}},
    }
    if order.user_data:
        found["customData"] = base64.b64encode(order.user_data.encode()).decode()
    return found


def _network(name: str, subnet: str, group: str, tags: dict[str, str]) -> dict[str, Any]:
    """Interface and address are made with the machine, marked as it is, and end with it."""
    address = {"name": f"{name}-ip", "sku": {"name": "Standard"}, "tags": tags,
               "properties": {"deleteOption": "Delete", "publicIPAllocationMethod": "Static"}}  # fmt: skip
    inner = {"primary": True, "subnet": {"id": subnet}, "publicIPAddressConfiguration": address}
    interface = {
        "primary": True,
        "deleteOption": "Delete",
        "networkSecurityGroup": {"id": group},
        "ipConfigurations": [{"name": "main", "properties": inner}],
    }
    return {
        "networkApiVersion": "2022-11-01",
        "networkInterfaceConfigurations": [{"name": f"{name}-nic", "tags": tags, "properties": interface}],
    }


def _spot(order: Order) -> dict[str, Any]:
    """Taken back it is deleted; -1 is any price up to the one on demand."""
    most = -1.0 if order.max_price is None else order.max_price
    return {"priority": "Spot", "evictionPolicy": "Delete", "billingProfile": {"maxPrice": most}}
