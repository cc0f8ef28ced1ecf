"""What lets this person, and nobody else, reach a machine: two rules for the machines of one tag.

The default network of a project lets SSH in from everywhere, by a rule of least priority. So one rule of ours
lets the order's networks in, and the next one keeps out everybody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from cloudtui_providers.errors import InvalidOrderError, MachineGone, ProviderError
from cloudtui_providers.gcp.service import TITLE, Compute
from cloudtui_providers.here import reached_from

SSH = {"IPProtocol": "tcp", "ports": ["22"]}
EVERYWHERE = ["0.0.0.0/0"]
LET_IN, KEEP_OUT = 1000, 1001
"""Priorities: the lower number is the stronger."""


def tag(compute: Compute, network: str, owner: str, ssh_from: Sequence[str], *, also: str = "") -> str:
    """The network tag of machines that are open to these networks alone, for SSH alone.

    Each set of networks that somebody named has a tag of its own. Where none were, all machines of the owner
    share one that is open to this machine, wherever it has moved to. `also` is where it is now.
    """
    name = f"cloudtui-{owner}"
    if ssh_from:
        name += f"-{hashlib.sha256(' '.join(sorted(ssh_from)).encode()).hexdigest()[:12]}"
    wanted = {*ssh_from, also} if also else reached_from(ssh_from)
    networks = sorted(one for one in wanted if ":" not in one)
    if not networks:
        raise InvalidOrderError(
            f"Machines of {TITLE} have addresses of IPv4, and none is named that may reach them.",
            "Name your network of IPv4.",
        )
    rule = {"network": f"projects/{compute.project}/global/networks/{network}", "targetTags": [name]}
    _there(compute, rule | {
        "name": f"{name}-shut", "priority": KEEP_OUT, "denied": [SSH], "sourceRanges": EVERYWHERE,
    })  # fmt: skip
    _there(compute, rule | {"name": name, "priority": LET_IN, "allowed": [SSH], "sourceRanges": networks})
    return name


def _there(compute: Compute, rule: dict[str, Any]) -> None:
    """Make a rule what it has to be."""
    try:
        found = _asked(compute, rule)
    except MachineGone:
        found = _made(compute, rule)
    if sorted(found.get("sourceRanges", [])) != rule["sourceRanges"]:
        path = compute.path(f"global/firewalls/{rule['name']}")
        changed = {"sourceRanges": rule["sourceRanges"]}
        compute.carry_out(compute.rest.ask("PATCH", path, body=changed))


def _made(compute: Compute, rule: dict[str, Any]) -> Any:
    text = "SSH to the machines of one installation of cloudtui"
    body = rule | {"direction": "INGRESS", "description": text}
    try:
        compute.carry_out(compute.rest.ask("POST", compute.path("global/firewalls"), body=body))
    except ProviderError as error:
        try:
            return _asked(compute, rule)  # somebody has made it meanwhile
        except MachineGone:
            raise error from None
    return rule


def _asked(compute: Compute, rule: dict[str, Any]) -> Any:
    return compute.ask(f"global/firewalls/{rule['name']}")
