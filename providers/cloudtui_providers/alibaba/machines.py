"""Alibaba's instances as the contract's machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudtui_providers.alibaba.service import Api, items
from cloudtui_providers.base import LAUNCH_TAG, OWNER_TAG, CloudState, Listing, Machine
from cloudtui_providers.errors import MachineGone, ProviderError

LIST = "ecs:DescribeInstances"
STATES = {
    "Pending": CloudState.PENDING,
    "Starting": CloudState.PENDING,
    "Running": CloudState.RUNNING,
    "Stopping": CloudState.STOPPING,
    "Stopped": CloudState.STOPPED,
}
PAID_FOR = "switched off, and paid for as if it ran"
"""What stops from within keeps its price; stopped by us (StopCharging) it costs what its disk costs."""


def machine(instance: Mapping[str, Any], user: str) -> Machine:
    """One instance as it is listed. What is released is not there."""
    state = STATES.get(
        str(instance["Status"]), CloudState.RUNNING
    )  # a new word: it is there, and so it costs
    costs = state is CloudState.STOPPED and instance.get("StoppedMode") == "KeepCharging"
    locks = [one.get("LockReason") for one in items(dict(instance), "OperationLocks", "LockReason")]
    return Machine(
        id=instance["InstanceId"],
        state=CloudState.RUNNING if costs else state,
        region=instance["RegionId"],
        zone=instance.get("ZoneId", ""),
        type=instance.get("InstanceType", ""),
        spot=instance.get("SpotStrategy", "NoSpot") != "NoSpot",
        address=_address(instance),
        user=user,
        created_at=_moment(instance.get("CreationTime", "")),
        reason="preempted" if "Recycling" in locks else PAID_FOR if costs else "",
        tags={one["TagKey"]: one.get("TagValue", "") for one in items(dict(instance), "Tags", "Tag")},
    )


def listing(api: Api, region: str, owner: str, user: str) -> Listing:
    """All of an owner; with a page that does not come it is not whole."""
    wanted = {"Key": OWNER_TAG, "Value": owner} if owner else {"Key": OWNER_TAG}
    pages = api.pages(region, LIST, Tag=[wanted])
    page: dict[str, Any] | None = next(pages)
    found: list[Machine] = []
    problem = ""
    while page is not None:
        found += [machine(one, user) for one in items(page, "Instances", "Instance")]
        try:
            page = next(pages, None)
        except ProviderError as error:
            page, problem = None, error.message
    return Listing(region, found, complete=not problem, problem=problem)


def by_token(api: Api, region: str, token: str, user: str) -> Machine | None:
    """The one of this order; a look that is not whole raises."""
    pages = list(api.pages(region, LIST, Tag=[{"Key": LAUNCH_TAG, "Value": token}]))
    found = [one for page in pages for one in items(page, "Instances", "Instance")]
    return machine(found[0], user) if found else None


def asked(api: Api, region: str, name: str) -> dict[str, Any]:
    """One instance in Alibaba's words.

    Raises:
        MachineGone: there is none.
    """
    found = items(api.ask(region, LIST, InstanceIds=json.dumps([name])), "Instances", "Instance")
    if not found:
        raise MachineGone(f"There is no instance {name} in {region}.")
    return dict(found[0])


def _address(instance: Mapping[str, Any]) -> str:
    own = items(dict(instance), "PublicIpAddress", "IpAddress")
    return str(own[0] if own else instance.get("EipAddress", {}).get("IpAddress", ""))


def _moment(text: str) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
