"""An order as the request that Alibaba is sent, now and after every crash."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudtui_providers.alibaba import network, prices
from cloudtui_providers.alibaba.errors import TITLE
from cloudtui_providers.alibaba.service import Api
from cloudtui_providers.alibaba.settings import Settings
from cloudtui_providers.alibaba.types import Kind, one_in
from cloudtui_providers.base import Order
from cloudtui_providers.errors import InvalidOrderError

UBUNTU, UBUNTU_ARM = "acs:ubuntu_24_04_x64", "acs:ubuntu_24_04_arm64"
"""Families; their newest images have no driver for GPUs, and Alibaba names none that has."""
LEAST_DISK_GB = 40
BANDWIDTH = 100
"""Of its address, Mbit/s; what is sent is paid for by the byte."""
MOST_USER_DATA = 32 * 1024
LATER_S = 1800
"""So long after the deadline Alibaba releases it: it was stopped by then, with its disk, if an engine lives.
It is also the shortest time that Alibaba takes."""
MOST_S = 3 * 365 * 86400
"""The longest."""


def planned(api: Api, settings: Settings, order: Order) -> dict[str, Any]:
    """The payload of an order; its image is found, its network and firewall are found or made."""
    user_data = _user_data(order)
    if len(user_data.encode()) > MOST_USER_DATA:
        raise InvalidOrderError(
            f"The user-data of {order.name} is longer than the 32 KiB that {TITLE} takes."
        )
    kind, zone = one_in(api, order.type, order.region, order.zone, spot=order.spot)
    if order.spot and order.max_price is not None:
        prices.require_dollars(api, order.region, zone, order.type)
    image = _image(api, settings, order, kind)
    switch, group = network.ready(
        api, order.region, zone, order.owner, order.ssh_from, poll_s=settings.poll_s
    )
    request: dict[str, Any] = {
        "ClientToken": _client_token(order),
        "InstanceName": f"cloudtui-{order.token}",
        "InstanceType": order.type,
        "ImageId": image,
        "ZoneId": zone,
        "VSwitchId": switch,
        "SecurityGroupId": group,
        "InstanceChargeType": "PostPaid",
        "InternetChargeType": "PayByTraffic",
        "InternetMaxBandwidthOut": BANDWIDTH,
        "SystemDisk": {"Category": "cloud_essd", "Size": str(max(order.disk_gb, LEAST_DISK_GB))},
        "Tag": [{"Key": key, "Value": value} for key, value in order.tags.items()],
        "Amount": 1,
        "UserData": base64.b64encode(user_data.encode()).decode(),
    }
    if order.spot:
        request |= _spot(order)
    if order.deadline:
        request["AutoReleaseTime"] = release_at(order.deadline)
    return {"region": order.region, "token": order.token, "request": request}


def release_at(deadline: str, *, not_before_s: float = LATER_S) -> str:
    """When Alibaba releases a machine of this deadline, as it writes times; whole minutes are all it keeps.

    Args:
        deadline: RFC 3339.
        not_before_s: so many seconds from now at least.
    """
    now = datetime.fromtimestamp(time.time(), UTC)
    wished = datetime.fromisoformat(deadline) + timedelta(seconds=LATER_S)
    soonest = now + timedelta(seconds=not_before_s + 60)  # it rounds down
    latest = now + timedelta(seconds=MOST_S - 3600)
    return min(max(wished, soonest), latest).strftime("%Y-%m-%dT%H:%M:00Z")


def _client_token(order: Order) -> str:
    """Of this attempt of this installation, within the 64 characters that Alibaba takes."""
    return f"cloudtui-{hashlib.sha256(f'{order.owner}/{order.token}'.encode()).hexdigest()[:48]}"


def _user_data(order: Order) -> str:
    if order.user_data or not order.public_key:
        return order.user_data
    return f"#cloud-config\n{json.dumps({'ssh_authorized_keys': [order.public_key]})}\n"


def _image(api: Api, settings: Settings, order: Order, kind: Kind) -> str:
    """The newest of a family, by its id: a payload names it and no other."""
    wanted = order.image or settings.image or (UBUNTU_ARM if kind.arm else UBUNTU)
    if ":" not in wanted:
        return wanted
    told = api.ask(order.region, "ecs:DescribeImageFromFamily", ImageFamily=wanted)
    found = str((told.get("Image") or {}).get("ImageId") or "")
    if not found:
        raise InvalidOrderError(
            f"There is no image of the family {wanted} in {order.region}.",
            "An image is a family (acs:ubuntu_24_04_x64) or an id.",
        )
    return found


def _spot(order: Order) -> dict[str, Any]:
    if order.max_price is None:
        return {"SpotStrategy": "SpotAsPriceGo"}
    return {"SpotStrategy": "SpotWithPriceLimit", "SpotPriceLimit": round(order.max_price, 3)}
