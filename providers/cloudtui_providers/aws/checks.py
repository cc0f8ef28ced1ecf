"""What this machine or the account lacks, permission by permission; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloudtui_providers.aws import access, prices, quotas
from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.aws.images import parameter
from cloudtui_providers.aws.prices import LIST_REGION
from cloudtui_providers.aws.settings import Settings
from cloudtui_providers.base import Check
from cloudtui_providers.errors import (
    AuthError,
    CloudUnreachable,
    NotInstalledError,
    PermissionDenied,
    ProviderError,
    ThrottledError,
)

DRY_RUN_PASSED = ("DryRunOperation",)
NO_MACHINE = "i-00000000000000000"
NO_GROUP = "sg-00000000000000000"
NO_IMAGE = "ami-00000000000000000"
A_TYPE = "t3.micro"
OF_A_TYPE = [{"Name": "instance-type", "Values": [A_TYPE]}]
A_RULE = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.1/32"}]}]
DRY_RUNS: Mapping[str, Mapping[str, Any]] = {
    "ec2:DescribeRegions": {"RegionNames": [LIST_REGION]},
    "ec2:DescribeInstances": {},
    "ec2:DescribeInstanceTypes": {"InstanceTypes": [A_TYPE]},
    "ec2:DescribeInstanceTypeOfferings": {"Filters": OF_A_TYPE},
    "ec2:DescribeSpotPriceHistory": {"InstanceTypes": [A_TYPE]},
    "ec2:DescribeImages": {"Owners": ["self"]},
    "ec2:DescribeVpcs": {},
    "ec2:DescribeSecurityGroups": {},
    "ec2:CreateSecurityGroup": {"GroupName": "cloudtui-check", "Description": "A dry run"},
    "ec2:AuthorizeSecurityGroupIngress": {"GroupId": NO_GROUP, "IpPermissions": A_RULE},
    "ec2:RevokeSecurityGroupIngress": {"GroupId": NO_GROUP, "IpPermissions": A_RULE},
    "ec2:ImportKeyPair": {"KeyName": "cloudtui-check", "PublicKeyMaterial": b"ssh-ed25519 AAAA"},
    "ec2:CreateTags": {"Resources": [NO_MACHINE], "Tags": [{"Key": "cloudtui-check", "Value": ""}]},
    "ec2:RunInstances": {"ImageId": NO_IMAGE, "InstanceType": A_TYPE, "MinCount": 1, "MaxCount": 1},
    "ec2:StopInstances": {"InstanceIds": [NO_MACHINE]},
    "ec2:StartInstances": {"InstanceIds": [NO_MACHINE]},
    "ec2:TerminateInstances": {"InstanceIds": [NO_MACHINE]},
}
"""EC2 looks at the permission before the arguments, so these need not exist; it does nothing on a dry run."""
UNKNOWN = (AuthError, CloudUnreachable, ThrottledError)
"""What says nothing of the permission that was asked for."""
POLICY = "Allow it in IAM; the policy AmazonEC2FullAccess has all of ec2."


def checks(clients: Clients, settings: Settings) -> list[Check]:
    """All that can be found out. Without credentials the first says so, and is the only one."""
    try:
        region = settings.regions[0] if settings.regions else clients.default_region()
        who = clients.ask(region, "sts:GetCallerIdentity")
    except (ProviderError, NotInstalledError) as error:
        return [Check("credentials", False, error.message, error.hint)]
    found = [Check("credentials", True, f"Account {who['Account']}, region {region}.")]
    for look in (_permissions, _network, _image, _quotas, _conveniences):
        found += _told(look, clients, region)
    return found


def _told(look: Callable[[Clients, str], list[Check]], clients: Clients, region: str) -> list[Check]:
    """What a look finds, or why it could not look."""
    try:
        return look(clients, region)
    except ProviderError as error:
        return [Check(look.__name__.strip("_"), False, error.message, error.hint)]


def _permissions(clients: Clients, region: str) -> list[Check]:
    return [_permission(clients, region, action, arguments) for action, arguments in DRY_RUNS.items()]


def _permission(clients: Clients, region: str, action: str, arguments: Mapping[str, Any]) -> Check:
    try:
        clients.ask(region, action, but=DRY_RUN_PASSED, DryRun=True, **arguments)
    except PermissionDenied as error:
        return Check(action, False, error.message, POLICY)
    except UNKNOWN:
        raise
    except ProviderError:
        pass  # Refused for its arguments, which are looked at after the permission.
    return Check(action, True, "Allowed.")


def _network(clients: Clients, region: str) -> list[Check]:
    if vpc := access.default_vpc(clients, region):
        return [Check("network", True, f"The default network of {region} is {vpc}.")]
    hint = f"aws ec2 create-default-vpc --region {region}"
    return [Check("network", False, f"There is no default network in {region}.", hint)]


def _image(clients: Clients, region: str) -> list[Check]:
    name = parameter("x86_64", gpu=True)
    found = clients.ask(region, "ssm:GetParameter", Name=name)["Parameter"]["Value"]
    return [Check("image", True, f"The newest image with drivers is {found}.")]


def _quotas(clients: Clients, region: str) -> list[Check]:
    return [
        _quota(clients, region, family, spot=spot) for family in quotas.FAMILIES for spot in (False, True)
    ]


def _quota(clients: Clients, region: str, family: quotas.Family, *, spot: bool) -> Check:
    name = f"quota {family.name}{', spot' if spot else ''}"
    try:
        limit = quotas.limit(clients, region, family, spot=spot)
    except PermissionDenied as error:
        return Check(name, False, error.message, "Without it a launch finds out by itself, only later.")
    except UNKNOWN:
        raise
    except ProviderError as error:
        return Check(name, True, f"Not known: {error.message}")
    if limit > 0:
        return Check(name, True, f"{limit:g} virtual processors in {region}.")
    return Check(name, False, f"None allowed in {region}.", quotas.where_to_ask(region, family, spot=spot))


def _conveniences(clients: Clients, region: str) -> list[Check]:
    """Prices: told, and never a reason to fail."""
    known = prices.on_demand(clients, [(region, A_TYPE)])
    text = (
        "The price list answers." if known else "The price list does not answer; the bundled prices are used."
    )
    return [Check("prices", True, text)]
