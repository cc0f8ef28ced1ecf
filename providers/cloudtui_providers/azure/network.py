"""What machines are put into: our group, a network of each region, and a firewall that lets one person in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cloudtui_providers.azure.service import NETWORK, RESOURCES, Resources
from cloudtui_providers.base import OWNER_TAG
from cloudtui_providers.errors import InvalidOrderError, MachineGone
from cloudtui_providers.here import reached_from

GROUPS = "Microsoft.Network/networkSecurityGroups"
NETWORKS = "Microsoft.Network/virtualNetworks"
SUBNET = "machines"
PREFIX = "10.77.0.0/16"


def ready(
    resources: Resources, region: str, owner: str, ssh_from: Sequence[str], *, also: str = ""
) -> tuple[str, str]:
    """The ids of a subnet, and of a security group that is open to these networks alone, for SSH alone.

    Each set of networks that somebody named has a group of its own. Where none were, all machines of the
    owner share one that is open to this machine, wherever it has moved to. `also` is where it is now.
    """
    wanted = {*ssh_from, also} if also else reached_from(ssh_from)
    networks = sorted(one for one in wanted if ":" not in one)
    if not networks:
        raise InvalidOrderError(
            "Machines here have addresses of IPv4, and none is named that may reach them.",
            "Name your network of IPv4.",
        )
    _our_group(resources, region)
    name = f"cloudtui-{owner}-{region}"
    if ssh_from:
        name += f"-{hashlib.sha256(' '.join(sorted(ssh_from)).encode()).hexdigest()[:12]}"
    return _subnet(resources, region), _security_group(resources, region, owner, name, networks)


def _our_group(resources: Resources, region: str) -> None:
    path = resources.path(f"/resourcegroups/{resources.group}")
    try:
        resources.ask(path, RESOURCES)
    except MachineGone:
        resources.put(path, RESOURCES, {"location": region})


def _subnet(resources: Resources, region: str) -> str:
    path = resources.ours(f"{NETWORKS}/cloudtui-{region}")
    try:
        resources.ask(path, NETWORK)
    except MachineGone:
        subnet = {"name": SUBNET, "properties": {"addressPrefix": PREFIX}}
        space = {"addressSpace": {"addressPrefixes": [PREFIX]}, "subnets": [subnet]}
        resources.put(path, NETWORK, {"location": region, "properties": space})
    return f"{path}/subnets/{SUBNET}"


def _security_group(resources: Resources, region: str, owner: str, name: str, networks: Sequence[str]) -> str:
    path = resources.ours(f"{GROUPS}/{name}")
    rule = {
        "protocol": "Tcp",
        "access": "Allow",
        "direction": "Inbound",
        "priority": 1000,
        "sourceAddressPrefixes": list(networks),
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "22",
    }
    body = {
        "location": region,
        "tags": {OWNER_TAG: owner},
        "properties": {"securityRules": [{"name": "ssh", "properties": rule}]},
    }
    resources.put(path, NETWORK, body)
    return path
