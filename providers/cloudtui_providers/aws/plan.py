"""An order as the request that RunInstances is sent, now and after every crash."""

from __future__ import annotations

from typing import Any

from cloudtui_providers.aws import access, quotas
from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.aws.images import Image, image, usual
from cloudtui_providers.aws.machines import USER_TAG
from cloudtui_providers.aws.settings import Settings
from cloudtui_providers.aws.types import MachineType, types
from cloudtui_providers.base import Order
from cloudtui_providers.errors import InvalidOrderError, QuotaError

MOST_USER_DATA = 16 * 1024
MARKED = ("instance", "volume", "network-interface")


def planned(clients: Clients, settings: Settings, order: Order) -> dict[str, Any]:
    """The payload of an order; its key, group and image are found or made."""
    kind = _type(clients, order)
    _allowed(clients, order, kind)
    if len(order.user_data.encode()) > MOST_USER_DATA:
        raise InvalidOrderError(f"The user-data of {order.name} is longer than the 16 KiB that EC2 takes.")
    wanted = order.image or settings.image or usual(kind)
    begins_from = image(clients, order.region, wanted, settings.user)
    request = _request(order, begins_from)
    request["SecurityGroupIds"] = [
        access.group_id(clients, order.region, order.owner, order.ssh_from, settings.ssh_port)
    ]
    if order.public_key:
        request["KeyName"] = access.key_name(clients, order.region, order.owner, order.public_key)
    return {"region": order.region, "request": request}


def _type(clients: Clients, order: Order) -> MachineType:
    found = types(clients, order.region, [order.type])
    if not found:
        raise InvalidOrderError(
            f"There is no machine type {order.type} in {order.region}.",
            "'cloudtui instance offers' lists them.",
        )
    if order.spot and not found[0].spot:
        raise InvalidOrderError(f"AWS has no spot machines of the type {order.type}.")
    return found[0]


def _allowed(clients: Clients, order: Order, kind: MachineType) -> None:
    """A quota that can never be enough is told before anything is ordered."""
    known = quotas.known_limit(clients, order.region, order.type, spot=order.spot)
    family = quotas.family_of(order.type)
    if known is None or family is None or known >= kind.cpus:
        return
    raise QuotaError(
        f"{order.type} has {kind.cpus} virtual processors, and the account may have {known:g} of the "
        f"{'spot' if order.spot else 'on-demand'} family {family.name} in {order.region}.",
        quotas.where_to_ask(order.region, family, spot=order.spot),
    )


def _request(order: Order, begins_from: Image) -> dict[str, Any]:
    tags = order.tags | {"Name": order.name, USER_TAG: begins_from.user}
    kinds = [*MARKED, "spot-instances-request"] if order.spot else MARKED
    disk = {
        "VolumeSize": max(order.disk_gb, begins_from.least_gb),
        "VolumeType": "gp3",
        "DeleteOnTermination": True,
    }
    request: dict[str, Any] = {
        "ClientToken": order.token,
        "MinCount": 1,
        "MaxCount": 1,
        "ImageId": begins_from.id,
        "InstanceType": order.type,
        "InstanceInitiatedShutdownBehavior": "stop"
        if order.power_off_stops and not order.spot
        else "terminate",
        "BlockDeviceMappings": [{"DeviceName": begins_from.root, "Ebs": disk}],
        # Version 2 alone: nothing that a job is tricked into fetching gives away what the machine may do.
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "TagSpecifications": [access.marked(kind, tags) for kind in kinds],
    }
    if order.user_data:
        request["UserData"] = order.user_data
    if order.zone:
        request["Placement"] = {"AvailabilityZone": order.zone}
    if order.spot:
        request["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": _spot(order)}
    return request


def _spot(order: Order) -> dict[str, str]:
    options = {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"}
    return options | ({"MaxPrice": f"{order.max_price:.6f}"} if order.max_price is not None else {})
