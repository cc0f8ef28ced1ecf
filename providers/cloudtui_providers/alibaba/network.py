"""What machines are put into: a network of each region, a switch of each zone, and a group for one person."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from cloudtui_providers.alibaba.errors import TITLE
from cloudtui_providers.alibaba.service import Api, items
from cloudtui_providers.base import OWNER_TAG
from cloudtui_providers.errors import ThrottledError
from cloudtui_providers.here import reached_from

OURS = "cloudtui"
PREFIX = "10.77"
SSH = {"IpProtocol": "TCP", "PortRange": "22/22", "Policy": "Accept", "Priority": "1"}
MOST_LOOKS = 15
"""At a network that is being made."""
NETWORKS, SWITCHES = "vpc:DescribeVpcs", "vpc:DescribeVSwitches"
GROUPS, RULES = "ecs:DescribeSecurityGroups", "ecs:DescribeSecurityGroupAttribute"
OPEN, CLOSE = "ecs:AuthorizeSecurityGroup", "ecs:RevokeSecurityGroup"
DONE_ALREADY = ("InvalidPermission.Duplicate", "InvalidSecurityGroupRule.RuleNotExist")


def ready(
    api: Api, region: str, zone: str, owner: str, ssh_from: Sequence[str], *, poll_s: float
) -> tuple[str, str]:
    """The ids of a switch and of a security group that is open to these networks alone, for SSH alone.

    Each set of networks that somebody named has a group of its own. Where none were, all machines of the
    owner share one that is open to this machine, wherever it has moved to.
    """
    wants = set(reached_from(ssh_from))
    network = _network(api, region, owner, poll_s)
    group = _group(api, region, network, owner, ssh_from)
    _open_to(api, region, group, wants)
    return _switch(api, (region, zone), network, owner, poll_s), group


def let_in(api: Api, region: str, owner: str, ssh_from: Sequence[str], *, also: str, poll_s: float) -> None:
    """Open the group of such orders to these networks and another one."""
    network = _network(api, region, owner, poll_s)
    _open_to(api, region, _group(api, region, network, owner, ssh_from), {*ssh_from, also})


def _network(api: Api, region: str, owner: str, poll_s: float) -> str:
    for look in range(MOST_LOOKS):
        found = items(api.ask(region, NETWORKS, VpcName=OURS), "Vpcs", "Vpc")
        up = sorted(one["VpcId"] for one in found if one.get("Status") == "Available")
        if up:
            return str(up[0])
        if not found:
            api.ask(
                region, "vpc:CreateVpc", VpcName=OURS, CidrBlock=f"{PREFIX}.0.0/16",
                ClientToken=_token(owner, region), Tag=_tag(owner),
            )  # fmt: skip
        if look:
            time.sleep(poll_s)
    raise ThrottledError(f"{TITLE} is still making the network {OURS} in {region}.")


def _switch(api: Api, place: tuple[str, str], network: str, owner: str, poll_s: float) -> str:
    region, zone = place
    name = f"{OURS}-{zone}"
    for look in range(MOST_LOOKS):
        told = api.ask(region, SWITCHES, VpcId=network, ZoneId=zone)
        found = [one for one in items(told, "VSwitches", "VSwitch") if one.get("VSwitchName") == name]
        up = sorted(one["VSwitchId"] for one in found if one.get("Status") == "Available")
        if up:
            return str(up[0])
        if not found:
            api.ask(
                region, "vpc:CreateVSwitch", VpcId=network, ZoneId=zone, VSwitchName=name,
                CidrBlock=f"{PREFIX}.{16 * (ord(zone[-1]) % 16)}.0/20", ClientToken=_token(owner, zone),
                Tag=_tag(owner),
            )  # fmt: skip
        if look:
            time.sleep(poll_s)
    raise ThrottledError(f"{TITLE} is still making the switch {name}.")


def _group(api: Api, region: str, network: str, owner: str, ssh_from: Sequence[str]) -> str:
    name = f"{OURS}-{owner}" + (f"-{_digest(' '.join(sorted(ssh_from)))}" if ssh_from else "")
    told = api.ask(region, GROUPS, VpcId=network, SecurityGroupName=name)
    found = items(told, "SecurityGroups", "SecurityGroup")
    if found:
        return str(found[0]["SecurityGroupId"])
    made = api.ask(
        region, "ecs:CreateSecurityGroup", VpcId=network, SecurityGroupName=name,
        Description="SSH from the addresses of one installation of cloudtui",
        ClientToken=_token(owner, region, name), Tag=_tag(owner),
    )  # fmt: skip
    return str(made["SecurityGroupId"])


def _open_to(api: Api, region: str, group: str, wants: set[str]) -> None:
    told = api.ask(region, RULES, SecurityGroupId=group, Direction="ingress", MaxResults=1000)
    has = {
        one.get("SourceCidrIp") or one.get("Ipv6SourceCidrIp")
        for one in items(told, "Permissions", "Permission")
        if (str(one.get("IpProtocol", "")).upper(), one.get("PortRange")) == ("TCP", SSH["PortRange"])
    } - {None, ""}
    for action, networks in ((OPEN, wants - has), (CLOSE, has - wants)):
        if networks:
            rules = [_rule(str(one)) for one in sorted(networks)]
            api.ask(region, action, but=DONE_ALREADY, SecurityGroupId=group, Permissions=rules)


def _rule(network: str) -> dict[str, str]:
    return SSH | {"Ipv6SourceCidrIp" if ":" in network else "SourceCidrIp": network}


def _tag(owner: str) -> list[dict[str, Any]]:
    return [{"Key": OWNER_TAG, "Value": owner}]


def _token(*what: str) -> str:
    """The same thing asked for by many at once is made once."""
    return f"cloudtui-{_digest(' '.join(what))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
