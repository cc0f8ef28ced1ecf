"""What this machine or the subscription lacks, permission by permission; nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui_providers.azure.machines import ADDRESSES, VMS
from cloudtui_providers.azure.network import GROUPS, NETWORKS
from cloudtui_providers.azure.service import RESOURCES, Resources
from cloudtui_providers.base import Check
from cloudtui_providers.errors import ProviderError
from cloudtui_providers.looks import checks as looked

PERMISSIONS_VERSION = "2022-04-01"
ACTIONS = (
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Resources/subscriptions/resourceGroups/write",
    *(f"{VMS}/{what}" for what in ("read", "write", "delete", "start/action", "deallocate/action")),
    "Microsoft.Compute/skus/read",
    *(f"{NETWORKS}/{what}" for what in ("read", "write", "subnets/join/action")),
    *(f"{GROUPS}/{what}" for what in ("read", "write", "join/action")),
    *(f"{ADDRESSES}/{what}" for what in ("read", "write", "join/action")),
    "Microsoft.Network/networkInterfaces/write",
    "Microsoft.Network/networkInterfaces/join/action",
    "Microsoft.Insights/eventtypes/values/read",
)
ROLE = "The role Contributor of the subscription has it."


def checks(resources: Resources) -> list[Check]:
    """All that can be found out. Without credentials the first says so, and is the only one."""
    found = looked(
        ("credentials", lambda: f"The credentials are good; the subscription is {_subscription(resources)}."),
        ("Microsoft.Compute", lambda: _registered(resources, "Microsoft.Compute")),
        ("Microsoft.Network", lambda: _registered(resources, "Microsoft.Network")),
    )
    return found + _permissions(resources) if found[0].ok else found


def allowed(action: str, grants: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of the grants has an action and does not take it back."""
    return any(
        _any(action, grant.get("actions", [])) and not _any(action, grant.get("notActions", []))
        for grant in grants
    )


def _subscription(resources: Resources) -> str:
    return str(resources.ask(resources.path(), RESOURCES)["displayName"])


def _registered(resources: Resources, name: str) -> str:
    state = resources.ask(resources.path(f"/providers/{name}"), RESOURCES)["registrationState"]
    if state != "Registered":
        raise ProviderError(
            f"{name} is not switched on in the subscription.", f"az provider register -n {name}"
        )
    return "It is switched on."


def _permissions(resources: Resources) -> list[Check]:
    path = resources.path("/providers/Microsoft.Authorization/permissions")
    try:
        grants = list(resources.items(path, PERMISSIONS_VERSION))
    except ProviderError as error:
        return [Check("permissions", False, error.message, error.hint)]
    return [
        Check(one, True, "Allowed.") if allowed(one, grants) else Check(one, False, "Not allowed.", ROLE)
        for one in ACTIONS
    ]


def _any(action: str, patterns: Sequence[str]) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE) for pattern in patterns
    )
