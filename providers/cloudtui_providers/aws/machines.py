"""EC2's instances as the contract's machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.base import LAUNCH_TAG, OWNER_TAG, CloudState, Listing, Machine
from cloudtui_providers.errors import ProviderError

USER_TAG = "cloudtui-user"
"""Who logs in to its image: known when it is launched, and asked ever after."""
DESCRIBE = "ec2:DescribeInstances"
PAGE = 500
STATES = {
    "pending": CloudState.PENDING,
    "running": CloudState.RUNNING,
    "stopping": CloudState.STOPPING,
    "stopped": CloudState.STOPPED,
    "shutting-down": CloudState.TERMINATING,
    "terminated": CloudState.TERMINATED,
}
ALIVE = {CloudState.PENDING, CloudState.RUNNING}
TAKEN_BACK = ("Server.SpotInstanceTermination", "Server.SpotInstanceShutdown")


def machine(instance: Mapping[str, Any], region: str, port: int) -> Machine:
    """One instance as DescribeInstances or RunInstances tells of it."""
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    state = STATES[instance["State"]["Name"]]
    return Machine(
        id=instance["InstanceId"],
        state=state,
        region=region,
        zone=instance.get("Placement", {}).get("AvailabilityZone", ""),
        type=instance.get("InstanceType", ""),
        spot=instance.get("InstanceLifecycle") == "spot",
        address=instance.get("PublicIpAddress", "") if state is not CloudState.TERMINATED else "",
        port=port,
        user=tags.get(USER_TAG, "ubuntu"),
        created_at=_created(instance),
        reason="" if state in ALIVE else _reason(instance),
        tags=tags,
    )


def one_by_token(clients: Clients, region: str, token: str, port: int) -> Machine | None:
    """The machine of an order; a living one before a dead one, should a person have copied its tags."""
    wanted = [{"Name": f"tag:{LAUNCH_TAG}", "Values": [token]}]
    found = [
        machine(one, region, port)
        for page in clients.pages(region, DESCRIBE, Filters=wanted)
        for one in _instances(page)
    ]
    ended = {CloudState.TERMINATED, CloudState.TERMINATING}
    return min(found, key=lambda one: (one.state in ended, one.created_at or 0.0, one.id), default=None)


def one_by_id(clients: Clients, region: str, instance: str, port: int) -> Machine | None:
    """As it is now; None: none of that id."""
    for page in clients.pages(region, DESCRIBE, InstanceIds=[instance]):
        for one in _instances(page):
            return machine(one, region, port)
    return None


def listing(clients: Clients, region: str, owner: str, port: int) -> Listing:
    """All of an owner. What failed after the first page is told in it; at the first page it is raised."""
    wanted = (
        {"Name": f"tag:{OWNER_TAG}", "Values": [owner]}
        if owner
        else {"Name": "tag-key", "Values": [OWNER_TAG]}
    )
    found: list[Machine] = []
    pages = clients.pages(region, DESCRIBE, Filters=[wanted], PaginationConfig={"PageSize": PAGE})
    first = True
    while True:
        try:
            page = next(pages, None)
        except ProviderError as error:
            if first:
                raise
            return Listing(region, found, complete=False, problem=error.message)
        if page is None:
            return Listing(region, found)
        found += [machine(one, region, port) for one in _instances(page)]
        first = False


def _instances(page: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for reservation in page["Reservations"]:
        yield from reservation["Instances"]


def _created(instance: Mapping[str, Any]) -> float | None:
    """When its first disk was attached: LaunchTime begins anew with every start."""
    moments: list[datetime] = [disk["Ebs"]["AttachTime"] for disk in instance.get("BlockDeviceMappings", [])]
    moments += [instance["LaunchTime"]] if "LaunchTime" in instance else []
    return min(moment.timestamp() for moment in moments) if moments else None


def _reason(instance: Mapping[str, Any]) -> str:
    code = str(instance.get("StateReason", {}).get("Code", ""))
    return "preempted" if code.startswith(TAKEN_BACK) else code
