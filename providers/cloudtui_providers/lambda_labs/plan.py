"""An order as the request that Lambda is sent, now and after every crash."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from cloudtui_providers import marks, unable
from cloudtui_providers.base import Order
from cloudtui_providers.errors import CapacityError, InvalidOrderError
from cloudtui_providers.lambda_labs.service import TITLE
from cloudtui_providers.rest import Rest

TYPES = "/api/v1/instance-types"
SSH_KEYS = "/api/v1/ssh-keys"
LONGEST_NAME = 64
MOST_USER_DATA = 1_000_000
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What an image's id is; another word is a family of images, of which the newest is taken."""


def planned(rest: Rest, order: Order) -> dict[str, Any]:
    """The payload of an order; the type is looked at, and our key is made known to Lambda once."""
    unable.refuse(order, TITLE)
    if len(order.user_data.encode()) > MOST_USER_DATA:
        raise InvalidOrderError(f"The user-data of {order.name} is longer than the 1 MB that {TITLE} takes.")
    if not order.public_key:
        raise InvalidOrderError(f"{TITLE} rents no machine without an SSH key.")
    zone = _zone(rest, order)
    request: dict[str, Any] = {
        "region_name": zone,
        "instance_type_name": order.type,
        "ssh_key_names": [_key_name(rest, order.public_key)],
        "name": marks.marked_name(order, LONGEST_NAME),
    }
    if order.image:
        request["image"] = {"id" if UUID.fullmatch(order.image) else "family": order.image}
    if order.user_data:
        request["user_data"] = order.user_data
    return {"request": request}


def _zone(rest: Rest, order: Order) -> str:
    """Where it is launched: as ordered, else where there is one now."""
    found = rest.ask("GET", TYPES)["data"].get(order.type)
    if found is None:
        raise InvalidOrderError(
            f"There is no machine type {order.type} at {TITLE}.", "'cloudtui instance offers' lists them."
        )
    has = int(found["instance_type"]["specs"]["storage_gib"])
    if has < order.disk_gb:
        raise InvalidOrderError(
            f"{order.type} has {has} GiB of disk and no more; {order.disk_gb} are wanted."
        )
    zones = [one["name"] for one in found["regions_with_capacity_available"]]
    if not order.zone and not zones:
        raise CapacityError(f"{TITLE} has no {order.type} anywhere now.")
    return order.zone or str(zones[0])


def _key_name(rest: Rest, public_key: str) -> str:
    """What the key is called there; it is added where it is not."""
    wanted = public_key.split()[:2]
    for one in rest.ask("GET", SSH_KEYS)["data"]:
        if str(one["public_key"]).split()[:2] == wanted:
            return str(one["name"])
    name = f"cloudtui-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:16]}"
    # Twice would be two keys of one name, and the first of them is as good.
    return str(rest.ask("POST", SSH_KEYS, body={"name": name, "public_key": public_key})["data"]["name"])
