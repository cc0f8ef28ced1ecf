"""What lets this person, and nobody else, reach a machine: the key pair and the security group."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.base import OWNER_TAG
from cloudtui_providers.errors import InvalidOrderError
from cloudtui_providers.here import reached_from

PREFIX = "cloudtui"
FIND_GROUP = "ec2:DescribeSecurityGroups"
AUTHORIZE = "ec2:AuthorizeSecurityGroupIngress"
REVOKE = "ec2:RevokeSecurityGroupIngress"
DONE_ALREADY = ("InvalidPermission.Duplicate", "InvalidPermission.NotFound")


def key_name(clients: Clients, region: str, owner: str, public_key: str) -> str:
    """The name of the key pair of a public key, which is imported where it is not there yet."""
    name = f"{PREFIX}-{_digest(public_key)[:16]}"
    clients.ask(
        region,
        "ec2:ImportKeyPair",
        but=("InvalidKeyPair.Duplicate",),
        KeyName=name,
        PublicKeyMaterial=public_key.encode(),
        TagSpecifications=[marked("key-pair", {OWNER_TAG: owner})],
    )
    return name


def group_id(
    clients: Clients, region: str, owner: str, ssh_from: Sequence[str], port: int, *, also: str = ""
) -> str:
    """A security group that is open to these networks alone, for SSH alone.

    Each set of networks that somebody named has a group of its own. Where none were, all machines of the
    owner share one that is open to this machine: who has moved to another address reaches the older machines,
    too, once the next one is planned, or by `let_in` with that address as `also`; the one before is closed.
    """
    name = f"{PREFIX}-{owner}" + (f"-{_digest(' '.join(sorted(ssh_from)))[:12]}" if ssh_from else "")
    group = _group(clients, region, owner, name)
    found = {"GroupId": group["GroupId"]}
    has, wants = _open_to(group, port), {*ssh_from, also} if also else set(reached_from(ssh_from))
    if missing := wants - has:
        clients.ask(region, AUTHORIZE, but=DONE_ALREADY, IpPermissions=_rules(missing, port), **found)
    if surplus := has - wants:
        clients.ask(region, REVOKE, but=DONE_ALREADY, IpPermissions=_rules(surplus, port), **found)
    return str(group["GroupId"])


def default_vpc(clients: Clients, region: str) -> str:
    """The network that machines are put into; empty: this region has none."""
    only = [{"Name": "is-default", "Values": ["true"]}]
    vpcs = clients.ask(region, "ec2:DescribeVpcs", Filters=only)["Vpcs"]
    return str(vpcs[0]["VpcId"]) if vpcs else ""


def marked(kind: str, tags: dict[str, str]) -> dict[str, Any]:
    """A TagSpecification."""
    return {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _group(clients: Clients, region: str, owner: str, name: str) -> dict[str, Any]:
    vpc = default_vpc(clients, region)
    if not vpc:
        raise InvalidOrderError(
            f"There is no default network in {region}.", f"aws ec2 create-default-vpc --region {region}"
        )
    wanted = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc]}]
    found = clients.ask(region, FIND_GROUP, Filters=wanted)["SecurityGroups"]
    if found:
        return dict(found[0])
    made = clients.ask(
        region,
        "ec2:CreateSecurityGroup",
        but=("InvalidGroup.Duplicate",),
        GroupName=name,
        Description="SSH from the addresses of one installation of cloudtui",
        VpcId=vpc,
        TagSpecifications=[marked("security-group", {OWNER_TAG: owner})],
    )
    # Without an answer another thread has made it meanwhile, and so it is there.
    return made or dict(clients.ask(region, FIND_GROUP, Filters=wanted)["SecurityGroups"][0])


def _open_to(group: dict[str, Any], port: int) -> set[str]:
    return {
        address
        for rule in group.get("IpPermissions", [])
        if (rule.get("IpProtocol"), rule.get("FromPort"), rule.get("ToPort")) == ("tcp", port, port)
        for address in (
            *(one["CidrIp"] for one in rule.get("IpRanges", [])),
            *(one["CidrIpv6"] for one in rule.get("Ipv6Ranges", [])),
        )
    }


def _rules(addresses: set[str], port: int) -> list[dict[str, Any]]:
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    old = [{"CidrIp": one} for one in sorted(addresses) if ":" not in one]
    new = [{"CidrIpv6": one} for one in sorted(addresses) if ":" in one]
    return [rule | ({"IpRanges": old} if old else {}) | ({"Ipv6Ranges": new} if new else {})]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
