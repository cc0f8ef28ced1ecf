"""What this machine or the account lacks, permission by permission; nothing is changed.

What only looks is looked at. What changes is asked for as a dry run where Alibaba has one: who may not do it
is told so before anything else is held against what it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui_providers.alibaba import history, machines, network, prices, types
from cloudtui_providers.alibaba.service import Api, items
from cloudtui_providers.alibaba.settings import Settings
from cloudtui_providers.base import OWNER_TAG, Check
from cloudtui_providers.errors import (
    AuthError,
    CloudUnreachable,
    NotInstalledError,
    PermissionDenied,
    ProviderError,
    ThrottledError,
)
from cloudtui_providers.looks import checks as looked

NONE = "i-cloudtui0000000000"
"""An instance that nobody has."""
LOOKS: Mapping[str, Mapping[str, Any]] = {
    machines.LIST: {"Tag": [{"Key": OWNER_TAG}]},
    types.STOCK: {"DestinationResource": "InstanceType"},
    types.TYPES: {"InstanceTypes": [types.COMMON[0]]},
    prices.PRICE: {"ResourceType": "instance", "InstanceType": types.COMMON[0]},
    "ecs:DescribeImageFromFamily": {"ImageFamily": "acs:ubuntu_24_04_x64"},
    network.NETWORKS: {"VpcName": network.OURS},
    network.SWITCHES: {},
    network.GROUPS: {"SecurityGroupName": network.OURS},
    history.EVENTS: history.ABOUT,
}
DRY_RUNS: Mapping[str, Mapping[str, Any]] = {
    "ecs:RunInstances": {"InstanceType": types.COMMON[0]},
    "ecs:DeleteInstance": {"InstanceId": NONE},
    "ecs:StopInstance": {"InstanceId": NONE},
    "ecs:StartInstance": {"InstanceId": NONE},
    "vpc:CreateVpc": {"CidrBlock": f"{network.PREFIX}.0.0/16"},
}
UNSEEN = (
    "vpc:CreateVSwitch", "ecs:CreateSecurityGroup", "ecs:AuthorizeSecurityGroup", "ecs:RevokeSecurityGroup",
    "ecs:DescribeSecurityGroupAttribute", "ecs:TagResources", "ecs:ModifyInstanceAutoReleaseTime",
)  # fmt: skip
"""What is needed, too, and can be found out only by doing it."""
NO_FURTHER = (AuthError, CloudUnreachable, NotInstalledError, ThrottledError)


def checks(api: Api, settings: Settings) -> list[Check]:
    """All that can be found out. Without credentials the first says so, and is the only one."""
    found = looked(("credentials", lambda: _whose(api, settings.region)))
    if not found[0].ok:
        return found
    found += looked(("regions", lambda: _regions(api, settings.region)))
    asked = [(action, dict(told)) for action, told in LOOKS.items()]
    asked += [(action, {**told, "DryRun": True}) for action, told in DRY_RUNS.items()]
    for action, arguments in asked:
        found.append(_allowed(api, settings.region, action, arguments))
    unseen = f"Not known without doing it: {', '.join(UNSEEN)}."
    return [*found, Check("other permissions", True, unseen)]


def _whose(api: Api, region: str) -> str:
    told = api.ask(region, "sts:GetCallerIdentity")
    return f"The credentials are good; the account is {told['AccountId']}."


def _regions(api: Api, region: str) -> str:
    count = len(items(api.ask(region, "ecs:DescribeRegions"), "Regions", "Region"))
    return f"There are {count} regions."


def _allowed(api: Api, region: str, action: str, arguments: Mapping[str, Any]) -> Check:
    """A refusal for anything else is one of what the dry run names: the permission is there."""
    try:
        api.ask(region, action, **arguments)
    except (PermissionDenied, *NO_FURTHER) as error:
        return Check(action, False, error.message, error.hint)
    except ProviderError:
        pass
    return Check(action, True, "Allowed.")
